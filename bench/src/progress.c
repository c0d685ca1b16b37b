// SPDX-License-Identifier: Apache-2.0
#include "progress.h"

#include "clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR = 30 };
static const uint64_t TERMINAL_NS = 200000000u, LOG_NS = 20000000000u; // between two updates

static double planned, done;
static uint64_t begin_ns, shown_ns;

void progress_plan(double seconds)
{
    planned += seconds;
}
void progress_done(double seconds)
{
    done += seconds;
}

static void format_left(char *text, size_t size, double elapsed)
{
    if (done <= 0 || elapsed < 2) {
        snprintf(text, size, "estimating");
        return;
    }
    unsigned left = (unsigned)((planned > done ? planned - done : 0) * elapsed / done + 0.5);
    if (left >= 60)
        snprintf(text, size, "%u min %02u s left", left / 60, left % 60);
    else
        snprintf(text, size, "%u s left", left);
}

void progress_show(const char *what)
{
    char left[64], bar[BAR + 1];
    uint64_t now_ns = clock_wall_ns();
    int terminal = isatty(STDERR_FILENO);
    if (begin_ns == 0)
        begin_ns = shown_ns = now_ns;
    if (now_ns - shown_ns < (terminal ? TERMINAL_NS : LOG_NS))
        return;
    shown_ns = now_ns;
    double share = planned > 0 ? done / planned : 0;
    int filled = share >= 1 ? BAR : (int)(share * BAR);
    format_left(left, sizeof(left), (double)(now_ns - begin_ns) / 1e9);
    memset(bar, '.', BAR);
    memset(bar, '#', (size_t)filled);
    bar[BAR] = '\0';
    if (terminal)
        fprintf(stderr, "\r[%s] %3.0f %%  %-20s %-40.40s", bar, share * 100, left, what);
    else
        fprintf(stderr, "%3.0f %%, %s: %s\n", share * 100, left, what);
}

void progress_end(void)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%100s\r", "");
}
