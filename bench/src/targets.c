// SPDX-License-Identifier: Apache-2.0
#include "targets.h"

#include "report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The promises, in the units of their texts.
static const double POLLED_US = 2, JOB_US = 6; // host CPU of one device operation:
enum { MANY_IN_FLIGHT = 8, QUEUE_ENTRIES = 63 };
static const double LIMIT_SHARE = 0.90;                 // of the Amdahl limit, gained by an asynchronous server
static const double LIMIT_SHARE_WITHOUT_OFFLOAD = 0.95; // the same without the CPU that offloading itself takes

// An asynchronous server that is told by callbacks, and one that watches a descriptor for each connection.
static const struct async_server {
    const char *variant, *gain, *gain_without_offload;
} async_servers[] = {
    {"auto-callback", "async gain", "async gain without the offload's own CPU"},
    {"auto-async", "async gain by descriptors", "async gain by descriptors without the offload's own CPU"},
};

enum outcome { HOLDS, MISSED, NOT_APPLICABLE, NOT_MEASURED, NOTED };

static void judge(json_t *report, const char *target, const char *what, enum outcome outcome, const char *text)
{
    static const char *const names[] = {"holds", "MISSED", "not applicable", "not measured", "noted"};
    json_t *row =
        json_pack("{s:s, s:s, s:s, s:s}", "target", target, "what", what, "outcome", names[outcome], "text", text);
    if (outcome == HOLDS || outcome == MISSED)
        json_object_set_new(row, "good", json_boolean(outcome == HOLDS));
    report_add(report, "targets", row);
}

static bool is(const json_t *row, const char *key, const char *value)
{
    return strcmp(report_text(row, key), value) == 0;
}

// Polled from a few in flight on, in jobs with the queue full; jobs with fewer in flight sleep and are woken for every
// few answers, which says more about the machine: those rows are printed, not judged.
static void host_cost(json_t *report, const char *target, bool polled, double most_us)
{
    size_t index, judged = 0;
    json_t *row;
    char what[96], text[128];
    json_array_foreach(json_object_get(report, "operations"), index, row)
    {
        bool wanted = polled ? is(row, "backend", "driver, polled")
                             : is(row, "backend", "device") && is(row, "calls", "ASYNC_JOB");
        int in_flight = (int)report_number(row, "in_flight");
        if (!wanted || !is(row, "class", CLASS_MEASURED) || in_flight < MANY_IN_FLIGHT || in_flight > QUEUE_ENTRIES)
            continue;
        bool paused = polled || report_number(row, "pauses") > 0.5, served = polled || is(row, "served_by", "device");
        double cpu_us = report_median(row, "cpu_us");
        snprintf(what, sizeof(what), "%s %s, %d in flight", report_text(row, "curve"), report_text(row, "operation"),
                 in_flight);
        snprintf(text, sizeof(text), "%.2f us (%g or less)%s%s", cpu_us, most_us,
                 served ? "" : ", NOT ALL SERVED BY THE DEVICE", paused ? "" : ", most jobs did not pause");
        bool judgeable = polled || in_flight == QUEUE_ENTRIES;
        judge(report, target, what, !judgeable ? NOTED : cpu_us <= most_us && served ? HOLDS : MISSED, text);
        judged += judgeable;
    }
    if (judged == 0)
        judge(report, target, "X25519", NOT_MEASURED, "no such rows: no device, or interrupted");
}

// Median CPU in the job's thread of an X25519 operation in an ASYNC_JOB in this run, all by the device, with as many in
// flight as asked or the next lower number; 0: unknown.
static double operation_us(const json_t *report, const char *backend, const char *operation, int in_flight)
{
    size_t index;
    json_t *row;
    int best = 0;
    double cpu_us = 0;
    json_array_foreach(json_object_get(report, "operations"), index, row)
    {
        int here = (int)report_number(row, "in_flight");
        if (!is(row, "curve", "X25519") || !is(row, "backend", backend) || !is(row, "operation", operation) ||
            !is(row, "calls", "ASYNC_JOB") || !is(row, "served_by", "device") || !is(row, "class", CLASS_MEASURED) ||
            here > in_flight || here <= best)
            continue;
        best = here;
        cpu_us = report_median(row, "cpu_us") - report_number(row, "helper_cpu_us");
    }
    return cpu_us;
}

static const json_t *find_one_in_flight(const json_t *report, const char *suite, const char *variant)
{
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(report, "handshakes"), index, row)
    {
        if (is(row, "suite", suite) && is(row, "variant", variant) && is(row, "handshake", "full") &&
            (int)report_number(row, "in_flight") == 1)
            return row;
    }
    return NULL;
}

// CPU of a key from the pool, its replacement included: the keygen phase of the synchronous server, less the keygens in
// software where the pool was empty. When that was not measured: a keygen by the device.
static double pooled_us(const json_t *report, const char *suite, double keygen_us)
{
    const json_t *pool = find_one_in_flight(report, suite, "auto"), *stock = find_one_in_flight(report, suite, "plain");
    double share = report_number(json_object_get(pool, "operations"), "pool");
    double phase_us = report_number(json_object_get(pool, "phases_us"), "keygen"),
           software_us = report_number(json_object_get(stock, "phases_us"), "keygen");
    double us = share > 0.5 && share <= 1 ? (phase_us - (1 - share) * software_us) / share : 0;
    return us > 0 ? us : keygen_us;
}

struct own_cost {
    double us;
    char text[192];
};

// CPU of a handshake that offloading itself takes: its operations, each at its price in this run, and what our threads
// used beside it.
static struct own_cost own_cost(const json_t *report, const json_t *row)
{
    const json_t *operations = json_object_get(row, "operations");
    int in_flight = (int)report_number(row, "in_flight");
    double keygens = report_number(operations, "device_keygen"), derives = report_number(operations, "device_derive"),
           pooled = report_number(operations, "pool");
    double keygen_us = operation_us(report, "device", "keygen", in_flight),
           derive_us = operation_us(report, "device", "derive", in_flight),
           pool_us = pooled_us(report, report_text(row, "suite"), keygen_us);
    double helper_us = report_number(row, "helper_cpu_us");
    struct own_cost cost = {.us = keygens * keygen_us + derives * derive_us + pooled * pool_us + helper_us};
    snprintf(cost.text, sizeof(cost.text),
             "%.2f keygens x %.1f us + %.2f derives x %.1f us + %.2f pooled keys x %.1f us + other threads %.1f us",
             keygens, keygen_us, derives, derive_us, pooled, pool_us, helper_us);
    if (keygens * keygen_us + derives * derive_us <= 0) // an offloaded handshake has at least a derive of known price
        cost.us = 0;
    return cost;
}

struct gain_row {
    const json_t *row;
    char what[128];
    double ratio, limit, spread;
};

static void judge_gain(json_t *report, const char *target, const struct gain_row *gain)
{
    char text[256];
    double share = gain->ratio / gain->limit;
    snprintf(text, sizeof(text), "gain %.3f = %.3f of the limit %.3f (%.2f or more, less the A/A spread of %.1f %%)",
             gain->ratio, share, gain->limit, LIMIT_SHARE, 100 * gain->spread);
    judge(report, target, gain->what, share >= LIMIT_SHARE - gain->spread ? HOLDS : MISSED, text);
}

static void judge_gain_without_offload(json_t *report, const char *target, const struct gain_row *gain)
{
    char text[416];
    double cpu_us = report_median(gain->row, "server_cpu_us");
    struct own_cost own = own_cost(report, gain->row);
    if (own.us <= 0 || own.us >= cpu_us) {
        judge(report, target, gain->what, NOT_MEASURED,
              own.us <= 0 ? "the cost of an operation is not in this report" : "own cost above the whole handshake's");
        return;
    }
    double ratio = gain->ratio * cpu_us / (cpu_us - own.us), share = ratio / gain->limit;
    snprintf(text, sizeof(text), "gain %.3f = %.3f of the limit (%.2f or more, less %.1f %%); own: %.1f us = %s", ratio,
             share, LIMIT_SHARE_WITHOUT_OFFLOAD, 100 * gain->spread, own.us, own.text);
    judge(report, target, gain->what, share >= LIMIT_SHARE_WITHOUT_OFFLOAD - gain->spread ? HOLDS : MISSED, text);
}

static bool has_verdict(const json_t *row)
{
    const json_t *gain = json_object_get(row, "gain");
    return gain && !is(gain, "verdict", "no verdict") && is(row, "handshake", "full") && is(row, "load", "closed");
}

// The server with the fast device under load, in every suite whose group the device serves.
static void async_gains(json_t *report, const char *variant, const char *target,
                        void (*judge_one)(json_t *, const char *, const struct gain_row *))
{
    size_t index, judged = 0;
    json_t *row;
    json_array_foreach(json_object_get(report, "handshakes"), index, row)
    {
        int in_flight = (int)report_number(row, "in_flight");
        struct gain_row gain = {.row = row, .limit = report_number(json_object_get(row, "gain"), "limit")};
        if (!has_verdict(row) || !is(row, "variant", variant) || !json_object_get(row, "device") ||
            !strstr(report_text(row, "suite"), "/X25519/") || (in_flight != 64 && in_flight != 256) || gain.limit <= 0)
            continue;
        gain.ratio = report_number(json_object_get(row, "gain"), "ratio");
        gain.spread = report_number(json_object_get(row, "gain"), "aa_spread");
        snprintf(gain.what, sizeof(gain.what), "%s, %s, %d in flight", report_text(row, "suite"),
                 report_text(row, "variant"), in_flight);
        judge_one(report, target, &gain);
        judged++;
    }
    if (judged == 0)
        judge(report, target, "X25519, 64 and 256 in flight", NOT_MEASURED,
              "no device, no such suite, or fewer than 5 rounds");
}

// One row for all checks of a kind that are about this variant (NULL: about any).
static void all_checks(json_t *report, const char *target, const char *kind, const char *variant, const char *what)
{
    size_t index, count = 0, good = 0;
    json_t *row;
    char part[64] = "", text[384], worst[192] = "";
    double lowest = INFINITY;
    if (variant)
        snprintf(part, sizeof(part), ", %s, ", variant);
    json_array_foreach(json_object_get(report, "checks"), index, row)
    {
        const char *name = report_text(row, "what");
        if (strncmp(name, kind, strlen(kind)) != 0 || !strstr(name, part))
            continue;
        count++;
        good += json_is_true(json_object_get(row, "good"));
        double ratio = strtod(report_text(row, "text"), NULL);
        if (ratio > 0 && ratio < lowest) {
            lowest = ratio;
            snprintf(worst, sizeof(worst), "; lowest: %.3f, %s", ratio, name + strlen(kind) + 2);
        }
    }
    if (count == 0) {
        judge(report, target, what, NOT_MEASURED, "no such rows, or fewer than 5 rounds");
        return;
    }
    snprintf(text, sizeof(text), "%zu of %zu comparisons hold%s", good, count, worst);
    judge(report, target, what, good == count ? HOLDS : MISSED, text);
}

// OpenSSL 3.0 checks a peer's point with a multiplication by the order; our provider with the curve's equation.
static void cheaper_check(json_t *report)
{
    static const char target[] = "software faster than stock 3.0";
    const char *version = report_text(json_object_get(report, "machine"), "openssl");
    size_t index, judged = 0;
    json_t *row;
    char what[128], text[128];
    if (strncmp(version, "OpenSSL 3.0.", 12) != 0) {
        snprintf(text, sizeof(text), "about OpenSSL 3.0; this is %.40s", version);
        judge(report, target, "P-256, P-384", NOT_APPLICABLE, text);
        return;
    }
    json_array_foreach(json_object_get(report, "handshakes"), index, row)
    {
        const char *suite = report_text(row, "suite");
        const json_t *gain = json_object_get(row, "gain");
        if (!has_verdict(row) || !is(row, "variant", "never") || (int)report_number(row, "in_flight") != 1 ||
            (!strstr(suite, "/P-256/") && !strstr(suite, "/P-384/")))
            continue;
        snprintf(what, sizeof(what), "%s, never", suite);
        snprintf(text, sizeof(text), "gain %.3f, A/A spread %.1f %%: %s", report_number(gain, "ratio"),
                 100 * report_number(gain, "aa_spread"), report_text(gain, "verdict"));
        judge(report, target, what, is(gain, "verdict", "faster") ? HOLDS : MISSED, text);
        judged++;
    }
    if (judged == 0)
        judge(report, target, "P-256, P-384", NOT_MEASURED, "no such suites, or fewer than 5 rounds");
}

void targets_judge(json_t *report)
{
    static const struct {
        const char *variant, *what;
    } promises[] = {{"never", "offload=never"},
                    {"auto", "offload=auto, fast device"},
                    {"auto-async", "offload=auto, async, fast device"},
                    {"auto-callback", "offload=auto, async with callbacks, fast device"},
                    {"auto-slow", "offload=auto, slow device"},
                    {"auto-async-slow", "offload=auto, async, slow device"},
                    {"auto-dead", "offload=auto, dead device"},
                    {"auto-async-dead", "offload=auto, async, dead device"}};
    host_cost(report, "host CPU of an operation, polled", true, POLLED_US);
    host_cost(report, "host CPU of an operation, in an ASYNC_JOB", false, JOB_US);
    if (report_count(report, "suites") == 0) // operations alone
        return;
    for (size_t i = 0; i < sizeof(async_servers) / sizeof(async_servers[0]); i++) {
        const struct async_server *server = &async_servers[i];
        async_gains(report, server->variant, server->gain, judge_gain);
        async_gains(report, server->variant, server->gain_without_offload, judge_gain_without_offload);
    }
    for (size_t i = 0; i < sizeof(promises) / sizeof(promises[0]); i++)
        all_checks(report, "never slower than stock", CHECK_NOT_SLOWER, promises[i].variant, promises[i].what);
    cheaper_check(report);
    all_checks(report, "no gain above the Amdahl limit", CHECK_AMDAHL, NULL, "all variants");
    all_checks(report, "no gain above the Amdahl limit", CHECK_AMDAHL, "auto-async-infinite", "infinitely fast device");
}

bool targets_hold(const json_t *report)
{
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(report, "targets"), index, row)
    {
        if (!is(row, "outcome", "holds") && !is(row, "outcome", "not applicable") && !is(row, "outcome", "noted"))
            return false;
    }
    return report_count(report, "targets") > 0;
}
