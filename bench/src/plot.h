// SPDX-License-Identifier: Apache-2.0
// SVG pictures by gnuplot, which is started when needed and fed through pipes.
#ifndef BENCH_PLOT_H
#define BENCH_PLOT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

bool plot_available(void); // gnuplot is installed

// Each writes one <figure> into page, or nothing when the report has no rows for it.
void plot_throughput(FILE *page, const json_t *report); // against concurrency
void plot_latency(FILE *page, const json_t *report);    // percentiles against concurrency and utilisation
void plot_phases(FILE *page, const json_t *report);     // CPU per handshake, stacked
void plot_records(FILE *page, const json_t *report);    // projections and published records

#endif
