// SPDX-License-Identifier: Apache-2.0
// The short answer on a terminal.
#ifndef BENCH_TEXT_H
#define BENCH_TEXT_H

#include <jansson.h>

void text_print(const json_t *report);

#endif
