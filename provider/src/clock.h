// SPDX-License-Identifier: Apache-2.0
#ifndef EPH_PROVIDER_CLOCK_H
#define EPH_PROVIDER_CLOCK_H

#include <stdint.h>
#include <time.h>

// CLOCK_MONOTONIC costs about 25 ns, CLOCK_MONOTONIC_COARSE (behind by up to a tick, 1 to 10 ms) 6 ns; the CPU time
// clocks are system calls.
static inline uint64_t eph_clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

#endif
