// SPDX-License-Identifier: Apache-2.0
// Clocks of the benchmark. CPU time is the kernel's own account of a thread or of the whole process, never wall time.
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stdint.h>

uint64_t clock_wall_ns(void);    // CLOCK_MONOTONIC
uint64_t clock_thread_ns(void);  // CPU time of the calling thread
uint64_t clock_process_ns(void); // CPU time of all threads, those that ended too

// What one clock_thread_ns() adds to the interval between two of them; measured at the first call, then constant.
uint64_t clock_thread_cost_ns(void);

// CPU time of a section of the calling thread, the reading itself taken off (never negative).
static inline uint64_t clock_section_ns(uint64_t begin_ns, uint64_t end_ns)
{
    uint64_t cost_ns = clock_thread_cost_ns();
    return end_ns - begin_ns > cost_ns ? end_ns - begin_ns - cost_ns : 0;
}

#endif
