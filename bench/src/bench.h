// SPDX-License-Identifier: Apache-2.0
// What all parts of one run share, and the parts.
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "credentials.h"
#include "report.h"
#include "settings.h"
#include "suites.h"
#include "variants.h"

struct bench {
    const struct settings *settings; // borrowed
    json_t *report;                  // owned
    struct credentials credentials;
    struct devices devices;
    unsigned device_groups; // bit i: the fast device computes for suite_groups[i]
    struct variant variants[VARIANT_COUNT];
    OSSL_LIB_CTX *client_libctx; // owned; stock, not the servers'
};

// Each writes its rows into the report and returns; stop_requested() ends them early.
void device_starts(struct bench *bench); // devices, then variants, then the dead device dies
bool device_serves(const struct bench *bench, const struct group *group); // the fast one does
void handshakes_plan(const struct bench *bench); // tells the progress line how long it will take
void handshakes_measure(struct bench *bench);
void operations_plan(const struct bench *bench);
void operations_measure(struct bench *bench);
void variants_report(struct bench *bench);  // who served their operations, and whether that is what they are called
void predictions_make(struct bench *bench); // from the suites measured
void cycles_count(struct bench *bench);     // in RTL simulation
void projections_make(struct bench *bench); // from the cycles and the operations measured

#endif
