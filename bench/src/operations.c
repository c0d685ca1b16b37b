// SPDX-License-Identifier: Apache-2.0
// Which operations are measured on which back ends. The back ends of one curve and operation take turns within each
// round.
#include "bench.h"

#include "clock.h"

#include "operation.h"
#include "progress.h"
#include "served.h"
#include "stop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const operation_names[OPERATION_COUNT] = {"keygen", "derive"};

enum { CASES_MAX = 48 };

struct case_run {
    const struct operation_backend *backend;
    const void *where; // borrowed: what backend->open asks for
    const char *api, *name, *class_name;
    const char *device; // borrowed: label, or NULL
    unsigned in_flight;
    bool job;               // inside ASYNC_JOBs
    const char *statistics; // borrowed: folder of our provider's, or NULL
    struct served_counts served;
    void *state; // owned, by the backend
    struct series per_second, cpu_us;
    struct series helper_us; // of cpu_us: threads other than the caller's
    struct samples latency_us;
    uint64_t done, pauses;
};

struct case_list {
    struct case_run cases[CASES_MAX];
    size_t count;
};

// 63: a full queue of the device. Beyond, our provider computes in software what finds no room.
static const unsigned full_flights[] = {1, 8, 63, 256}, few_flights[] = {1, 63}, quick_flights[] = {1, 8, 63};
static const struct driver_backend_row {
    const char *name;
    bool events;
    unsigned in_flight;
} driver_rows[] = {{"driver, polled", false, 1}, {"driver, polled", false, 8}, {"driver, polled", false, 63},
                   {"driver, eventfd", true, 1}, {"driver, eventfd", true, 8}, {"driver, eventfd", true, 63}};

// The back ends that go through EVP: which configuration stands for which column of the report.
static const struct evp_row {
    const char *name;
    enum variant_id variant;
} evp_rows[] = {
    {"default", VARIANT_PLAIN}, {"software", VARIANT_NEVER}, {"pool", VARIANT_AUTO}, {"device", VARIANT_ALWAYS}};

static void add_case(struct case_list *list, struct case_run run)
{
    if (list->count < CASES_MAX)
        list->cases[list->count++] = run;
}

static const struct device *fast_device(const struct bench *bench)
{
    return &bench->devices.list[DEVICE_FAST];
}

// How many at a time: many numbers only where the device takes part.
static size_t list_flights(const struct bench *bench, const struct group *group, const unsigned **flights)
{
    *flights = full_flights;
    if (bench->settings->command == COMMAND_PROJECT)
        return 1; // only the software that a projection is compared with
    if (!device_serves(bench, group)) {
        *flights = few_flights;
        return bench->settings->quick ? 1 : sizeof(few_flights) / sizeof(few_flights[0]);
    }
    if (bench->settings->quick) {
        *flights = quick_flights;
        return sizeof(quick_flights) / sizeof(quick_flights[0]);
    }
    return sizeof(full_flights) / sizeof(full_flights[0]);
}

// libcrypto with one configuration.
static void list_evp(struct case_list *list, const struct bench *bench, const struct group *group,
                     const struct evp_row *row)
{
    const struct variant *variant = &bench->variants[row->variant];
    const unsigned *flights;
    size_t count = list_flights(bench, group, &flights);
    struct case_run run = {.backend = &evp_backend,
                           .where = variant->libctx,
                           .api = "EVP",
                           .name = row->name,
                           .statistics = variant->folder[0] ? variant->folder : NULL,
                           .class_name = CLASS_MEASURED};
    if (variant->device && fast_device(bench)->uri[0])
        run.device = fast_device(bench)->label;
    for (size_t f = 0; f < count; f++) {
        run.in_flight = flights[f];
        run.job = run.in_flight > 1;
        add_case(list, run);
    }
    if (run.device) { // what a job costs that is alone
        run.in_flight = 1;
        run.job = true;
        run.backend = &evp_job_backend;
        add_case(list, run);
    }
}

static void list_driver(struct case_list *list, const struct bench *bench, struct driver_place places[2])
{
    const struct device *device = fast_device(bench);
    for (size_t row = 0; row < sizeof(driver_rows) / sizeof(driver_rows[0]); row++) {
        places[driver_rows[row].events] = (struct driver_place){device->uri, driver_rows[row].events};
        add_case(list, (struct case_run){.backend = &driver_backend,
                                         .where = &places[driver_rows[row].events],
                                         .api = "driver",
                                         .name = driver_rows[row].name,
                                         .class_name = device->embedded ? CLASS_SIMULATED : CLASS_MEASURED,
                                         .device = device->label,
                                         .in_flight = driver_rows[row].in_flight});
    }
}

// The back ends of one group. places: storage for the driver's, [polled, eventfd].
static void list_cases(struct case_list *list, const struct bench *bench, const struct group *group,
                       struct driver_place places[2])
{
    // a projection needs the software that it is compared with, nothing else
    bool software_only = bench->settings->command == COMMAND_PROJECT, served = device_serves(bench, group);
    memset(list, 0, sizeof(*list));
    for (size_t row = 0; row < sizeof(evp_rows) / sizeof(evp_rows[0]); row++) {
        const struct variant *variant = &bench->variants[evp_rows[row].variant];
        if (!variant->libctx || (row > 0 && software_only) || (variant->device && !served))
            continue; // skipped with its reason where the variants are
        list_evp(list, bench, group, &evp_rows[row]);
    }
    add_case(list, (struct case_run){.backend = &crypto_mb_backend,
                                     .api = "crypto_mb",
                                     .name = "crypto_mb",
                                     .class_name = CLASS_MEASURED,
                                     .in_flight = 8});
    if (!software_only && (served || fast_device(bench)->embedded || fast_device(bench)->user))
        list_driver(list, bench, places);
}

static bool group_wanted(const struct settings *settings, const struct group *group)
{
    if (group->kind == GROUP_HYBRID)
        return false; // not a keygen and a derive; its halves are rows of their own
    return !settings->quick || strcmp(group->name, "X25519") == 0 || strcmp(group->name, "P-256") == 0 ||
           strcmp(group->name, "P-384") == 0;
}

static double slice_seconds(const struct settings *settings)
{
    return settings->slice_seconds / 2;
}

void operations_plan(const struct bench *bench)
{
    struct case_list list;
    struct driver_place places[2];
    size_t cases = 0;
    for (size_t g = 0; g < suite_group_count; g++)
        if (group_wanted(bench->settings, &suite_groups[g])) {
            list_cases(&list, bench, &suite_groups[g], places);
            cases += list.count * OPERATION_COUNT;
        }
    progress_plan((double)cases * bench->settings->rounds * slice_seconds(bench->settings));
}

static void open_cases(struct case_list *list, struct bench *bench, const struct group *group, enum operation operation)
{
    char what[128], reason[200];
    for (size_t i = 0; i < list->count; i++) {
        struct case_run *run = &list->cases[i];
        run->state = run->backend->open(run->where, group, operation, run->in_flight, reason);
        if (run->state)
            continue;
        if (run->backend == &crypto_mb_backend)
            snprintf(what, sizeof(what), "crypto_mb");
        else if (run->backend == &driver_backend)
            snprintf(what, sizeof(what), "%s, driver API", group->name);
        else
            snprintf(what, sizeof(what), "%s %s, %s, %u in flight", group->name, operation_names[operation], run->name,
                     run->in_flight);
        report_skip(bench->report, what, reason);
    }
}

static void run_slice(struct case_run *run, struct bench *bench, const struct group *group, enum operation operation)
{
    struct operation_slice slice = {.latency_us = run->latency_us};
    struct served_counts before = run->statistics ? served_counts(run->statistics) : (struct served_counts){0};
    uint64_t others_ns = clock_process_ns() - clock_thread_ns();
    bool good = run->backend->run(run->state, slice_seconds(bench->settings), &slice);
    uint64_t others_end_ns = clock_process_ns() - clock_thread_ns();
    if (run->statistics) {
        struct served_counts after = served_counts(run->statistics);
        served_add(&run->served, &before, &after);
    }
    run->latency_us = slice.latency_us;
    run->done += slice.done;
    run->pauses += slice.pauses;
    if (!good) {
        char what[128];
        snprintf(what, sizeof(what), "%s %s, %s, %u in flight", group->name, operation_names[operation], run->name,
                 run->in_flight);
        report_failure(bench->report, what, slice.failure);
        run->backend->close(run->state);
        run->state = NULL;
    } else if (slice.done > 0 && !stop_requested()) {
        series_add(&run->cpu_us, (double)slice.cpu_ns / 1e3 / (double)slice.done);
        double helper_ns = others_end_ns > others_ns ? (double)(others_end_ns - others_ns) : 0;
        series_add(&run->helper_us, helper_ns / 1e3 / (double)slice.done);
        series_add(&run->per_second, (double)slice.done * 1e9 / (double)slice.wall_ns);
    }
}

static void report_case(struct case_run *run, struct bench *bench, const struct group *group, enum operation operation)
{
    if (run->cpu_us.count == 0)
        return;
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:o, s:o, s:o}", "class", run->class_name, "api", run->api,
                            "curve", group->name, "operation", operation_names[operation], "backend", run->name,
                            "in_flight", (int)run->in_flight, "per_second", report_series(&run->per_second), "cpu_us",
                            report_series(&run->cpu_us), "latency_us", report_percentiles(&run->latency_us));
    json_object_set_new(row, "helper_cpu_us", json_real(series_summary(&run->helper_us).median));
    if (run->statistics)
        json_object_set_new(row, "served_by", json_string(served_by(&run->served)));
    if (run->device)
        json_object_set_new(row, "device", json_string(run->device));
    if (run->job) {
        json_object_set_new(row, "calls", json_string("ASYNC_JOB"));
        json_object_set_new(row, "pauses", json_real((double)run->pauses / (double)run->done));
    }
    report_add(bench->report, "operations", row);
}

static void measure_one(struct bench *bench, const struct group *group, enum operation operation)
{
    struct case_list list;
    struct driver_place places[2];
    char what[64];
    snprintf(what, sizeof(what), "%s %s", group->name, operation_names[operation]);
    list_cases(&list, bench, group, places);
    open_cases(&list, bench, group, operation);
    for (unsigned round = 0; round < bench->settings->rounds; round++)
        for (size_t turn = 0; turn < list.count && !stop_requested(); turn++) {
            struct case_run *run = &list.cases[(turn + round) % list.count];
            progress_show(what);
            if (run->state)
                run_slice(run, bench, group, operation);
            progress_done(slice_seconds(bench->settings));
        }
    for (size_t i = 0; i < list.count; i++) {
        report_case(&list.cases[i], bench, group, operation);
        list.cases[i].backend->close(list.cases[i].state);
        samples_fini(&list.cases[i].latency_us);
    }
}

void operations_measure(struct bench *bench)
{
    if (!fast_device(bench)->uri[0] && bench->settings->command != COMMAND_PROJECT)
        report_skip(bench->report, "operations: pool, device, driver", fast_device(bench)->skipped);
    for (size_t g = 0; g < suite_group_count; g++)
        for (int operation = 0; operation < OPERATION_COUNT && !stop_requested(); operation++)
            if (group_wanted(bench->settings, &suite_groups[g]))
                measure_one(bench, &suite_groups[g], operation);
}
