// SPDX-License-Identifier: Apache-2.0
// The report while it grows: a JSON document whose schema bench/README.md describes. Everything measured goes straight
// in, so an interrupted run loses only the slice under way.
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "settings.h"
#include "stats.h"

#include <jansson.h>

#define REPORT_SCHEMA "ephemera-bench"
enum { REPORT_VERSION = 1 };

// Every row says what kind of truth it is; a table holds one kind only.
#define CLASS_MEASURED  "MEASURED"  // host CPU and wall time
#define CLASS_SIMULATED "SIMULATED" // functional: says nothing about the speed of hardware
#define CLASS_PROJECTED "PROJECTED" // clock / cycles, inputs beside it
#define CLASS_PREDICTED "PREDICTED" // arithmetic on MEASURED rows and stated host costs

// What the names of checks begin with.
#define CHECK_AMDAHL     "Amdahl"
#define CHECK_NOT_SLOWER "not slower"

json_t *report_new(const struct settings *settings);
void report_add(json_t *report, const char *section, json_t *row);                // steals row
void report_skip(json_t *report, const char *what, const char *reason);           // once for the same pair
void report_failure(json_t *report, const char *what, const char *reason);        // a real failure: exit code 1
void report_check(json_t *report, const char *what, bool good, const char *text); // a built-in plausibility check
size_t report_count(const json_t *report, const char *section);
const json_t *report_find(const json_t *report, const char *section, const char *key,
                          const char *value);        // first such row or NULL
bool report_write(json_t *report, const char *path); // false: a message is on stderr
json_t *report_load(const char *path);               // NULL: a message is on stderr

json_t *report_series(const struct series *series);          // {median, min, max, values}
json_t *report_percentiles(struct samples *samples);         // {p50, p99, p999, count}
double report_number(const json_t *row, const char *key);    // 0 when absent
double report_median(const json_t *row, const char *key);    // of a series; 0 when absent
const char *report_text(const json_t *row, const char *key); // "" when absent

#endif
