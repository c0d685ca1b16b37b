// SPDX-License-Identifier: Apache-2.0
// What a reader must know about the machine to judge a figure.
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include <jansson.h>

// CPU model, flags that decide big-number speed, number of CPUs, kernel, virtual or not, OpenSSL, load averages now.
// New reference.
json_t *machine_describe(void);
double machine_load(void); // 1-minute load average, -1 when unknown

#endif
