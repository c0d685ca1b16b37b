// SPDX-License-Identifier: Apache-2.0
// Shared by the two halves of the fake device.
#ifndef FAKE_INSIDE_H
#define FAKE_INSIDE_H

#include "fake_device.h"

#include <pthread.h>
#include <stddef.h>

enum { FAKE_SESSIONS_MAX = 16, FAKE_CONTROLS_MAX = 16, FAKE_HELD_MAX = 64 };

struct fake_session {
    int fd; // -1: free
    int irq_fd;
    uint8_t *memory;
    uint64_t address;
    size_t memory_bytes;
    uint32_t queue_registers[16];
    uint32_t sq_head, cq_tail; // free-running
    bool armed, hang_up;
};

struct fake_held {
    struct fake_session *session;
    struct eph_cqe cqe;
};

struct fake {
    pthread_mutex_t lock; // everything below
    pthread_t thread;
    struct fake_settings settings;
    struct fake_counters counters;
    char uri[96], path[96];
    int listen_fd, wake_fd;
    int controls[FAKE_CONTROLS_MAX];
    struct fake_session sessions[FAKE_SESSIONS_MAX];
    bool stop, mute, all_ones, fatal;
    enum fake_fault fault;
    unsigned skip, count;
    struct fake_held held[FAKE_HELD_MAX];
    unsigned held_count;
};

uint32_t fake_read_register(const struct fake *fake, const struct fake_session *session, uint32_t offset);
void fake_write_register(struct fake *fake, struct fake_session *session, uint32_t offset, uint32_t value);
void fake_reset_session(struct fake *fake, struct fake_session *session);

#endif
