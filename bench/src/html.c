// SPDX-License-Identifier: Apache-2.0
#include "html.h"

#include "bars.h"
#include "html_answer.h"
#include "plot.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A column of a table: the path of its value in a row ("gain.ratio"), and how to print it.
struct column {
    const char *title, *path;
    int decimals; // of numbers; -1: text; -2: a share, in percent
};

static const json_t *value_at(const json_t *row, const char *path)
{
    char key[64];
    while (row && path) {
        size_t length = strcspn(path, ".");
        snprintf(key, sizeof(key), "%.*s", (int)length, path);
        row = json_object_get(row, key);
        path = path[length] ? path + length + 1 : NULL;
    }
    return row;
}

static void put_value(FILE *page, const json_t *row, const struct column *column)
{
    const json_t *value = value_at(row, column->path);
    if (json_is_string(value))
        put_text(page, json_string_value(value));
    else if (json_is_boolean(value))
        put_text(page, json_is_true(value) ? "yes" : "NO");
    else if (json_is_number(value) && column->decimals == -2)
        fprintf(page, "%.1f %%", 100 * json_number_value(value));
    else if (json_is_number(value))
        fprintf(page, "%.*f", column->decimals < 0 ? 0 : column->decimals, json_number_value(value));
    else
        fputs("–", page);
}

// A table of the rows of one class only (NULL: rows have no class). Nothing when there are none.
static void table(FILE *page, const json_t *report, const char *section, const char *class_name, const char *title,
                  const struct column *columns)
{
    size_t index, rows = 0;
    json_t *row;
    json_array_foreach(json_object_get(report, section), index, row)
    {
        if (class_name && strcmp(report_text(row, "class"), class_name) != 0)
            continue;
        if (rows++ == 0) {
            fprintf(page, "<h2>%s%s%s</h2>\n<div class=wide><table><tr>", class_name ? class_name : "",
                    class_name ? ": " : "", title);
            for (const struct column *column = columns; column->title; column++)
                fprintf(page, "<th%s>%s</th>", column->decimals == -1 ? "" : " class=n", column->title);
            fprintf(page, "</tr>\n");
        }
        fprintf(page, "<tr>");
        for (const struct column *column = columns; column->title; column++) {
            fprintf(page, column->decimals == -1 ? "<td>" : "<td class=n>");
            put_value(page, row, column);
            fprintf(page, "</td>");
        }
        fprintf(page, "</tr>\n");
    }
    if (rows > 0)
        fprintf(page, "</table></div>\n");
}

static const struct column suite_columns[] = {{"suite", "suite", -1},
                                              {"handshake", "handshake", -1},
                                              {"CPU us", "server_cpu_us.median", 1},
                                              {"min", "server_cpu_us.min", 1},
                                              {"max", "server_cpu_us.max", 1},
                                              {"keygen", "phases_us.keygen", 1},
                                              {"derive", "phases_us.derive", 1},
                                              {"check", "phases_us.check", 1},
                                              {"kem", "phases_us.kem", 1},
                                              {"signature", "phases_us.signature", 1},
                                              {"rest", "phases_us.rest", 1},
                                              {"ECDHE share", "ecdhe_share", -2},
                                              {"Amdahl limit", "amdahl_limit", 2},
                                              {"A/A spread", "aa_spread", -2},
                                              {0}};
static const struct column handshake_columns[] = {{"suite", "suite", -1},
                                                  {"handshake", "handshake", -1},
                                                  {"variant", "variant", -1},
                                                  {"device", "device", -1},
                                                  {"served by", "served_by", -1},
                                                  {"load", "load", -1},
                                                  {"in flight", "in_flight", 0},
                                                  {"% of capacity", "utilisation_percent", 0},
                                                  {"server CPU us", "server_cpu_us.median", 1},
                                                  {"min", "server_cpu_us.min", 1},
                                                  {"max", "server_cpu_us.max", 1},
                                                  {"of it, helper threads", "helper_cpu_us", 1},
                                                  {"hs/s, client incl.", "per_second.median", 0},
                                                  {"p50 us", "latency_us.p50", 0},
                                                  {"p99 us", "latency_us.p99", 0},
                                                  {"p99.9 us", "latency_us.p999", 0},
                                                  {"gain", "gain.ratio", 3},
                                                  {"of limit", "gain.of_limit", -2},
                                                  {"A/A spread", "gain.aa_spread", -2},
                                                  {"verdict", "gain.verdict", -1},
                                                  {0}};
static const struct column operation_columns[] = {{"curve", "curve", -1},
                                                  {"operation", "operation", -1},
                                                  {"through", "api", -1},
                                                  {"back end", "backend", -1},
                                                  {"calls", "calls", -1},
                                                  {"device", "device", -1},
                                                  {"served by", "served_by", -1},
                                                  {"in flight", "in_flight", 0},
                                                  {"op/s", "per_second.median", 0},
                                                  {"CPU us", "cpu_us.median", 2},
                                                  {"min", "cpu_us.min", 2},
                                                  {"max", "cpu_us.max", 2},
                                                  {"p50 us", "latency_us.p50", 1},
                                                  {"p99 us", "latency_us.p99", 1},
                                                  {"p99.9 us", "latency_us.p999", 1},
                                                  {0}};
static const struct column prediction_columns[] = {{"suite", "suite", -1},
                                                   {"handshake", "handshake", -1},
                                                   {"software only", "gain_software", 2},
                                                   {"key pool", "gain_pool", 2},
                                                   {"pool + async", "gain_async", 2},
                                                   {"Amdahl limit", "amdahl_limit", 2},
                                                   {"pooled key us", "host_pool_us", 1},
                                                   {"source", "host_pool_source", -1},
                                                   {"async op us", "host_async_us", 1},
                                                   {"source", "host_async_source", -1},
                                                   {"check us", "host_check_us", 1},
                                                   {0}};
static const struct column cycle_columns[] = {{"curve", "curve", -1},   {"operation", "operation", -1},
                                              {"cycles", "cycles", 0},  {"contexts", "contexts", 0},
                                              {"device", "device", -1}, {0}};
static const struct column projection_columns[] = {{"part", "part", -1},
                                                   {"curve", "curve", -1},
                                                   {"engines", "engines", 0},
                                                   {"MHz", "clock_mhz", 1},
                                                   {"clock", "clock_source", -1},
                                                   {"keygen cycles", "keygen_cycles", 0},
                                                   {"derive cycles", "derive_cycles", 0},
                                                   {"contexts", "contexts", 0},
                                                   {"derive/s", "derives_per_second", 0},
                                                   {"keygen/s", "keygens_per_second", 0},
                                                   {"pairs/s", "pairs_per_second", 0},
                                                   {"derive us", "derive_latency_us", 0},
                                                   {"derive/s per DSP per 100 MHz", "derives_per_dsp_100mhz", 1},
                                                   {"cores here", "cores_replaced", 2},
                                                   {"us a pair here", "pair_cpu_us", 1},
                                                   {"crypto_mb cores", "crypto_mb_cores_replaced", 2},
                                                   {"pairs/s a crypto_mb core", "crypto_mb_pairs_per_second", 0},
                                                   {"from", "crypto_mb_source", -1},
                                                   {0}};
static const struct column record_columns[] = {
    {"what", "label", -1}, {"op/s", "per_second", 0}, {"note", "note", -1}, {"source", "source", -1}, {0}};
static const struct column device_columns[] = {{"device", "device", -1},
                                               {"simulated", "simulated", -1},
                                               {"CPU s", "cpu_seconds", 1},
                                               {"operations", "completions", 0},
                                               {"late by > 100 us", "timed_late", 0},
                                               {"worst us", "timed_worst_late_us", 0},
                                               {0}};
static const struct column variant_columns[] = {{"variant", "name", -1},
                                                {"", "text", -1},
                                                {"by the device", "operations.device", 0},
                                                {"from the pool", "operations.pool", 0},
                                                {"in software", "operations.software", 0},
                                                {0}};
static const struct column note_columns[] = {{"what", "what", -1}, {"reason", "reason", -1}, {0}};
static const struct column check_columns[] = {{"what", "what", -1}, {"good", "good", -1}, {"", "text", -1}, {0}};

static void plots(FILE *page, const json_t *report)
{
    plot_phases(page, report);
    plot_records(page, report);
    if (!plot_available()) {
        fprintf(page, "<p class=warn>No curves: gnuplot is not installed (Debian package gnuplot-nox). The tables "
                      "are complete.</p>\n");
        return;
    }
    plot_throughput(page, report);
    plot_latency(page, report);
}

bool html_write(const json_t *report, const char *path)
{
    FILE *page = fopen(path, "w");
    if (!page) {
        fprintf(stderr, "ephemera-bench: cannot write %s\n", path);
        return false;
    }
    html_head(page, report);
    html_answer(page, report);
    html_targets(page, report);
    plots(page, report);
    table(page, report, "suites", CLASS_MEASURED, "stock OpenSSL, what a handshake costs the server", suite_columns);
    table(page, report, "predictions", CLASS_PREDICTED, "gain of Ephemera on this machine, arithmetic",
          prediction_columns);
    table(page, report, "operations", CLASS_MEASURED, "single operations", operation_columns);
    table(page, report, "operations", CLASS_SIMULATED, "single operations on a simulated device: functional only",
          operation_columns);
    table(page, report, "cycles", CLASS_SIMULATED, "cycles counted in simulation", cycle_columns);
    table(page, report, "projections", CLASS_PROJECTED, "a part with these engines", projection_columns);
    table(page, report, "records", NULL, "Published figures", record_columns);
    table(page, report, "devices", NULL, "Devices, and the CPU of their own processes", device_columns);
    table(page, report, "variants", NULL, "Variants, and who computed their keys", variant_columns);
    table(page, report, "checks", NULL, "Checks", check_columns);
    table(page, report, "failures", NULL, "Failures", note_columns);
    table(page, report, "skipped", NULL, "Skipped", note_columns);
    fprintf(page, "<details><summary>All handshakes: %zu rows</summary>\n", report_count(report, "handshakes"));
    table(page, report, "handshakes", CLASS_MEASURED, "all handshakes", handshake_columns);
    fprintf(page, "</details>\n");
    fprintf(page, "</body></html>\n");
    bool good = !ferror(page);
    good = fclose(page) == 0 && good;
    return good;
}
