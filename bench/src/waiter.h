// SPDX-License-Identifier: Apache-2.0
// Waits for paused asynchronous jobs the way an event-driven server does: their descriptors in one epoll set.
#ifndef BENCH_WAITER_H
#define BENCH_WAITER_H

#include <openssl/async.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct waiter {
    int epoll; // owned; -1 when not open
};
bool waiter_open(struct waiter *waiter);
void waiter_close(struct waiter *waiter);

// Watches descriptors until one of them is readable; then the id is reported once. Descriptors that are already watched
// are armed again; a closed descriptor leaves the set by itself. False when none could be watched: the caller then
// polls the job.
bool waiter_watch(struct waiter *waiter, const OSSL_ASYNC_FD *descriptors, size_t count, uint32_t id);

// Ids whose descriptor became readable; waits at most timeout_ns (0: only looks).
size_t waiter_ready(struct waiter *waiter, uint32_t *ids, size_t max, uint64_t timeout_ns);

#endif
