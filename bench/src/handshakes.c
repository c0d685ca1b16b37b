// SPDX-License-Identifier: Apache-2.0
// Which handshakes are measured, in which order. Within a round the variants take turns, and each round starts with
// another one, so that neither a slow change of the machine nor a fixed position favours any.
#include "bench.h"

#include "paths.h"
#include "progress.h"
#include "stop.h"
#include "suite_run.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPEN_LOOP_CAP = 1024 }; // connections under way in the open loop; arrivals beyond wait, and their wait counts

static const struct load_kind full_loads[] = {
    {1, 0}, {8, 0}, {64, 0}, {256, 0}, {OPEN_LOOP_CAP, 50}, {OPEN_LOOP_CAP, 80}, {OPEN_LOOP_CAP, 95}};
static const struct load_kind short_loads[] = {{1, 0}};

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

static bool phases_possible(const struct variant *variant, const struct load_kind *load)
{
    return !variant->async && !variant->ideal && load->in_flight == 1 && load->utilisation_percent == 0;
}

static double planned_seconds(const struct bench *bench, bool resumed)
{
    const struct settings *settings = bench->settings;
    bool all = !settings->quick && !resumed;
    size_t slices = 0;
    for (int v = 0; v < VARIANT_COUNT; v++)
        if (bench->variants[v].libctx)
            slices += (all ? sizeof(full_loads) / sizeof(full_loads[0]) : 1) +
                      phases_possible(&bench->variants[v], &full_loads[0]);
    return (double)slices * settings->rounds * settings->slice_seconds;
}

void handshakes_plan(const struct bench *bench)
{
    struct suite suites[SUITE_MAX];
    size_t count = suite_list(suites);
    for (size_t i = 0; i < count; i++)
        if (suite_wanted(&suites[i], wanted_suites(bench->settings)) && !suite_impossible(&suites[i]))
            progress_plan(planned_seconds(bench, false) + (bench->settings->quick ? 0 : planned_seconds(bench, true)));
}

// Opens and tries every variant of the suite. False when not even stock OpenSSL can do it.
static bool open_pairs(struct suite_run *run, struct bench *bench)
{
    char what[160], reason[256];
    for (int v = 0; v < VARIANT_COUNT; v++) {
        struct variant *variant = &bench->variants[v];
        const char *problem = variant_unsuitable(variant, run->suite);
        if (!variant->libctx)
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
    series_add(&point->client_us, (double)result->client_cpu_ns / done);
    series_add(&point->per_second, (double)result->done * 1e9 / (double)result->wall_ns);
    point->pauses += result->pauses;
    point->handshakes += result->done;
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
    if (kind->utilisation_percent) // of what the closed loop with 64 in flight reached, client included
        load.arrivals_per_second =
            series_summary(&run->points[v][2].per_second).median * kind->utilisation_percent / 100;
    struct handshake_result result = {.latency_us = phases ? (struct samples){0} : point->latency_us};
    const char *statistics = bench->variants[v].folder;
    struct served_counts before = statistics[0] ? served_counts(statistics) : (struct served_counts){0};
    bool good = handshake_run(&run->pairs[v], &load, &result);
    if (statistics[0]) {
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
                if (!run->runs[v])
                    continue;
                progress_show(what);
                slice(run, bench, v, l, round, false);
                if (run->runs[v] && phases_possible(&bench->variants[v], &run->loads[l]))
                    slice(run, bench, v, l, round, true);
            }
    }
}

static void run_suite(struct bench *bench, const struct suite *suite, bool resumed)
{
    struct suite_run *run = calloc(1, sizeof(*run));
    if (!run)
        return;
    run->suite = suite;
    run->resumed = resumed;
    bool all = !bench->settings->quick && !resumed;
    run->load_count = all ? sizeof(full_loads) / sizeof(full_loads[0]) : sizeof(short_loads) / sizeof(short_loads[0]);
    memcpy(run->loads, all ? full_loads : short_loads, run->load_count * sizeof(run->loads[0]));
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
        run_suite(bench, suite, false);
        progress_done(planned_seconds(bench, false));
        if (bench->settings->quick || stop_requested())
            continue;
        run_suite(bench, suite, true);
        progress_done(planned_seconds(bench, true));
    }
}
