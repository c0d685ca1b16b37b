// SPDX-License-Identifier: Apache-2.0
// Waits for paused asynchronous jobs the way an event-driven server does: their descriptors in one epoll set, each
// registered once for its life, edge-triggered, so that pausing and resuming cost no system call of their own.
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

// What one job or connection waits for. Zero it with its wait context.
struct watched {
    unsigned count; // descriptors in the set
};

// libcrypto's and libssl's question "what changed since the job last ran?": ASYNC_WAIT_CTX_get_changed_fds or
// SSL_get_changed_async_fds on source.
typedef int waiter_changes(void *source, OSSL_ASYNC_FD *added, size_t *added_count, OSSL_ASYNC_FD *deleted,
                           size_t *deleted_count);

// After a pause: brings the set up to date. A closed descriptor leaves it by itself. False when none is watched: the
// caller then asks the job again.
bool waiter_update(struct waiter *waiter, struct watched *watched, waiter_changes *changes, void *source, uint32_t id);

// Ids one of whose descriptors became readable, which may be one that is not waiting (any more), or one twice; waits at
// most timeout_ns (0: only looks).
size_t waiter_ready(struct waiter *waiter, uint32_t *ids, size_t max, uint64_t timeout_ns);

#endif
