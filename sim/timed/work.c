// SPDX-License-Identifier: Apache-2.0
#include "work.h"
#include "x25519.h"

#include <clock.h>
#include <errno.h>
#include <sched.h>
#include <string.h>

static size_t slot_of(const struct eph_work *work, const struct eph_request *request)
{
    return (size_t)(request - work->requests);
}

static bool claim(struct eph_work *work, size_t slot)
{
    unsigned char waiting = EPH_WORK_WAITING;
    return atomic_compare_exchange_strong_explicit(&work->state[slot], &waiting, EPH_WORK_CLAIMED, memory_order_acquire,
                                                   memory_order_relaxed);
}

static void compute(struct eph_work *work, size_t slot)
{
    struct eph_request *request = &work->requests[slot];
    uint64_t start_ns = eph_clock_ns();
    if (request->cqe.status == EPH_ST_OK)
        request->cqe.status = (uint16_t)(request->sqe.opcode == EPH_OP_KEYGEN
                                             ? eph_timed_x25519_keygen(&request->sqe, request->cqe.result)
                                             : eph_timed_x25519_derive(&request->sqe, request->cqe.result));
    atomic_fetch_add_explicit(&work->compute_ns, eph_clock_ns() - start_ns, memory_order_relaxed); // a statistic
    atomic_store_explicit(&work->state[slot], EPH_WORK_DONE, memory_order_release);
}

static void *worker(void *context)
{
    struct eph_work *work = context;
    for (size_t slot = 0;;) {
        while (sem_wait(&work->posted) != 0)
            continue;
        if (atomic_load_explicit(&work->stop, memory_order_relaxed))
            return NULL;
        for (size_t tried = 0; tried < EPH_WORK_SLOTS; tried++, slot = (slot + 1) % EPH_WORK_SLOTS)
            if (claim(work, slot)) {
                compute(work, slot);
                break;
            }
    }
}

bool eph_work_init(struct eph_work *work, unsigned workers)
{
    memset(work, 0, sizeof *work);
    if (sem_init(&work->posted, 0, 0) != 0)
        return false;
    while (work->workers < workers) {
        int error = pthread_create(&work->threads[work->workers], NULL, worker, work);
        if (error != 0) {
            eph_work_fini(work);
            errno = error;
            return false;
        }
        work->workers++;
    }
    return true;
}

void eph_work_fini(struct eph_work *work)
{
    atomic_store_explicit(&work->stop, true, memory_order_relaxed);
    for (unsigned i = 0; i < work->workers; i++)
        (void)sem_post(&work->posted);
    for (unsigned i = 0; i < work->workers; i++)
        (void)pthread_join(work->threads[i], NULL);
    (void)sem_destroy(&work->posted);
    explicit_bzero(work->requests, sizeof work->requests);
}

struct eph_request *eph_work_new(struct eph_work *work)
{
    for (unsigned tried = 0; tried < EPH_WORK_SLOTS; tried++) {
        unsigned slot = work->next;
        work->next = (slot + 1) % EPH_WORK_SLOTS;
        if (atomic_load_explicit(&work->state[slot], memory_order_relaxed) == EPH_WORK_FREE)
            return &work->requests[slot];
    }
    return NULL;
}

void eph_work_post(struct eph_work *work, struct eph_request *request)
{
    atomic_store_explicit(&work->state[slot_of(work, request)], EPH_WORK_WAITING, memory_order_release);
    if (work->workers != 0)
        (void)sem_post(&work->posted);
}

void eph_work_free(struct eph_work *work, struct eph_request *request)
{
    explicit_bzero(request, sizeof *request);
    atomic_store_explicit(&work->state[slot_of(work, request)], EPH_WORK_FREE, memory_order_relaxed);
}

bool eph_work_done(const struct eph_work *work, const struct eph_request *request)
{
    return atomic_load_explicit(&work->state[slot_of(work, request)], memory_order_acquire) == EPH_WORK_DONE;
}

void eph_work_compute(struct eph_work *work, struct eph_request *request)
{
    size_t slot = slot_of(work, request);
    if (claim(work, slot))
        compute(work, slot);
}

uint64_t eph_work_compute_ns(const struct eph_work *work)
{
    return atomic_load_explicit(&work->compute_ns, memory_order_relaxed);
}

void eph_work_withdraw(struct eph_work *work, struct eph_request *request)
{
    size_t slot = slot_of(work, request);
    if (claim(work, slot)) // nobody else can any more
        return;
    while (atomic_load_explicit(&work->state[slot], memory_order_acquire) == EPH_WORK_CLAIMED)
        sched_yield();
}
