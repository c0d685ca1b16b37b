// SPDX-License-Identifier: Apache-2.0
// One suite, one kind of handshake (full or resumed): its points while they are measured, and what is concluded from
// them.
#ifndef BENCH_SUITE_RUN_H
#define BENCH_SUITE_RUN_H

#include "bench.h"
#include "handshake.h"
#include "plan.h"
#include "served.h"

// One variant under one load: one value a round.
struct point {
    struct series server_us, helper_us, client_us, per_second;
    struct samples latency_us;
    uint64_t pauses, handshakes;
    struct served_counts served; // ECDHE operations of our provider
    // from slices of their own, in which the phases were timed
    struct series probed_us, phase_us[PHASE_COUNT];
};

struct suite_run {
    const struct suite *suite;
    bool resumed;
    struct tls_pair pairs[VARIANT_COUNT];
    bool runs[VARIANT_COUNT];
    enum depth depth;
    bool served; // the device computes for this suite's group
    struct load_kind loads[LOAD_MAX];
    size_t load_count;
    struct point points[VARIANT_COUNT][LOAD_MAX];
    char what[160]; // for the progress line
};

// Does a variant that may not be slower than stock look slower under this closed loop?
bool suite_run_looks_slow(const struct suite_run *run, const struct bench *bench, int v, size_t l);

// Writes the rows and the suite's summary.
void suite_run_report(struct suite_run *run, struct bench *bench);

#endif
