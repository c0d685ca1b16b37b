// SPDX-License-Identifier: Apache-2.0
// What an operation costs on this machine: the least of its first samples, since interruptions and cold caches only
// ever add.
#ifndef EPH_COST_H
#define EPH_COST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { EPH_COST_SAMPLES = 8 };

struct eph_cost {
    atomic_uint samples;
    _Atomic uint64_t least_ns;
};

static inline bool eph_cost_known(const struct eph_cost *cost)
{
    // Acquire: who sees enough samples sees the least of them.
    return atomic_load_explicit(&cost->samples, memory_order_acquire) >= EPH_COST_SAMPLES;
}

static inline uint64_t eph_cost_ns(const struct eph_cost *cost)
{
    return atomic_load_explicit(&cost->least_ns, memory_order_relaxed);
}

static inline void eph_cost_sample(struct eph_cost *cost, uint64_t spent_ns)
{
    if (atomic_load_explicit(&cost->samples, memory_order_relaxed) >= EPH_COST_SAMPLES)
        return;
    uint64_t least_ns = atomic_load_explicit(&cost->least_ns, memory_order_relaxed);
    while ((least_ns == 0 || spent_ns < least_ns) &&
           !atomic_compare_exchange_weak_explicit(&cost->least_ns, &least_ns, spent_ns, memory_order_relaxed,
                                                  memory_order_relaxed))
        ;
    atomic_fetch_add_explicit(&cost->samples, 1, memory_order_release); // pairs with eph_cost_known
}

#endif
