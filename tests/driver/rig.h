// SPDX-License-Identifier: Apache-2.0
// A fake device with a queue on it, and what most tests do with that.
#ifndef RIG_H
#define RIG_H

#include "fake_device.h"

// Short, so that tests of timeouts are quick; patient, for tests in which nothing may time out on a loaded machine;
// slack for one.
enum { RIG_DEADLINE_MS = 300, RIG_PATIENT_MS = 20000, RIG_SLACK_MS = 2000 };

struct rig {
    struct fake *fake;
    struct eph_device *device;
    struct eph_queue *queue;
    unsigned deadline_ms; // set before opening; 0: RIG_DEADLINE_MS
    char log[4096];       // every line, each ended by a newline
};

// Fails the test when it does not work. settings may be NULL.
void rig_open(struct rig *rig, const struct fake_settings *settings);
void rig_open_patient(struct rig *rig); // an honest device
void rig_close(struct rig *rig);
// Up to and including eph_queue_open; the rig is closed by rig_close whatever comes back.
enum eph_status rig_try_open(struct rig *rig, const struct fake_settings *settings, const char *uri);

uint64_t rig_now_ms(void);
void rig_sleep_ms(unsigned ms);

// A derive whose operands depend on seed, and the answer that alone is right for it.
struct rig_request {
    uint8_t scalar[32], peer[32], blind[32];
    struct eph_request request;
};
void rig_make(struct rig_request *made, unsigned seed);
bool rig_is_right(const struct rig_request *made, const struct eph_completion *completion);

// submit + wait of one such derive; fails the test when an answer comes that is not right. took_ms may be NULL.
enum eph_status rig_exchange(struct rig *rig, unsigned seed, uint64_t *took_ms);
// n of them with seeds seed, seed + 1, ..., n <= 64; and whether the right answer to one of them comes.
enum eph_status rig_submit(struct rig *rig, unsigned seed, unsigned n, uint32_t *tags);
bool rig_wait_right(struct rig *rig, unsigned seed, uint32_t tag);
struct eph_queue_stats rig_stats(struct rig *rig);

#endif
