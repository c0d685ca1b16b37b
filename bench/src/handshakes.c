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

static const double settle_seconds = 0.025; // before each slice; an idle thread of our provider sleeps after 20 ms

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
    return (double)slices * settings->rounds *
           (settings->slice_seconds + (suite_served(bench, suite) ? settle_seconds : 0));
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

static bool variant_has_load(const struct suite_run *run, int v)
{
    for (size_t l = 0; l < run->load_count; l++)
        if (plan_has(v, run->suite, run->depth, &run->loads[l], run->served))
            return true;
    return false;
}

// Opens and tries a variant; runs[v] says whether it can be measured.
static void open_pair(struct suite_run *run, struct bench *bench, int v)
{
    char what[160], reason[256];
    struct variant *variant = &bench->variants[v];
    const char *problem = variant_unsuitable(variant, run->suite);
    snprintf(what, sizeof(what), "%s, %s", run->suite->name, variant->name);
    run->runs[v] = false;
    if (!problem)
        problem = tls_pair_open(&run->pairs[v], run->suite, &bench->credentials, variant->libctx, bench->client_libctx,
                                variant->async, reason);
    if (problem) {
        report_skip(bench->report, v == VARIANT_PLAIN ? run->suite->name : what, problem);
        return;
    }
    problem = handshake_prime(&run->pairs[v], run->suite, run->resumed, reason);
    if (problem) {
        report_failure(bench->report, what, problem);
        return;
    }
    run->pairs[v].is_ideal = variant->ideal;
    run->pairs[v].callback = variant->callback;
    run->runs[v] = true;
}

// Every variant of the suite. False when not even stock OpenSSL can do it.
static bool open_pairs(struct suite_run *run, struct bench *bench)
{
    for (int v = 0; v < VARIANT_COUNT; v++) {
        if (bench->variants[v].libctx && variant_has_load(run, v))
            open_pair(run, bench, v);
        if (v == VARIANT_PLAIN && !run->runs[v])
            return false;
    }
    return true;
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

// What the variant before has left (its threads falling asleep, its code in the caches) is not this one's, nor is the
// time in which this one learns its load again.
static bool settle(struct suite_run *run, int v, const struct handshake_load *load)
{
    struct handshake_load uncounted = *load;
    struct handshake_result result = {0};
    uncounted.seconds = settle_seconds;
    bool good = handshake_run(&run->pairs[v], &uncounted, &result);
    samples_fini(&result.latency_us);
    return good;
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
    // The phases' slice follows one of the same variant, and where no device computes there is nothing to settle.
    bool settled = phases || !run->served || settle(run, v, &load);
    struct served_counts before = statistics[0] ? served_counts(statistics) : (struct served_counts){0};
    bool good = settled && handshake_run(&run->pairs[v], &load, &result);
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

// One round: each variant that is wanted, another one first each time.
static void measure_round(struct suite_run *run, struct bench *bench, size_t l, unsigned round,
                          const bool wanted[VARIANT_COUNT], bool phases)
{
    for (int turn = 0; turn < VARIANT_COUNT && !stop_requested(); turn++) {
        int v = (turn + (int)round) % VARIANT_COUNT;
        if (!wanted[v] || !run->runs[v])
            continue;
        progress_show(run->what);
        slice(run, bench, v, l, round, false);
        if (phases && run->runs[v] && plan_phases(v, run->depth, &run->loads[l]))
            slice(run, bench, v, l, round, true);
    }
}

// Some of hundreds of comparisons look slow by chance, or by where the memory of a context happens to lie. So what
// looks slower than stock is measured for as many rounds again, beside stock, everything in new contexts; all rounds
// count.
static void measure_again(struct suite_run *run, struct bench *bench, size_t l)
{
    bool wanted[VARIANT_COUNT], any = false;
    for (int v = 0; v < VARIANT_COUNT; v++)
        any |= wanted[v] = run->runs[v] && suite_run_looks_slow(run, bench, v, l);
    if (!any || bench->settings->rounds < STATS_MIN_ROUNDS || 2 * bench->settings->rounds > STATS_MAX_ROUNDS)
        return;
    wanted[VARIANT_PLAIN] = wanted[VARIANT_PLAIN_AGAIN] = true;
    wanted[VARIANT_PLAIN_ASYNC] = run->points[VARIANT_PLAIN_ASYNC][l].server_us.count > 0;
    for (int v = 0; v < VARIANT_COUNT; v++)
        if (wanted[v]) {
            tls_pair_close(&run->pairs[v]);
            open_pair(run, bench, v);
        }
    snprintf(run->what + strlen(run->what), sizeof(run->what) - strlen(run->what), ", again");
    for (unsigned round = 0; round < bench->settings->rounds; round++)
        measure_round(run, bench, l, bench->settings->rounds + round, wanted, false);
}

static void measure(struct suite_run *run, struct bench *bench)
{
    for (size_t l = 0; l < run->load_count; l++) {
        const struct load_kind *load = &run->loads[l];
        bool wanted[VARIANT_COUNT];
        if (load->utilisation_percent)
            snprintf(run->what, sizeof(run->what), "%s, arrivals at %u %%", run->suite->name,
                     load->utilisation_percent);
        else
            snprintf(run->what, sizeof(run->what), "%s, %s%u in flight", run->suite->name,
                     run->resumed ? "resumed, " : "", load->in_flight);
        for (int v = 0; v < VARIANT_COUNT; v++)
            wanted[v] = plan_has(v, run->suite, run->depth, load, run->served);
        for (unsigned round = 0; round < bench->settings->rounds; round++)
            measure_round(run, bench, l, round, wanted, true);
        measure_again(run, bench, l);
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
