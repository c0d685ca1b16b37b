// SPDX-License-Identifier: Apache-2.0
// Sums the statistics that processes left in a directory (ephemera/stats.h).
#ifndef EPH_COLLECT_H
#define EPH_COLLECT_H

#include <ephemera/stats.h>
#include <stdbool.h>

struct eph_collected {
    struct eph_stats_counters counters; // of all processes; the gauge is the worst of the living
    unsigned living;
    char device[256]; // of the youngest process seen, for messages
    char note[256];
};

// Sums every file of the directory. Files of dead processes are added to dead.eph and removed where permissions allow.
// False with errno set when the directory can not be read.
bool eph_collect(const char *directory, struct eph_collected *collected);

#endif
