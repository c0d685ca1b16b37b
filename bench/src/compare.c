// SPDX-License-Identifier: Apache-2.0
#include "compare.h"

#include "report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// Columns that identify a row of a section, and the figure that is compared (less is better).
struct section {
    const char *name, *title, *figure;
    const char *keys[8];
};
static const struct section sections[] = {
    {"suites", "server CPU us per handshake, stock OpenSSL", "server_cpu_us", {"suite", "handshake"}},
    {"handshakes",
     "server CPU us per handshake",
     "server_cpu_us",
     {"class", "suite", "handshake", "variant", "load", "in_flight", "utilisation_percent"}},
    {"operations",
     "CPU us per operation",
     "cpu_us",
     {"class", "api", "curve", "operation", "backend", "in_flight", "calls"}},
};

static bool same_row(const struct section *section, const json_t *a, const json_t *b)
{
    for (size_t i = 0; i < 8 && section->keys[i]; i++) {
        const json_t *left = json_object_get(a, section->keys[i]), *right = json_object_get(b, section->keys[i]);
        if (left != right && !json_equal(left, right))
            return false;
    }
    return true;
}

static const json_t *find_row(const struct section *section, const json_t *report, const json_t *wanted)
{
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(report, section->name), index,
                       row) if (same_row(section, row, wanted)) return row;
    return NULL;
}

// How far a figure of this row may be off: the A/A spread beside it, else half the range of its rounds.
static double uncertainty(const struct section *section, const json_t *row)
{
    const json_t *gain = json_object_get(row, "gain"), *series = json_object_get(row, section->figure);
    double half_range =
        report_number(series, "median") > 0
            ? (report_number(series, "max") - report_number(series, "min")) / 2 / report_number(series, "median")
            : 0;
    if (gain)
        return report_number(gain, "aa_spread");
    return json_object_get(row, "aa_spread") ? report_number(row, "aa_spread") : half_range;
}

static void row_name(const struct section *section, const json_t *row, char *name, size_t size)
{
    size_t used = 0;
    name[0] = '\0';
    for (size_t i = 0; i < 8 && section->keys[i] && used < size; i++) {
        const json_t *value = json_object_get(row, section->keys[i]);
        if (json_is_string(value))
            used += (size_t)snprintf(name + used, size - used, "%s%s", used ? " " : "", json_string_value(value));
        else if (json_is_integer(value))
            used += (size_t)snprintf(name + used, size - used, "%s%d", used ? " " : "", (int)json_integer_value(value));
    }
}

static void compare_section(const struct section *section, const json_t *a, const json_t *b)
{
    size_t index, only_a = 0, common = 0;
    json_t *row;
    char name[256];
    json_array_foreach(json_object_get(a, section->name), index, row)
    {
        const json_t *other = find_row(section, b, row);
        double before = report_median(row, section->figure), after = report_median(other, section->figure);
        if (before <= 0 || after <= 0) {
            only_a++;
            continue;
        }
        if (common++ == 0)
            printf("\n%s\n%-72s %10s %10s %8s %8s  %s\n", section->title, "row", "A", "B", "A/B", "spread", "B is");
        double ratio = before / after, spread = fmax(uncertainty(section, row), uncertainty(section, other));
        row_name(section, row, name, sizeof(name));
        printf("%-72s %10.2f %10.2f %7.3fx %6.1f %%  %s\n", name, before, after, ratio, 100 * spread,
               stats_verdict_text(stats_verdict(ratio, spread)));
    }
    size_t only_b = report_count(b, section->name) - common;
    if (only_a + only_b > 0)
        printf("%s: %zu rows only in A, %zu only in B\n", section->name, only_a, only_b);
}

static void compare_circumstances(const json_t *a, const json_t *b)
{
    static const char *const keys[] = {"cpu", "cpus", "virtual_machine", "kernel", "openssl"};
    const json_t *before = json_object_get(a, "machine"), *after = json_object_get(b, "machine");
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (!json_equal(json_object_get(before, keys[i]), json_object_get(after, keys[i])))
            printf("NOTE: another %s: the difference is not the program's alone\n", keys[i]);
    for (int i = 0; i < 2; i++) {
        const json_t *machine = i ? after : before;
        if (report_number(machine, "load_average") > report_number(machine, "cpus") / 2)
            printf("NOTE: the machine of %c was busy (load average %.1f)\n", i ? 'B' : 'A',
                   report_number(machine, "load_average"));
        if (json_is_true(json_object_get(i ? b : a, "interrupted")))
            printf("NOTE: run %c was interrupted\n", i ? 'B' : 'A');
    }
}

int compare_reports(const char *path_a, const char *path_b)
{
    json_t *a = report_load(path_a), *b = report_load(path_b);
    if (a && b) {
        printf("A: %s, %s\nB: %s, %s\n", path_a, report_text(a, "started"), path_b, report_text(b, "started"));
        compare_circumstances(a, b);
        for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
            compare_section(&sections[i], a, b);
    }
    int code = a && b ? 0 : 2;
    json_decref(a);
    json_decref(b);
    return code;
}
