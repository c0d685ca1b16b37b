// SPDX-License-Identifier: Apache-2.0
// The requests in flight and who computes them: the caller's thread, helped by worker threads if there are any. One
// thread calls everything here but the workers' own loop.
#ifndef EPH_TIMED_WORK_H
#define EPH_TIMED_WORK_H

#include <ephemera/wire.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { EPH_WORK_SLOTS = EPH_MAX_QUEUES << EPH_MAX_LOG2_DEPTH, EPH_WORK_MAX_WORKERS = 64 };
enum eph_work_state { EPH_WORK_FREE, EPH_WORK_WAITING, EPH_WORK_CLAIMED, EPH_WORK_DONE };

struct eph_request {
    struct eph_sqe sqe; // secret
    struct eph_cqe cqe; // secret; result and status once DONE
    unsigned queue;
    uint64_t due_ns; // CLOCK_MONOTONIC: when the described device would have shown its completion
};

struct eph_work {
    struct eph_request requests[EPH_WORK_SLOTS];
    // Beside the requests, so that a search touches few lines. WAITING is stored with release after sqe is complete,
    // DONE after cqe is; whoever claims (acquire) or collects (acquire) sees them.
    _Atomic unsigned char state[EPH_WORK_SLOTS];
    unsigned next; // slot to try first
    unsigned workers;
    pthread_t threads[EPH_WORK_MAX_WORKERS];
    sem_t posted; // at least one for each WAITING request; workers look and find perhaps nothing
    atomic_bool stop;
    _Atomic uint64_t compute_ns; // wall time spent computing, all threads
};

bool eph_work_init(struct eph_work *work, unsigned workers); // false: errno
void eph_work_fini(struct eph_work *work);                   // joins the workers, wipes

// A slot to fill in: sqe, queue, due_ns and the cqe but for result; a status other than OK stays, nothing is computed
// then. NULL: none free.
struct eph_request *eph_work_new(struct eph_work *work);
void eph_work_post(struct eph_work *work, struct eph_request *request); // may be computed from now on
void eph_work_free(struct eph_work *work, struct eph_request *request); // wipes; posted ones must be done

bool eph_work_done(const struct eph_work *work, const struct eph_request *request);
// Computes the request unless somebody has it in hand already.
void eph_work_compute(struct eph_work *work, struct eph_request *request);
uint64_t eph_work_compute_ns(const struct eph_work *work); // wall time spent computing so far, all threads
// Returns when no worker has it in hand: microseconds.
void eph_work_withdraw(struct eph_work *work, struct eph_request *request);

#endif
