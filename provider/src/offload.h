// SPDX-License-Identifier: Apache-2.0
// The device as the provider uses it: opened early, attached by each process at first need, every result checked.
// How, not whether: route.c decides.
#ifndef EPH_OFFLOAD_H
#define EPH_OFFLOAD_H

#include <ephemera/ephemera.h>
#include <ephemera/stats.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct eph_provider;
struct eph_process;

struct eph_attachment {
    pthread_rwlock_t lock; // shared: a call uses the queue; exclusive: queue and cause change. Calls only ever try it.
    struct eph_queue *queue;   // owned; NULL while not attached
    struct eph_device *device; // owned; opened by this process when the inherited one was dead, else NULL
    unsigned attached;         // how often: tells one queue from the next
    uint64_t deadline_ns;      // of an operation in the queue
    enum eph_stats_cause cause;
    uint64_t retry_ns;   // no attach before this CLOCK_MONOTONIC time
    uint64_t backoff_ns; // 0: never failed

    // Attaching may take seconds when the device is silent, so a thread of its own does it and calls wait only the
    // first time.
    atomic_bool attaching; // claimed by whoever starts the thread, cleared by the thread when the outcome stands
    pthread_t thread;
    bool started;           // thread is to be joined
    pthread_mutex_t mutex;  // of finished
    pthread_cond_t changed; // CLOCK_MONOTONIC
    bool finished;
};

void eph_attachment_init(struct eph_attachment *attachment);
void eph_attachment_fini(struct eph_attachment *attachment,
                         bool ours); // not ours, but a parent's: frees bookkeeping only

// At init, with the privileges and the file system of start-up. A missing device is logged, not an error.
void eph_offload_open(struct eph_provider *provider);
void eph_offload_close(struct eph_provider *provider);

enum eph_outcome {
    EPH_OUTCOME_OK,
    EPH_OUTCOME_ZERO,  // final: the peer's key has low order, verified by us
    EPH_OUTCOME_FAULT, // the device did not do it
};

struct eph_answer {
    enum eph_stats_cause cause; // of a fault
    const char *detail;         // of a fault, static text
    uint32_t cycles;
    uint8_t secret_result[32]; // valid with EPH_OUTCOME_OK; the caller wipes it
};

// One X25519 operation on the device, blocking, bounded by the deadline; attaches first when this process has not yet.
// peer_u: NULL for a key generation.
enum eph_outcome eph_offload_x25519(struct eph_provider *provider, struct eph_process *process, const uint8_t *scalar,
                                    const uint8_t *peer_u, struct eph_answer *answer);

// For those who submit without waiting. The queue of this process, held until eph_offload_release; NULL without one:
// attaching is left to calls that can do without the device. Holders never sleep and never pause a job.
struct eph_queue *eph_offload_current(struct eph_process *process);
struct eph_queue *eph_offload_acquire(struct eph_provider *provider, struct eph_process *process,
                                      enum eph_stats_cause *cause); // attaches when due; NULL with a cause
void eph_offload_release(struct eph_process *process);
// A submission to this queue, released since, found the device gone.
void eph_offload_lost(struct eph_process *process, const struct eph_queue *dead);
void eph_offload_note_breaker(struct eph_process *process, struct eph_queue *queue);

// What a completion of an X25519 operation is worth: cause, detail, cycles and result of the answer are set.
enum eph_outcome eph_offload_judge(const struct eph_completion *completion, const uint8_t *peer_u,
                                   struct eph_answer *answer);

enum eph_stats_cause eph_offload_cause(enum eph_status status); // of a failed submission

struct eph_estimate {
    uint64_t latency_ns; // of one more operation; UINT64_MAX when the device can not be used now
    uint64_t
        deadline_ns; // its own default, without the driver's floors: a floor is patience, no promise; or as configured
};

// Attaches when due.
struct eph_estimate eph_offload_estimate(struct eph_provider *provider, struct eph_process *process,
                                         enum eph_opcode opcode, enum eph_curve curve);

#endif
