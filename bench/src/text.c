// SPDX-License-Identifier: Apache-2.0
#include "text.h"

#include "report.h"

#include <stdio.h>
#include <string.h>

static void print_machine(const json_t *report)
{
    const json_t *machine = json_object_get(report, "machine");
    double load = report_number(machine, "load_average"), cpus = report_number(machine, "cpus");
    printf("%s, %d CPUs%s, %s\n%s, %d rounds of %.2f s, load average %.1f at the start\n", report_text(machine, "cpu"),
           (int)cpus, json_is_true(json_object_get(machine, "virtual_machine")) ? ", virtual" : "",
           report_text(machine, "kernel"), report_text(machine, "openssl"), (int)report_number(report, "rounds"),
           report_number(report, "slice_seconds"), load);
    if (load > cpus / 2)
        printf("WARNING: this machine was busy; ratios hold within the A/A spread, absolute figures do not.\n");
    if (json_is_true(json_object_get(report, "interrupted")))
        printf("INTERRUPTED: what follows was measured before.\n");
}

// A reader must not take a described device for a card.
static void print_devices(const json_t *report)
{
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(report, "devices"), index, row)
    {
        printf("device %s%s", report_text(row, "device"),
               json_is_true(json_object_get(row, "simulated")) ? " (SIMULATED: no such card exists)" : "");
        if (json_object_get(row, "cpu_seconds"))
            printf(": %.1f s of CPU in its own process for %.0f operations, %.0f of them late, at most %.1f ms",
                   report_number(row, "cpu_seconds"), report_number(row, "completions"),
                   report_number(row, "timed_late"), report_number(row, "timed_worst_late_us") / 1e3);
        printf("\n");
    }
    if (report_count(report, "devices") > 0)
        printf("MEASURED is CPU and time of this host with the real provider, driver and queue, beside these "
               "devices.\n");
}

// Suite of a row, marked when its handshakes were resumed.
static const char *row_suite(const json_t *row, char name[80])
{
    snprintf(name, 80, "%s%s", report_text(row, "suite"), strcmp(report_text(row, "handshake"), "full") ? " r" : "");
    return name;
}

static void print_suites(const json_t *report)
{
    size_t index;
    json_t *row;
    if (report_count(report, "suites") == 0)
        return;
    printf("\n%s: stock OpenSSL, server side, one handshake after the other\n", CLASS_MEASURED);
    printf("%-34s %10s %9s %7s %7s %7s %6s %7s %7s\n", "suite", "CPU us", "hs/s/core", "keygen", "derive", "check",
           "ECDHE", "limit", "A/A");
    json_array_foreach(json_object_get(report, "suites"), index, row)
    {
        const json_t *phases = json_object_get(row, "phases_us");
        char name[80];
        double total_us = report_median(row, "server_cpu_us");
        printf("%-34s %10.1f %9.0f %7.1f %7.1f %7.1f", row_suite(row, name), total_us, 1e6 / total_us,
               report_number(phases, "keygen"), report_number(phases, "derive"), report_number(phases, "check"));
        if (json_object_get(row, "ecdhe_share"))
            printf(" %5.0f%% %6.2fx", 100 * report_number(row, "ecdhe_share"), report_number(row, "amdahl_limit"));
        else
            printf(" %6s %7s", "?", "?");
        printf(" %5.1f %%\n", 100 * report_number(row, "aa_spread"));
    }
    printf("limit: the most that any ECDHE device can gain (Amdahl), were it infinitely fast and free. r: resumed.\n");
}

// The columns of the table of gains: a variant with so many in flight.
static const struct gain_column {
    const char *title, *variant;
    int in_flight;
} gain_columns[] = {{"software", "never", 1},           {"auto", "auto", 1},
                    {"slow", "auto-slow", 1},           {"dead", "auto-dead", 1},
                    {"stock@64", "plain-async", 64},    {"auto@64", "auto-async", 64},
                    {"slow@64", "auto-async-slow", 64}, {"dead@64", "auto-async-dead", 64},
                    {"all@64", "always-async", 64}};
enum { GAIN_COLUMNS = sizeof(gain_columns) / sizeof(gain_columns[0]) };

static const json_t *gain_of(const json_t *report, const json_t *suite, const struct gain_column *column)
{
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(report, "handshakes"), index, row)
    {
        if (strcmp(report_text(row, "suite"), report_text(suite, "suite")) == 0 &&
            strcmp(report_text(row, "handshake"), report_text(suite, "handshake")) == 0 &&
            strcmp(report_text(row, "load"), "closed") == 0 &&
            strcmp(report_text(row, "variant"), column->variant) == 0 &&
            (int)report_number(row, "in_flight") == column->in_flight)
            return json_object_get(row, "gain");
    }
    return NULL;
}

static char verdict_mark(const json_t *gain)
{
    const char *verdict = report_text(gain, "verdict");
    return strcmp(verdict, "faster") == 0 ? '+' : strcmp(verdict, "slower") == 0 ? '-' : ' ';
}

static void print_gains(const json_t *report)
{
    size_t index;
    json_t *suite;
    char name[80];
    if (report_count(report, "handshakes") == 0)
        return;
    printf("\n%s: gain against stock OpenSSL in the same rounds, server CPU\n%-34s", CLASS_MEASURED, "suite");
    for (int c = 0; c < GAIN_COLUMNS; c++)
        printf(" %9s", gain_columns[c].title);
    printf(" %8s\n", "limit");
    json_array_foreach(json_object_get(report, "suites"), index, suite)
    {
        printf("%-34s", row_suite(suite, name));
        for (int c = 0; c < GAIN_COLUMNS; c++) {
            const json_t *gain = gain_of(report, suite, &gain_columns[c]);
            if (gain)
                printf(" %7.2fx%c", report_number(gain, "ratio"), verdict_mark(gain));
            else
                printf(" %9s", "");
        }
        printf(" %7.2fx\n", report_number(suite, "amdahl_limit"));
    }
    printf(
        "+ - : faster, slower than stock beyond the A/A spread. software: no device. auto, slow, dead: offload=auto "
        "with the fast,\nslow, dead device; one in flight, synchronous. @64: SSL_MODE_ASYNC, 64 in flight. all: every "
        "operation by the fast device.\n");
}

// The promises and whether this run kept them.
static void print_targets(const json_t *report)
{
    size_t index;
    json_t *row;
    const char *last = "";
    if (report_count(report, "targets") == 0)
        return;
    printf("\nWhat it must show\n");
    json_array_foreach(json_object_get(report, "targets"), index, row)
    {
        if (strcmp(last, report_text(row, "target")) != 0)
            printf("  %s\n", report_text(row, "target"));
        last = report_text(row, "target");
        printf("    %-14s %s: %s\n", report_text(row, "outcome"), report_text(row, "what"), report_text(row, "text"));
    }
}

static void print_predictions(const json_t *report)
{
    size_t index;
    json_t *row;
    if (report_count(report, "predictions") == 0)
        return;
    printf("\n%s: what Ephemera would give on this machine (arithmetic on the phases above)\n", CLASS_PREDICTED);
    printf("%-34s %14s %10s %13s %8s\n", "suite", "software only", "key pool", "pool + async", "limit");
    char name[80];
    json_array_foreach(json_object_get(report, "predictions"), index, row)
        printf("%-34s %13.2fx %9.2fx %12.2fx %7.2fx\n", row_suite(row, name), report_number(row, "gain_software"),
               report_number(row, "gain_pool"), report_number(row, "gain_async"), report_number(row, "amdahl_limit"));
    const json_t *any = json_array_get(json_object_get(report, "predictions"), 0);
    printf("host costs: pooled key %.1f us (%s), asynchronous operation %.1f us (%s), check %.1f us (stated).\n"
           "software only: cheaper check of the peer's point. key pool: servers without async jobs (nginx, Node, "
           "Python).\n"
           "pool + async: servers with async jobs (HAProxy ssl-mode-async, s_server -async).\n",
           report_number(any, "host_pool_us"), report_text(any, "host_pool_source"),
           report_number(any, "host_async_us"), report_text(any, "host_async_source"),
           report_number(any, "host_check_us"));
}

static void print_operations(const json_t *report, const char *class_name)
{
    size_t index;
    json_t *row;
    bool first = true;
    json_array_foreach(json_object_get(report, "operations"), index, row)
    {
        const json_t *latency = json_object_get(row, "latency_us");
        if (strcmp(report_text(row, "class"), class_name) != 0)
            continue;
        if (first)
            printf("\n%s: single operations\n%-10s %-7s %-16s %6s %10s %9s %9s %9s %9s\n", class_name, "curve", "op",
                   "back end", "flight", "op/s", "CPU us", "p50 us", "p99 us", "p99.9 us");
        first = false;
        printf("%-10s %-7s %-16s %5d%c %10.0f %9.2f %9.1f %9.1f %9.1f  %s\n", report_text(row, "curve"),
               report_text(row, "operation"), report_text(row, "backend"), (int)report_number(row, "in_flight"),
               strcmp(report_text(row, "calls"), "ASYNC_JOB") ? ' ' : 'j', report_median(row, "per_second"),
               report_median(row, "cpu_us"), report_number(latency, "p50"), report_number(latency, "p99"),
               report_number(latency, "p999"), report_text(row, "served_by"));
    }
    if (!first)
        printf("j: each inside an ASYNC_JOB.\n");
}

// A figure, or a question mark when the report has none.
static void print_optional(const json_t *row, const char *key)
{
    if (json_object_get(row, key))
        printf(" %9.2f", report_number(row, key));
    else
        printf(" %9s", "?");
}

static void print_projections(const json_t *report)
{
    size_t index;
    json_t *row;
    if (report_count(report, "projections") == 0)
        return;
    printf("\n%s: engines x clock / cycles\n%-20s %-7s %7s %9s %10s %10s %9s %9s %9s\n", CLASS_PROJECTED, "part",
           "curve", "engines", "MHz", "derive/s", "pairs/s", "latency", "cores", "mb cores");
    json_array_foreach(json_object_get(report, "projections"), index, row)
    {
        printf("%-20s %-7s %7d %9.1f %10.0f %10.0f %6.0f us", report_text(row, "part"), report_text(row, "curve"),
               (int)report_number(row, "engines"), report_number(row, "clock_mhz"),
               report_number(row, "derives_per_second"), report_number(row, "pairs_per_second"),
               report_number(row, "derive_latency_us"));
        print_optional(row, "cores_replaced");
        print_optional(row, "crypto_mb_cores_replaced");
        printf("\n");
    }
    json_array_foreach(json_object_get(report, "projections"), index, row)
        printf("  %s %s: clock %s; cycles: keygen %.0f, derive %.0f (%s, %.0f contexts)\n", report_text(row, "part"),
               report_text(row, "curve"), report_text(row, "clock_source"), report_number(row, "keygen_cycles"),
               report_number(row, "derive_cycles"), report_text(row, "cycles_source"), report_number(row, "contexts"));
    printf("cores: of this machine running stock OpenSSL, that this part replaces; mb cores: of a machine running "
           "Intel crypto_mb.\n");
}

static void print_notes(const json_t *report)
{
    size_t index, bad = 0;
    json_t *row;
    json_array_foreach(json_object_get(report, "checks"), index, row) if (!json_is_true(json_object_get(row, "good")))
    {
        printf("%sCHECK: %s: %s\n", bad++ ? "" : "\n", report_text(row, "what"), report_text(row, "text"));
    }
    if (report_count(report, "checks") > 0)
        printf("\nchecks: %zu of %zu hold\n", report_count(report, "checks") - bad, report_count(report, "checks"));
    if (report_count(report, "skipped") > 0)
        printf("\nskipped:\n");
    json_array_foreach(json_object_get(report, "skipped"), index, row)
        printf("  %s: %s\n", report_text(row, "what"), report_text(row, "reason"));
    json_array_foreach(json_object_get(report, "failures"), index, row)
        printf("FAILED: %s: %s\n", report_text(row, "what"), report_text(row, "reason"));
}

void text_print(const json_t *report)
{
    print_machine(report);
    print_devices(report);
    print_suites(report);
    print_gains(report);
    print_predictions(report);
    print_operations(report, CLASS_MEASURED);
    print_operations(report, CLASS_SIMULATED);
    print_projections(report);
    print_notes(report);
    print_targets(report);
}
