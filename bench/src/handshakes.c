// SPDX-License-Identifier: Apache-2.0
// Which handshakes are measured, in which order. Within a round the variants take turns, and each round starts with
// another one, so that neither a slow change of the machine nor a fixed position favours any.
#include "bench.h"

#include "progress.h"
#include "stop.h"
#include "suite_run.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What --quick measures when no suites are named: the usual choice, and one of each kind that behaves otherwise.
static const char quick_suites[] =
    "TLS1.3/X25519/ECDSA-P256,TLS1.3/X25519/RSA-2048,TLS1.3/P-256/ECDSA-P256,TLS1.3/P-384/ECDSA-P256,"
    "TLS1.3/X25519MLKEM768/ECDSA-P256,TLS1.2/X25519/ECDSA-P256";

static const char *wanted_suites(const struct settings *settings)
{
    return settings->suites ? settings->suites : settings->quick ? quick_suites : NULL;
}

static bool suite_wanted(const struct suite *suite, const char *list)
{
    char pattern[96];
    if (!list)
        return true;
    for (; list; list = list[strcspn(list, ",")] ? list + strcspn(list, ",") + 1 : NULL) {
        snprintf(pattern, sizeof(pattern), "%.*s", (int)strcspn(list, ","), list);
        if (pattern[0] && suite_matches(suite, pattern))
            return true;
    }
    return false;
}

static void skip_unknown_suites(struct bench *bench, const struct suite *suites, size_t count)
{
    char pattern[96];
    for (const char *list = bench->settings->suites; list;
         list = list[strcspn(list, ",")] ? list + strcspn(list, ",") + 1 : NULL) {
        bool known = false;
        snprintf(pattern, sizeof(pattern), "%.*s", (int)strcspn(list, ","), list);
        for (size_t i = 0; i < count && !known; i++)
            known = suite_matches(&suites[i], pattern);
        if (!known)
            report_skip(bench->report, pattern, "unknown suite");
    }
}

// A variant that the imitated device can not help: its key exchange is not keygen + derive.
static const char *variant_unsuitable(const struct variant *variant, const struct suite *suite)
{
    return variant->ideal && suite->group->kind == GROUP_HYBRID
               ? "a hybrid's ECDHE half cannot be imitated from outside"
               : NULL;
}

// The suite's device, a hybrid's being that of its ECDHE half.
static bool suite_served(const struct bench *bench, const struct suite *suite)
{
    const struct group *group = suite->group;
    return device_serves(bench, group->classical ? suite_group(group->classical) : group);
}

static double planned_seconds(const struct bench *bench, const struct suite *suite, enum depth depth)
{
    const struct settings *settings = bench->settings;
    struct load_kind loads[LOAD_MAX];
    size_t slices = 0, count = plan_loads(depth, suite, settings->in_flight, loads);
    for (int v = 0; v < VARIANT_COUNT; v++)
        for (size_t l = 0; l < count; l++)
            if (bench->variants[v].libctx && plan_has(v, suite, depth, &loads[l], suite_served(bench, suite)))
                slices += 1 + plan_phases(v, depth, &loads[l]);
    return (double)slices * settings->rounds * settings->slice_seconds;
}

void handshakes_plan(const struct bench *bench)
{
    struct suite suites[SUITE_MAX];
    size_t count = suite_list(suites);
    for (size_t i = 0; i < count; i++) {
        if (!suite_wanted(&suites[i], wanted_suites(bench->settings)) || suite_impossible(&suites[i]))
            continue;
        progress_plan(planned_seconds(bench, &suites[i], plan_depth(bench->settings, &suites[i])));
        if (!bench->settings->quick)
            progress_plan(planned_seconds(bench, &suites[i], DEPTH_RESUMED));
    }
}

// Opens and tries every variant of the suite. False when not even stock OpenSSL can do it.
static bool open_pairs(struct suite_run *run, struct bench *bench)
{
    char what[160], reason[256];
    for (int v = 0; v < VARIANT_COUNT; v++) {
        struct variant *variant = &bench->variants[v];
        const char *problem = variant_unsuitable(variant, run->suite);
        bool has = false;
        for (size_t l = 0; l < run->load_count; l++)
            has |= plan_has(v, run->suite, run->depth, &run->loads[l], run->served);
        if (!variant->libctx || !has)
            continue;
        if (!problem) {
            problem = tls_pair_open(&run->pairs[v], run->suite, &bench->credentials, variant->libctx,
                                    bench->client_libctx, variant->async, reason);
            if (problem && v == VARIANT_PLAIN) {
                report_skip(bench->report, run->suite->name, problem);
                return false;
            }
            if (!problem && (problem = handshake_prime(&run->pairs[v], run->suite, run->resumed, reason))) {
                snprintf(what, sizeof(what), "%s, %s", run->suite->name, variant->name);
                report_failure(bench->report, what, problem);
                continue;
            }
        }
        if (problem) {
            snprintf(what, sizeof(what), "%s, %s", run->suite->name, variant->name);
            report_skip(bench->report, what, problem);
            continue;
        }
        run->pairs[v].is_ideal = variant->ideal;
        run->pairs[v].callback = variant->callback;
        run->runs[v] = true;
    }
    return run->runs[VARIANT_PLAIN];
}

static void keep_phases(struct point *point, const struct handshake_result *result)
{
    double done = (double)result->done * 1e3;
    series_add(&point->probed_us, (double)result->server_cpu_ns / done);
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        series_add(&point->phase_us[phase], (double)result->probe.cpu_ns[phase] / done);
}

static void keep(struct point *point, const struct handshake_result *result)
{
    double done = (double)result->done * 1e3;
    series_add(&point->server_us, (double)result->server_cpu_ns / done);
    series_add(&point->helper_us, (double)result->helper_cpu_ns / done);
    series_add(&point->client_us, (double)result->client_cpu_ns / done);
    series_add(&point->per_second, (double)result->done * 1e9 / (double)result->wall_ns);
    point->pauses += result->pauses;
    point->handshakes += result->done;
}

// Handshakes a second that the closed loop with 64 in flight reached, client included.
static double capacity(const struct suite_run *run, int v)
{
    for (size_t l = 0; l < run->load_count; l++)
        if (run->loads[l].in_flight == 64)
            return series_summary(&run->points[v][l].per_second).median;
    return 0;
}

// One slice. A variant that fails is reported once and left out from then on.
static void slice(struct suite_run *run, struct bench *bench, int v, size_t l, unsigned round, bool phases)
{
    const struct load_kind *kind = &run->loads[l];
    struct point *point = &run->points[v][l];
    struct handshake_load load = {.in_flight = kind->in_flight,
                                  .seconds = bench->settings->slice_seconds,
                                  .resume = run->resumed,
                                  .phases = phases,
                                  .seed = 1000003u * (round + 1) + kind->utilisation_percent};
    if (kind->utilisation_percent)
        load.arrivals_per_second = capacity(run, v) * kind->utilisation_percent / 100;
    struct handshake_result result = {.latency_us = phases ? (struct samples){0} : point->latency_us};
    const char *statistics = bench->variants[v].folder;
    struct served_counts before = statistics[0] ? served_counts(statistics) : (struct served_counts){0};
    bool good = handshake_run(&run->pairs[v], &load, &result);
    if (statistics[0] && !phases) { // per handshake of point->handshakes
        struct served_counts after = served_counts(statistics);
        served_add(&point->served, &before, &after);
    }
    if (phases)
        samples_fini(&result.latency_us);
    else
        point->latency_us = result.latency_us;
    if (!good) {
        char what[160];
        snprintf(what, sizeof(what), "%s, %s, %u in flight", run->suite->name, bench->variants[v].name,
                 kind->in_flight);
        report_failure(bench->report, what, result.failure);
        run->runs[v] = false;
    } else if (result.done > 0 && !stop_requested()) {
        if (phases)
            keep_phases(point, &result);
        else
            keep(point, &result);
    }
}

static void measure(struct suite_run *run, struct bench *bench)
{
    char what[160];
    for (size_t l = 0; l < run->load_count; l++) {
        snprintf(what, sizeof(what), "%s, %s%u in flight", run->suite->name, run->resumed ? "resumed, " : "",
                 run->loads[l].in_flight);
        if (run->loads[l].utilisation_percent)
            snprintf(what, sizeof(what), "%s, arrivals at %u %%", run->suite->name, run->loads[l].utilisation_percent);
        for (unsigned round = 0; round < bench->settings->rounds; round++)
            for (int turn = 0; turn < VARIANT_COUNT && !stop_requested(); turn++) {
                int v = (turn + (int)round) % VARIANT_COUNT;
                if (!run->runs[v] || !plan_has(v, run->suite, run->depth, &run->loads[l], run->served))
                    continue;
                progress_show(what);
                slice(run, bench, v, l, round, false);
                if (run->runs[v] && plan_phases(v, run->depth, &run->loads[l]))
                    slice(run, bench, v, l, round, true);
            }
    }
}

static void run_suite(struct bench *bench, const struct suite *suite, enum depth depth)
{
    struct suite_run *run = calloc(1, sizeof(*run));
    if (!run)
        return;
    run->suite = suite;
    run->depth = depth;
    run->resumed = depth == DEPTH_RESUMED;
    run->served = suite_served(bench, suite);
    run->load_count = plan_loads(depth, suite, bench->settings->in_flight, run->loads);
    if (open_pairs(run, bench)) {
        measure(run, bench);
        suite_run_report(run, bench);
    }
    for (int v = 0; v < VARIANT_COUNT; v++) {
        tls_pair_close(&run->pairs[v]);
        for (size_t l = 0; l < run->load_count; l++)
            samples_fini(&run->points[v][l].latency_us);
    }
    free(run);
}

void handshakes_measure(struct bench *bench)
{
    struct suite suites[SUITE_MAX];
    size_t count = suite_list(suites);
    skip_unknown_suites(bench, suites, count);
    for (int v = 0; v < VARIANT_COUNT; v++)
        if (bench->variants[v].skipped[0] && !bench->variants[v].broken &&
            strcmp(bench->variants[v].skipped, "not asked for") != 0)
            report_skip(bench->report, bench->variants[v].name, bench->variants[v].skipped);
    for (size_t i = 0; i < count && !stop_requested(); i++) {
        const struct suite *suite = &suites[i];
        if (!suite_wanted(suite, wanted_suites(bench->settings)))
            continue;
        if (suite_impossible(suite)) {
            report_skip(bench->report, suite->name, suite_impossible(suite));
            continue;
        }
        enum depth depth = plan_depth(bench->settings, suite);
        run_suite(bench, suite, depth);
        progress_done(planned_seconds(bench, suite, depth));
        if (depth == DEPTH_QUICK || stop_requested())
            continue;
        run_suite(bench, suite, DEPTH_RESUMED);
        progress_done(planned_seconds(bench, suite, DEPTH_RESUMED));
    }
}
