// SPDX-License-Identifier: Apache-2.0
// Key pairs made ahead by the device, of one process and curve (X25519), so that a call that can not wait for the
// device still uses it. Each is checked before it enters, used once, wiped, and never used when older than a minute. A
// child process has none of its parent's: the memory is empty after a fork, and the pid is another.
#ifndef EPH_POOL_H
#define EPH_POOL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct eph_key;
struct eph_pool_memory;
struct eph_process;
struct eph_provider;

enum eph_pool_state { EPH_POOL_UNDECIDED, EPH_POOL_ON, EPH_POOL_OFF };

struct eph_pool {
    pthread_mutex_t lock;              // held for a few hundred nanoseconds, taken after the flights' lock
    struct eph_process *process;       // borrowed
    _Atomic enum eph_pool_state state; // decided when the device is first seen
    struct eph_pool_memory *memory;    // owned; locked, not dumped, wiped on fork
    unsigned size;                     // keys
    unsigned ready, flying;
    uint64_t refill_ns; // after a refused submission: no other before this CLOCK_MONOTONIC time
};

void eph_pool_init(struct eph_pool *pool, struct eph_process *process);
void eph_pool_fini(struct eph_pool *pool, bool ours); // none of its keys is on its way any more

// Fills both halves of the key from the pool and asks the device for replacements. False: nothing there, the caller
// makes one. Never waits for the device.
bool eph_pool_take(struct eph_provider *provider, struct eph_process *process, struct eph_key *key);

#endif
