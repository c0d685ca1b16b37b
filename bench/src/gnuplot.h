// SPDX-License-Identifier: Apache-2.0
#ifndef BENCH_GNUPLOT_H
#define BENCH_GNUPLOT_H

#include <stdbool.h>
#include <stdio.h>

// Runs gnuplot on a script and copies the SVG that it prints into page. False when gnuplot is missing or failed.
bool gnuplot_svg(const char *script, FILE *page);
bool gnuplot_present(void);

#endif
