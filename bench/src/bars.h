// SPDX-License-Identifier: Apache-2.0
// Horizontal bars as inline SVG, drawn by this program: what a page needs most works without gnuplot.
#ifndef BENCH_BARS_H
#define BENCH_BARS_H

#include <stddef.h>
#include <stdio.h>

struct bars {
    FILE *page;     // borrowed
    double maximum; // value at the right end
    double y;       // where the next row begins
    int decimals;   // of the figure beside a bar
};

// A picture of rows bars, each with one line of text (notes: and a second, smaller one).
void bars_open(struct bars *bars, FILE *page, double maximum, size_t rows, int notes, int decimals);
// names: what the colours of the segments mean, in order.
void bars_legend(struct bars *bars, const char *const *names, size_t count);
// One bar of count segments from colour first on; their sum stands beside it, and then remark. note, remark: or NULL.
struct bar {
    const char *label, *note, *remark;
    const double *values;
    size_t count, first;
};
void bars_row(struct bars *bars, const struct bar *bar);
void bars_close(struct bars *bars);

// Text with the characters that HTML and SVG reserve written out.
void put_text(FILE *page, const char *text);

#endif
