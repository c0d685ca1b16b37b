// SPDX-License-Identifier: Apache-2.0
#include "clock.h"

#include <time.h>

static uint64_t read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_wall_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}
uint64_t clock_thread_ns(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}
uint64_t clock_process_ns(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t clock_thread_cost_ns(void)
{
    enum { BATCHES = 16, READS = 500 };
    static uint64_t
        cost_ns; // the cheapest batch: an interrupted one must not count; written once, by the only caller thread
    if (cost_ns != 0)
        return cost_ns;
    uint64_t best_ns = UINT64_MAX;
    for (int batch = 0; batch < BATCHES; batch++) {
        uint64_t begin_ns = clock_thread_ns();
        for (int read = 0; read < READS; read++)
            (void)clock_thread_ns();
        uint64_t spent_ns = (clock_thread_ns() - begin_ns) / (READS + 1);
        if (spent_ns < best_ns)
            best_ns = spent_ns;
    }
    cost_ns = best_ns > 0 ? best_ns : 1;
    return cost_ns;
}
