// SPDX-License-Identifier: Apache-2.0
// Who really computed? The provider's own counters, so that a variant that quietly fell back to software is found out.
#ifndef BENCH_SERVED_H
#define BENCH_SERVED_H

#include <jansson.h>
#include <stdbool.h>

struct served {
    json_t *operations; // {"device": n, "software": n, "pool": n}; owned
    json_t *fallbacks;  // {cause: n}, causes that occurred only; owned
    double device, fallback_count;
};

// Sums the statistics files of a directory (driver/include/ephemera/stats.h). False when there is none that can be
// read.
bool served_read(const char *directory, struct served *served);

// Removes the directory and the statistics files in it.
void served_remove(const char *directory);

#endif
