// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include "machine.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

json_t *report_new(const struct settings *settings)
{
    char started[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(started, sizeof(started), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    json_t *report =
        json_pack("{s:s, s:i, s:s, s:b, s:b, s:i, s:f, s:s?, s:o}", "schema", REPORT_SCHEMA, "version", REPORT_VERSION,
                  "started", started, "quick", settings->quick, "interrupted", 0, "rounds", (int)settings->rounds,
                  "slice_seconds", settings->slice_seconds, "device", settings->device, "machine", machine_describe());
    static const char *const sections[] = {"targets",    "devices",     "variants", "suites",      "handshakes",
                                           "operations", "predictions", "cycles",   "projections", "records",
                                           "checks",     "skipped",     "failures"};
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
        json_object_set_new(report, sections[i], json_array());
    return report;
}

void report_add(json_t *report, const char *section, json_t *row)
{
    json_array_append_new(json_object_get(report, section), row);
}

void report_skip(json_t *report, const char *what, const char *reason)
{
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(report, "skipped"), index,
                       row) if (strcmp(report_text(row, "what"), what) == 0 &&
                                strcmp(report_text(row, "reason"), reason) == 0) return;
    report_add(report, "skipped", json_pack("{s:s, s:s}", "what", what, "reason", reason));
}

void report_failure(json_t *report, const char *what, const char *reason)
{
    report_add(report, "failures", json_pack("{s:s, s:s}", "what", what, "reason", reason));
}

void report_check(json_t *report, const char *what, bool good, const char *text)
{
    report_add(report, "checks", json_pack("{s:s, s:b, s:s}", "what", what, "good", good, "text", text));
}

size_t report_count(const json_t *report, const char *section)
{
    return json_array_size(json_object_get(report, section));
}

const json_t *report_find(const json_t *report, const char *section, const char *key, const char *value)
{
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(report, section), index,
                       row) if (strcmp(report_text(row, key), value) == 0) return row;
    return NULL;
}

bool report_write(json_t *report, const char *path)
{
    if (json_dump_file(report, path, JSON_INDENT(1) | JSON_REAL_PRECISION(7)) == 0)
        return true;
    fprintf(stderr, "ephemera-bench: cannot write %s\n", path);
    return false;
}

json_t *report_load(const char *path)
{
    json_error_t error;
    json_t *report = json_load_file(path, 0, &error);
    if (!report)
        fprintf(stderr, "ephemera-bench: %s: line %d: %s\n", path, error.line, error.text);
    else if (strcmp(report_text(report, "schema"), REPORT_SCHEMA) != 0 ||
             (int)report_number(report, "version") != REPORT_VERSION) {
        fprintf(stderr, "ephemera-bench: %s: not a report of this program (schema %s, version %d)\n", path,
                REPORT_SCHEMA, REPORT_VERSION);
        json_decref(report);
        report = NULL;
    }
    return report;
}

json_t *report_series(const struct series *series)
{
    struct summary summary = series_summary(series);
    json_t *values = json_array();
    for (size_t i = 0; i < series->count; i++)
        json_array_append_new(values, json_real(series->values[i]));
    return json_pack("{s:f, s:f, s:f, s:o}", "median", summary.median, "min", summary.min, "max", summary.max, "values",
                     values);
}

json_t *report_percentiles(struct samples *samples)
{
    return json_pack("{s:f, s:f, s:f, s:I}", "p50", samples_percentile(samples, 50), "p99",
                     samples_percentile(samples, 99), "p999", samples_percentile(samples, 99.9), "count",
                     (json_int_t)samples->count);
}

double report_number(const json_t *row, const char *key)
{
    return json_number_value(json_object_get(row, key));
}

double report_median(const json_t *row, const char *key)
{
    return report_number(json_object_get(row, key), "median");
}

const char *report_text(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    return text ? text : "";
}
