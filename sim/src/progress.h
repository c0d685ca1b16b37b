// SPDX-License-Identifier: Apache-2.0
// A progress line on the terminal while a long simulation runs. Silent when stderr is not a terminal.
#ifndef EPH_SIM_PROGRESS_H
#define EPH_SIM_PROGRESS_H

#include "device.h"

struct eph_progress {
    const struct eph_device *device; // borrowed
    bool terminal, shown, busy;
    uint64_t since_ns, last_ns; // start of this busy period, last display
    uint64_t since_cycles;
};

void eph_progress_init(struct eph_progress *progress, const struct eph_device *device);
void eph_progress_update(void *progress, bool busy); // an eph_server_on_slice callback

#endif
