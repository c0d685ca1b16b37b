// SPDX-License-Identifier: Apache-2.0
// What belongs to one process and not to its forked children: the queue, the counters. Told apart by memory that a fork
// wipes, since atfork handlers of a module that may be unloaded are a trap, and since a rings' mapping must not survive
// a fork.
#ifndef EPH_PROCESS_H
#define EPH_PROCESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "async.h"
#include "flights.h"
#include "offload.h"
#include "pool.h"
#include "stats.h"
#include "stock.h"

struct eph_provider;

struct eph_process {
    const volatile uint8_t *mark; // owned: a page that reads 1 here and, wiped by fork, 0 in a child
    struct eph_process
        *older; // owned; of our ancestors, kept until teardown since other threads may still look at its mark
    struct eph_attachment attachment;
    struct eph_flights flights;
    struct eph_pool pool; // of X25519
    struct eph_async async;
    struct eph_stock stock;
    struct eph_stats stats;
    _Atomic uint64_t verdict[2][2]; // route.c: by kind of call and operation
};

// The state of the calling process, made at its first call. NULL only without memory.
struct eph_process *eph_process_current(struct eph_provider *provider);

// Does it belong to the calling process? Costs no system call.
static inline bool eph_process_is_ours(const struct eph_process *process)
{
    return *process->mark != 0;
}

// At teardown: no other thread is inside the provider.
void eph_process_free_all(struct eph_provider *provider);

#endif
