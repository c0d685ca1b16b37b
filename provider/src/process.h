// SPDX-License-Identifier: Apache-2.0
// What belongs to one process and not to its forked children: the queue, the counters. Found by comparing pids, since
// atfork handlers of a module that may be unloaded are a trap, and since a rings' mapping must not survive a fork.
#ifndef EPH_PROCESS_H
#define EPH_PROCESS_H

#include <stdatomic.h>
#include <sys/types.h>

#include "async.h"
#include "flights.h"
#include "offload.h"
#include "pool.h"
#include "stats.h"

struct eph_provider;

struct eph_process {
    pid_t pid;
    struct eph_process
        *older; // owned; of our ancestors, kept until teardown since other threads may still look at its pid
    struct eph_attachment attachment;
    struct eph_flights flights;
    struct eph_pool pool; // of X25519
    struct eph_async async;
    struct eph_stats stats;
};

// The state of the calling process, made at its first call. NULL only without memory.
struct eph_process *eph_process_current(struct eph_provider *provider);

// At teardown: no other thread is inside the provider.
void eph_process_free_all(struct eph_provider *provider);

#endif
