// SPDX-License-Identifier: Apache-2.0
#include "progress.h"
#include "clock.h"

#include <stdio.h>
#include <unistd.h>

enum { FIRST_DISPLAY_NS = 500000000, REFRESH_NS = 250000000 };

void eph_progress_init(struct eph_progress *progress, const struct eph_device *device)
{
    *progress = (struct eph_progress){.device = device, .terminal = isatty(STDERR_FILENO)};
}

static void show(struct eph_progress *progress, uint64_t now)
{
    uint64_t cycles = progress->device->backend->cycles(progress->device->instance) - progress->since_cycles;
    double seconds = (double)(now - progress->since_ns) / 1e9;
    (void)fprintf(stderr, "\rSIMULATED device at work: %.1f s, %.2f M cycles, %.0f k cycles/s, %llu completions \033[K",
                  seconds, (double)cycles / 1e6, (double)cycles / seconds / 1e3,
                  (unsigned long long)progress->device->stats.completions);
    progress->shown = true;
    progress->last_ns = now;
}

void eph_progress_update(void *context, bool busy)
{
    struct eph_progress *progress = context;
    if (!progress->terminal)
        return;
    if (!busy) {
        if (progress->shown)
            (void)fprintf(stderr, "\r\033[K");
        progress->shown = progress->busy = false;
        return;
    }
    uint64_t now = eph_clock_ns();
    if (!progress->busy) {
        progress->busy = true;
        progress->since_ns = progress->last_ns = now;
        progress->since_cycles = progress->device->backend->cycles(progress->device->instance);
    }
    if (now - progress->since_ns >= FIRST_DISPLAY_NS && now - progress->last_ns >= REFRESH_NS)
        show(progress, now);
}
