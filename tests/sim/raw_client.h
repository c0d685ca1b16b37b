// SPDX-License-Identifier: Apache-2.0
// A vfio-user client of the tests' own, so that the server is not judged by the driver that it was written for. Every
// function that can not fail in a correct system ends the test with a message when it does.
#ifndef EPH_TEST_RAW_CLIENT_H
#define EPH_TEST_RAW_CLIENT_H

#include <ephemera/vfio_user.h>
#include <ephemera/wire.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// ---- the daemon under test

struct raw_daemon {
    pid_t pid;
    int output; // its standard output
    char directory[64], path[96];
};

// The back end to test: environment variable EPH_TEST_BACKEND, "model" if unset.
const char *raw_backend(void);
// Starts ephemera-sim --stats with these further arguments (NULL-terminated) and waits until it is ready. Environment
// variable EPH_TEST_PROFILE: the profile of back end timed.
void raw_daemon_start(struct raw_daemon *daemon, const char *backend, const char *const *arguments);
// The same directory and socket path again, after the former daemon was killed.
void raw_daemon_restart(struct raw_daemon *daemon, const struct raw_daemon *killed);
// Runs ephemera-sim to its end; output receives standard output and error. Returns the exit status.
int raw_run(const char *const *arguments, char *output, size_t output_bytes);
// Sends the signal, waits, removes the directory (which must be empty) and returns the exit status; 128 + n after
// signal n.
int raw_daemon_stop(struct raw_daemon *daemon, int signal);
// As raw_daemon_stop(SIGTERM), expects exit status 0, and returns the counter that --stats printed under this name.
unsigned long long raw_daemon_stop_counter(struct raw_daemon *daemon, const char *name);

// ---- one client

struct raw_client {
    int fd;
    uint16_t id;
    int memory_fd;
    uint8_t *memory; // mapped for DMA at RAW_ADDRESS by raw_open_function
};

enum { RAW_ADDRESS = 0x10000000, RAW_MEMORY_BYTES = 1 << 20 };

void raw_connect(struct raw_client *client, const char *path); // stream socket only
int raw_attach_control(const char *path);                      // connection to PATH.attach
int raw_attach(int control, struct raw_client *client);        // 0 or the errno value that the server answered
void raw_close(struct raw_client *client);

// Sends one command and receives its reply. Returns the bytes of reply data, or minus the errno value of an error
// reply, or -EPIPE when the server closed. out may be NULL.
int raw_call(struct raw_client *client, enum eph_vu_command command, const void *payload, size_t bytes, const int *fds,
             unsigned fd_count, void *out, size_t out_bytes);
void raw_send(struct raw_client *client, const void *message, size_t bytes, const int *fds, unsigned fd_count);
int raw_version(struct raw_client *client);

int raw_read(struct raw_client *client, uint32_t region, uint64_t offset, void *data, uint32_t count);
int raw_write(struct raw_client *client, uint32_t region, uint64_t offset, const void *data, uint32_t count);
uint32_t raw_read32(struct raw_client *client, uint32_t offset); // BAR0
void raw_write32(struct raw_client *client, uint32_t offset, uint32_t value);
void raw_post32(struct raw_client *client, uint32_t offset, uint32_t value); // without reply, as doorbells are rung
void raw_bus_master(struct raw_client *client, bool on);
int raw_dma_map(struct raw_client *client, uint64_t address, uint64_t bytes, uint64_t offset, int fd, uint32_t flags);
int raw_dma_unmap(struct raw_client *client, uint64_t address, uint64_t bytes);
int raw_set_irq(struct raw_client *client, uint32_t vector, int eventfd); // -1 detaches

// ---- a ready-made queue: rings in client->memory, polled

struct raw_queue {
    struct raw_client *client;
    uint32_t log2_depth;
    uint32_t sq_tail, cq_head, phase;
    struct eph_sqe *sq;
    struct eph_cqe *cq;
};

enum { RAW_VECTOR = 5, RAW_SQ_OFFSET = 0, RAW_CQ_OFFSET = 0x8000, RAW_SHADOW_OFFSET = 0x10000 };

// VERSION, memory mapped, bus mastering on.
void raw_open_function(struct raw_client *client);
void raw_queue_setup(struct raw_queue *queue, struct raw_client *client, uint32_t log2_depth); // and enables
void raw_queue_reopen(struct raw_queue *queue);                         // the same again after a reset
void raw_queue_put(struct raw_queue *queue, const struct eph_sqe *sqe); // without ringing
void raw_queue_ring(struct raw_queue *queue);
bool raw_queue_visible(const struct raw_queue *queue);
// Next completion, copied; the head is returned to the device. False after timeout_ms.
bool raw_queue_get(struct raw_queue *queue, struct eph_cqe *cqe, int timeout_ms);
// Runs n requests whose tags are 0 .. n-1, 60 at a time; cqes[tag] receives each completion. The queue has 64 entries.
void raw_queue_run(struct raw_queue *queue, const struct eph_sqe *sqes, struct eph_cqe *cqes, uint32_t n);
// Waits until STATE has this value; false after a minute.
bool raw_queue_state(struct raw_client *client, uint32_t state);

// An X25519 request with this tag; operands from a generator seeded by tag.
struct eph_sqe raw_request(enum eph_opcode opcode, uint32_t tag);
// Scalars of all zeros, all ones, one bit: by i.
void raw_special_scalar(struct eph_sqe *sqe, uint32_t i);
// RFC 7748 section 5.2, first vector: request and expected u.
struct eph_sqe raw_rfc7748(uint32_t tag);
extern const uint8_t raw_rfc7748_u[EPH_CURVE_BYTES_X25519];

uint64_t raw_random(uint64_t *state);
// Waits for the eventfd; false after timeout_ms. Returns its count.
bool raw_wait_event(int eventfd, int timeout_ms, uint64_t *count);

#endif
