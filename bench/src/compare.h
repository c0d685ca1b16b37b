// SPDX-License-Identifier: Apache-2.0
#ifndef BENCH_COMPARE_H
#define BENCH_COMPARE_H

// Prints, row by row, what became faster or slower from report a to report b, and whether the difference is larger than
// what each run's own A/A pair shows. Exit code: 0, or 2 when a file is no report.
int compare_reports(const char *path_a, const char *path_b);

#endif
