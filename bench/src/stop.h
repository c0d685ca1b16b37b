// SPDX-License-Identifier: Apache-2.0
// SIGINT and SIGTERM end the measuring, not the program: what was measured is still reported.
#ifndef BENCH_STOP_H
#define BENCH_STOP_H

#include <stdbool.h>

void stop_on_signals(void); // a second signal ends the program at once
bool stop_requested(void);

#endif
