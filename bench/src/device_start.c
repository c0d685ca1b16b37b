// SPDX-License-Identifier: Apache-2.0
// Devices and variants at the beginning of a run.
#include "bench.h"

#include "operation.h"
#include "served.h"

#include <stdio.h>
#include <string.h>

enum { FIRST_JOBS = 8 };
static const double FIRST_SECONDS = 0.05; // of operations before a device dies

// Keys and secrets by our provider as an asynchronous server would ask for them: its process is attached then and has
// seen the device work.
static bool first_operations(const struct variant *variant)
{
    char reason[200];
    const struct group *group = suite_group("X25519");
    for (int operation = 0; operation < OPERATION_COUNT; operation++) {
        struct operation_slice slice = {0};
        void *state = evp_backend.open(variant->libctx, group, operation, FIRST_JOBS, reason);
        if (state)
            evp_backend.run(state, FIRST_SECONDS, &slice);
        samples_fini(&slice.latency_us);
        evp_backend.close(state);
    }
    struct served_counts counts = served_counts(variant->folder);
    return counts.device + counts.pool > 0;
}

static void kill_device(struct bench *bench)
{
    for (int v = 0; v < VARIANT_COUNT; v++) {
        const struct variant *variant = &bench->variants[v];
        if (variant->device == DEVICE_DEAD && variant->libctx)
            report_check(bench->report, variant->name, first_operations(variant),
                         "the device served this variant before it hung");
    }
    devices_hang(&bench->devices.list[DEVICE_DEAD]);
}

static void ask_groups(struct bench *bench)
{
    const struct device *fast = &bench->devices.list[DEVICE_FAST];
    if (!fast->uri[0] || fast->embedded)
        return;
    for (size_t g = 0; g < suite_group_count; g++)
        if (suite_groups[g].kind == GROUP_ECDHE && driver_serves(fast->uri, &suite_groups[g]))
            bench->device_groups |= 1u << g;
    // one that answers nothing is measured all the same: the rows will say that software served
    if (bench->device_groups == 0)
        bench->device_groups = 1u << (suite_group("X25519") - suite_groups);
}

void device_starts(struct bench *bench)
{
    const struct settings *settings = bench->settings;
    struct device_wishes wishes = {.uri = settings->device, .none = settings->no_device};
    if (settings_handshakes(settings))
        variants_devices(settings->variants, wishes.wanted);
    else if (settings->command == COMMAND_OPS)
        wishes.wanted[DEVICE_FAST] = true;
    devices_open(&bench->devices, &wishes);
    variants_open(bench->variants, settings->variants, &bench->devices, settings->module);
    for (int id = DEVICE_FAST; id < DEVICE_COUNT; id++)
        if (wishes.wanted[id] && bench->devices.list[id].skipped[0])
            report_skip(bench->report, bench->devices.list[id].name, bench->devices.list[id].skipped);
    for (int v = 0; v < VARIANT_COUNT; v++)
        if (bench->variants[v].broken)
            report_failure(bench->report, bench->variants[v].name, bench->variants[v].skipped);
    kill_device(bench);
    ask_groups(bench);
}

bool device_serves(const struct bench *bench, const struct group *group)
{
    return bench->device_groups & 1u << (group - suite_groups);
}
