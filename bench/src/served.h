// SPDX-License-Identifier: Apache-2.0
// Who really computed? The provider's own counters, so that a variant that quietly fell back to software is found out.
#ifndef BENCH_SERVED_H
#define BENCH_SERVED_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct served {
    json_t *operations; // {"device": n, "software": n, "pool": n}; owned
    json_t *fallbacks;  // {cause: n}, causes that occurred only; owned
    double device, fallback_count;
};

// The counts alone, to be taken before and after a slice.
struct served_counts {
    uint64_t device, software, pool;
    uint64_t device_keygens; // of device; the others are derives. The pool holds keygens only
};
struct served_counts served_counts(const char *directory); // zero when there is nothing to read
void served_add(struct served_counts *sum, const struct served_counts *before, const struct served_counts *after);
// "device", "pool", "software", "stock OpenSSL" when our provider had nothing to do with it, else "mixed".
const char *served_by(const struct served_counts *counts);

// Sums the statistics files of a directory (driver/include/ephemera/stats.h). False when there is none that can be
// read.
bool served_read(const char *directory, struct served *served);

// Removes the directory and the statistics files in it.
void served_remove(const char *directory);

#endif
