// SPDX-License-Identifier: Apache-2.0
#include "gain_checks.h"

#include "report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool gain_checks_promise(const char *variant)
{
    return strcmp(variant, "never") == 0 || strcmp(variant, "auto") == 0 || strncmp(variant, "auto-", 5) == 0;
}

static bool same_load(const json_t *a, const json_t *b)
{
    return strcmp(report_text(a, "suite"), report_text(b, "suite")) == 0 &&
           strcmp(report_text(a, "handshake"), report_text(b, "handshake")) == 0 &&
           strcmp(report_text(a, "load"), report_text(b, "load")) == 0 &&
           report_number(a, "in_flight") == report_number(b, "in_flight");
}

// A row with a gain that enough rounds stand behind.
static bool is_judged(const json_t *row)
{
    const json_t *gain = json_object_get(row, "gain");
    return gain && strcmp(report_text(row, "load"), "closed") == 0 &&
           strcmp(report_text(gain, "verdict"), "no verdict");
}

static double spread_of(const json_t *row)
{
    return report_number(json_object_get(row, "gain"), "aa_spread");
}

// One spread for each suite and load: rows of the same load follow each other and share their A/A pair. Of more than
// STATS_MAX_ROUNDS the first ones do.
static double median_spread(const json_t *report)
{
    size_t index;
    json_t *row;
    const json_t *last = NULL;
    struct series spreads = {0};
    json_array_foreach(json_object_get(report, "handshakes"), index, row)
    {
        if (!is_judged(row) || (last && same_load(row, last)))
            continue;
        series_add(&spreads, spread_of(row));
        last = row;
    }
    return series_summary(&spreads).median;
}

static struct series cpu_of(const json_t *row)
{
    size_t index;
    json_t *value;
    struct series series = {0};
    json_array_foreach(json_object_get(json_object_get(row, "server_cpu_us"), "values"), index, value)
        series_add(&series, json_number_value(value));
    return series;
}

static const json_t *find_async_stock(const json_t *report, const json_t *like)
{
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(report, "handshakes"), index, row)
    {
        if (strcmp(report_text(row, "variant"), "plain-async") == 0 && same_load(row, like))
            return row;
    }
    return NULL;
}

static void check(json_t *report, const char *rule, const json_t *row, bool good, const char *text)
{
    char what[192];
    snprintf(what, sizeof(what), "%s: %s%s, %s, %d in flight", rule, report_text(row, "suite"),
             strcmp(report_text(row, "handshake"), "full") ? " resumed" : "", report_text(row, "variant"),
             (int)report_number(row, "in_flight"));
    report_check(report, what, good, text);
}

static void compare(json_t *report, const json_t *row, const char *rival, double ratio, double tolerance)
{
    char text[192];
    bool good = stats_verdict(ratio, tolerance) != VERDICT_SLOWER;
    snprintf(text, sizeof(text), "%.3f of the speed of %s, tolerance %.1f %%%s", ratio, rival, 100 * tolerance,
             good ? "" : ": SLOWER");
    check(report, CHECK_NOT_SLOWER, row, good, text);
}

void gain_checks_not_slower(json_t *report)
{
    size_t index;
    json_t *row;
    double least = median_spread(report);
    json_array_foreach(json_object_get(report, "handshakes"), index, row)
    {
        const char *variant = report_text(row, "variant");
        if (!is_judged(row) || !gain_checks_promise(variant))
            continue;
        double tolerance = fmax(spread_of(row), least);
        bool async = strstr(variant, "async") || strstr(variant, "callback");
        const json_t *rival = async ? find_async_stock(report, row) : NULL;
        bool async_costs = false;
        if (rival) {
            struct series base = cpu_of(rival), ours = cpu_of(row);
            compare(report, row, "plain-async", stats_gain(&base, &ours), tolerance);
            async_costs = report_number(json_object_get(rival, "gain"), "ratio") < 1 - tolerance;
        }
        if (!async_costs)
            compare(report, row, "plain", report_number(json_object_get(row, "gain"), "ratio"), tolerance);
    }
}

void gain_checks_amdahl(json_t *report)
{
    size_t index;
    json_t *row;
    double least = median_spread(report);
    json_array_foreach(json_object_get(report, "handshakes"), index, row)
    {
        const json_t *gain = json_object_get(row, "gain");
        double ratio = report_number(gain, "ratio"), limit = report_number(gain, "limit");
        char text[192];
        if (!is_judged(row) || limit <= 0 || ratio <= 0)
            continue;
        double tolerance = fmax(spread_of(row), least) + report_number(gain, "limit_spread");
        bool good = stats_within_limit(ratio, limit, tolerance);
        snprintf(text, sizeof(text), "gain %.3f, limit %.3f, tolerance %.1f %%%s", ratio, limit, 100 * tolerance,
                 good ? "" : ": ABOVE THE LIMIT, do not believe this row");
        check(report, CHECK_AMDAHL, row, good, text);
    }
}
