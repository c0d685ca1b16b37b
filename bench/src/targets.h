// SPDX-License-Identifier: Apache-2.0
// What this product promises about a server's CPU, judged on the rows of a report. One row a promise in its section
// "targets": {target, what, good (absent when it could not be judged), outcome, text}.
#ifndef BENCH_TARGETS_H
#define BENCH_TARGETS_H

#include <jansson.h>
#include <stdbool.h>

void targets_judge(json_t *report);
// All that apply were measured and hold.
bool targets_hold(const json_t *report);

#endif
