// SPDX-License-Identifier: Apache-2.0
// The clock of everything here that has a due time.
#ifndef EPH_SIM_CLOCK_H
#define EPH_SIM_CLOCK_H

#include <stdint.h>
#include <time.h>

// CLOCK_MONOTONIC; no system call, some 30 ns.
static inline uint64_t eph_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif
