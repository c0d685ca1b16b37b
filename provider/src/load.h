// SPDX-License-Identifier: Apache-2.0
// Is the application short of CPU time? Not thread-safe: one user each.
#ifndef EPH_LOAD_H
#define EPH_LOAD_H

#include <stdbool.h>
#include <stdint.h>

struct eph_load {
    uint64_t wall_ns, cpu_ns; // of the last measurement; CPU of the process
    bool high;
};

void eph_load_init(struct eph_load *load);
// True when this process's threads used at least half a core since the last measurement. Called again within a quarter
// of a millisecond, it answers as before.
bool eph_load_is_high(struct eph_load *load);

#endif
