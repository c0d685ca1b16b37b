// SPDX-License-Identifier: Apache-2.0
// One self-contained page: tables, one kind of truth each, and plots (SVG by gnuplot, inline). No script, no network.
#ifndef BENCH_HTML_H
#define BENCH_HTML_H

#include <jansson.h>
#include <stdbool.h>

bool html_write(const json_t *report, const char *path); // false: a message is on stderr

#endif
