// SPDX-License-Identifier: Apache-2.0
// One line on stderr while the bench runs: a bar with the time left on a terminal, else a line now and then.
#ifndef BENCH_PROGRESS_H
#define BENCH_PROGRESS_H

void progress_plan(double seconds); // adds planned measuring time
void progress_done(double seconds); // planned time that is over, measured or skipped
void progress_show(const char *what);
void progress_end(void); // clears the line

#endif
