// SPDX-License-Identifier: Apache-2.0
#include "suite_run.h"

#include "gain_checks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// The base of every gain: both halves of the A/A pair, round by round.
static struct series base_of(const struct suite_run *run, size_t l)
{
    const struct series *a = &run->points[VARIANT_PLAIN][l].server_us,
                        *b = &run->points[VARIANT_PLAIN_AGAIN][l].server_us;
    struct series base = {0};
    for (size_t round = 0; round < a->count && round < b->count; round++)
        series_add(&base, (a->values[round] + b->values[round]) / 2);
    return base;
}

static double spread_of(const struct suite_run *run, size_t l)
{
    return stats_aa_spread(&run->points[VARIANT_PLAIN][l].server_us, &run->points[VARIANT_PLAIN_AGAIN][l].server_us);
}

// What two halves of an A/A pair rarely differ by. Here it only decides what is measured again.
static const double ordinary_spread = 0.01;

bool suite_run_looks_slow(const struct suite_run *run, const struct bench *bench, int v, size_t l)
{
    const struct series *ours = &run->points[v][l].server_us, *async = &run->points[VARIANT_PLAIN_ASYNC][l].server_us;
    if (ours->count == 0 || run->loads[l].utilisation_percent > 0 || !gain_checks_promise(bench->variants[v].name))
        return false;
    struct series base = base_of(run, l);
    double least = 1 - fmax(spread_of(run, l), ordinary_spread);
    return stats_gain(&base, ours) < least ||
           (bench->variants[v].async && async->count > 0 && stats_gain(async, ours) < least);
}

static double phase_median(const struct point *point, enum phase phase)
{
    return series_summary(&point->phase_us[phase]).median;
}

// What of a stock handshake a device can take over, in us of server CPU.
struct exchange_cost {
    double total_us;      // with the phases timed
    double operations_us; // keygen + derive
    double all_us;        // and import, check and release of keys
    bool known;
};

// A hybrid hides its ECDHE half inside one call: it is taken from the classical suite of the same certificate and
// version.
static struct exchange_cost hybrid_cost(const struct suite_run *run, const struct bench *bench,
                                        struct exchange_cost cost)
{
    char name[96];
    const char *certificate = strrchr(run->suite->name, '/');
    snprintf(name, sizeof(name), "%.6s/%s%s", run->suite->name, run->suite->group->classical, certificate);
    const json_t *row = report_find(bench->report, "suites", "suite", name);
    const json_t *phases = json_object_get(row, "phases_us");
    cost.operations_us = report_number(phases, "keygen") + report_number(phases, "derive");
    cost.all_us = cost.operations_us + report_number(phases, "check") + report_number(phases, "release");
    cost.known = phases != NULL;
    return cost;
}

static struct exchange_cost cost_of(const struct suite_run *run, const struct bench *bench, int v)
{
    const struct point *point = &run->points[v][0];
    struct exchange_cost cost = {.total_us = series_summary(&point->probed_us).median};
    if (run->suite->group->kind == GROUP_HYBRID)
        return hybrid_cost(run, bench, cost);
    cost.operations_us = phase_median(point, PHASE_KEYGEN) + phase_median(point, PHASE_DERIVE);
    cost.all_us = cost.operations_us + phase_median(point, PHASE_CHECK) + phase_median(point, PHASE_RELEASE);
    cost.known = point->probed_us.count > 0;
    return cost;
}

static json_t *phases_json(const struct point *point)
{
    json_t *phases = json_object();
    double rest = series_summary(&point->probed_us).median;
    for (int phase = 0; phase < PHASE_COUNT; phase++) {
        double value = phase_median(point, phase);
        json_object_set_new(phases, probe_phase_names[phase], json_real(value));
        rest -= value;
    }
    json_object_set_new(phases, "rest", json_real(rest));
    return phases;
}

// Two estimates of the ECDHE share, from the two halves of the A/A pair, differ by this much.
static double limit_spread(const struct suite_run *run, const struct bench *bench)
{
    struct exchange_cost a = cost_of(run, bench, VARIANT_PLAIN), b = cost_of(run, bench, VARIANT_PLAIN_AGAIN);
    return a.total_us > 0 && b.total_us > 0 ? fabs(a.all_us / a.total_us - b.all_us / b.total_us) : 0;
}

// How fast the variant was beside stock, and how much of what Amdahl allows under this load that is: many connections
// in flight find the caches cold, so that all but the ECDHE operations takes longer.
static json_t *gain_json(const struct suite_run *run, const struct bench *bench, int v, size_t l)
{
    struct series base = base_of(run, l);
    struct exchange_cost cost = cost_of(run, bench, VARIANT_PLAIN);
    double gain = stats_gain(&base, &run->points[v][l].server_us), spread = spread_of(run, l);
    double limit = cost.known ? stats_amdahl(series_summary(&base).median, cost.all_us) : 0;
    enum verdict verdict = base.count >= STATS_MIN_ROUNDS ? stats_verdict(gain, spread) : VERDICT_NONE;
    return json_pack("{s:f, s:f, s:s, s:f, s:f, s:f}", "ratio", gain, "aa_spread", spread, "verdict",
                     stats_verdict_text(verdict), "limit", limit, "limit_spread", limit_spread(run, bench), "of_limit",
                     limit > 0 ? gain / limit : 0);
}

// Key-exchange operations of one handshake by our provider, and who did them.
static json_t *operations_json(const struct point *point)
{
    double handshakes = (double)(point->handshakes ? point->handshakes : 1);
    const struct served_counts *served = &point->served;
    return json_pack("{s:f, s:f, s:f, s:f}", "device_keygen", (double)served->device_keygens / handshakes,
                     "device_derive", (double)(served->device - served->device_keygens) / handshakes, "pool",
                     (double)served->pool / handshakes, "software", (double)served->software / handshakes);
}

static void report_row(struct suite_run *run, struct bench *bench, int v, size_t l)
{
    struct point *point = &run->points[v][l];
    const struct load_kind *load = &run->loads[l];
    bool open = load->utilisation_percent > 0;
    json_t *row = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:i, s:I, s:o, s:o, s:o, s:o}", "class", CLASS_MEASURED, "suite", run->suite->name,
        "handshake", run->resumed ? "resumed" : "full", "variant", bench->variants[v].name, "load",
        open ? "open" : "closed", "in_flight", (int)load->in_flight, "count", (json_int_t)point->handshakes,
        "server_cpu_us", report_series(&point->server_us), "client_cpu_us", report_series(&point->client_us),
        "per_second", report_series(&point->per_second), "latency_us", report_percentiles(&point->latency_us));
    if (open)
        json_object_set_new(row, "utilisation_percent", json_integer(load->utilisation_percent));
    if (bench->variants[v].offload) {
        json_object_set_new(row, "served_by", json_string(served_by(&point->served)));
        json_object_set_new(row, "operations", operations_json(point));
        json_object_set_new(row, "helper_cpu_us", json_real(series_summary(&point->helper_us).median));
    }
    if (bench->variants[v].device && bench->devices.list[bench->variants[v].device].uri[0])
        json_object_set_new(row, "device", json_string(bench->devices.list[bench->variants[v].device].label));
    if (bench->variants[v].async)
        json_object_set_new(row, "pauses", json_real((double)point->pauses / (double)point->handshakes));
    if (point->probed_us.count > 0)
        json_object_set_new(row, "phases_us", phases_json(point));
    if (v > VARIANT_PLAIN_AGAIN)
        json_object_set_new(row, "gain", gain_json(run, bench, v, l));
    report_add(bench->report, "handshakes", row);
}

static void report_summary(struct suite_run *run, struct bench *bench)
{
    const struct point *point = &run->points[VARIANT_PLAIN][0];
    struct series base = base_of(run, 0);
    if (base.count == 0)
        return;
    struct exchange_cost cost = cost_of(run, bench, VARIANT_PLAIN);
    json_t *row = json_pack("{s:s, s:s, s:s, s:o, s:f}", "class", CLASS_MEASURED, "suite", run->suite->name,
                            "handshake", run->resumed ? "resumed" : "full", "server_cpu_us", report_series(&base),
                            "aa_spread", spread_of(run, 0));
    if (point->probed_us.count > 0)
        json_object_set_new(row, "phases_us", phases_json(point));
    if (cost.known && cost.total_us > 0) {
        json_object_set_new(row, "probed_us", json_real(cost.total_us)); // the whole of which the phases are parts
        json_object_set_new(row, "ecdhe_us", json_real(cost.all_us));
        json_object_set_new(row, "ecdhe_share", json_real(cost.all_us / cost.total_us));
        json_object_set_new(row, "amdahl_limit", json_real(stats_amdahl(cost.total_us, cost.all_us)));
        json_object_set_new(row, "amdahl_limit_operations", json_real(stats_amdahl(cost.total_us, cost.operations_us)));
    } else
        report_skip(bench->report, run->suite->name,
                    "ECDHE share unknown: phases were not measured, or not those of the classical suite");
    report_add(bench->report, "suites", row);
}

void suite_run_report(struct suite_run *run, struct bench *bench)
{
    report_summary(run, bench);
    for (size_t l = 0; l < run->load_count; l++)
        for (int v = 0; v < VARIANT_COUNT; v++)
            if (run->points[v][l].server_us.count > 0)
                report_row(run, bench, v, l);
}
