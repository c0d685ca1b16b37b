// SPDX-License-Identifier: Apache-2.0
// never and auto promise not to cost anything, whatever the device does.
#ifndef BENCH_NOT_SLOWER_H
#define BENCH_NOT_SLOWER_H

#include <jansson.h>

// Adds a check for each comparison: with stock OpenSSL in the same mode, and of asynchronous servers also with
// synchronous stock, unless SSL_MODE_ASYNC alone makes stock slower. At the end of a run, since the tolerance is the
// A/A spread of the row, and at least the median A/A spread of the whole run: among hundreds of comparisons some have a
// spread that is small by luck.
void not_slower_check(json_t *report);

#endif
