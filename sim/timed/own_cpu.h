// SPDX-License-Identifier: Apache-2.0
// What the scheduler did to the calling thread.
#ifndef EPH_TIMED_OWN_CPU_H
#define EPH_TIMED_OWN_CPU_H

#include <stdint.h>

struct eph_own_cpu {
    uint64_t used_ns;   // on a CPU
    uint64_t waited_ns; // runnable, but others had the CPU
};

// Since the thread began. Zero on a kernel without CONFIG_SCHED_INFO.
struct eph_own_cpu eph_own_cpu_read(void);

#endif
