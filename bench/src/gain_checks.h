// SPDX-License-Identifier: Apache-2.0
// What every gain is checked against, in both directions: never and auto promise not to cost anything, whatever the
// device does; and no gain may exceed what Amdahl's law allows, or the measurement is wrong.
#ifndef BENCH_GAIN_CHECKS_H
#define BENCH_GAIN_CHECKS_H

#include <jansson.h>
#include <stdbool.h>

// Variants that may not be slower than stock.
bool gain_checks_promise(const char *variant);

// Both add a check for each row, at the end of a run, since the tolerance is the A/A spread of the row, and at least
// the median A/A spread of the whole run: among hundreds of comparisons some have a spread that is small by luck.

// With stock OpenSSL in the same mode, and of asynchronous servers also with synchronous stock, unless SSL_MODE_ASYNC
// alone makes stock slower.
void gain_checks_not_slower(json_t *report);
// The limit itself is known no better than the two halves of the A/A pair agree on the ECDHE share.
void gain_checks_amdahl(json_t *report);

#endif
