// SPDX-License-Identifier: Apache-2.0
// The behaviours of the queue bench: each takes a fresh rig and throws Failure at the first thing that is wrong.
#pragma once
#include "queue_host.h"

namespace eph
{

struct Behaviour {
    const char *name;
    void (*run)(QueueRig &rig);
};
extern const Behaviour kTraffic[], kControl[], kFaults[]; // each ends with a null name

constexpr unsigned kQueues = EPH_BENCH_QUEUES, kEngines = EPH_BENCH_ENGINES, kContexts = EPH_BENCH_CONTEXTS;
constexpr unsigned kWatchdog = EPH_BENCH_WATCHDOG;

} // namespace eph
