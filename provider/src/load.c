// SPDX-License-Identifier: Apache-2.0
#include "load.h"
#include "clock.h"

#define LEAST_NS UINT64_C(250000) // a shorter time says nothing

void eph_load_init(struct eph_load *load)
{
    *load = (struct eph_load){eph_clock_ns(CLOCK_MONOTONIC), eph_clock_ns(CLOCK_PROCESS_CPUTIME_ID), false};
}

bool eph_load_is_high(struct eph_load *load)
{
    uint64_t wall_ns = eph_clock_ns(CLOCK_MONOTONIC);
    if (wall_ns - load->wall_ns < LEAST_NS)
        return load->high;
    uint64_t cpu_ns = eph_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    load->high = 2 * (cpu_ns - load->cpu_ns) >= wall_ns - load->wall_ns;
    load->wall_ns = wall_ns;
    load->cpu_ns = cpu_ns;
    return load->high;
}
