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
        snprintf(name, sizeof(name), "%s%s", report_text(row, "suite"),
                 strcmp(report_text(row, "handshake"), "full") ? " r" : "");
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

// The terminal shows one in flight and 64; the report has them all.
static bool is_shown(const json_t *row)
{
    int in_flight = (int)report_number(row, "in_flight");
    return json_object_get(row, "gain") && strcmp(report_text(row, "load"), "closed") == 0 &&
           (in_flight == 1 || in_flight == 64);
}

static void print_gains(const json_t *report)
{
    size_t index;
    json_t *row;
    bool first = true;
    char name[80];
    json_array_foreach(json_object_get(report, "handshakes"), index, row)
    {
        const json_t *gain = json_object_get(row, "gain");
        if (!is_shown(row))
            continue;
        if (first)
            printf("\n%s: against stock OpenSSL in the same rounds\n%-34s %-13s %6s %10s %8s %7s  %-22s %s\n",
                   CLASS_MEASURED, "suite", "variant", "flight", "CPU us", "gain", "A/A", "verdict", "served by");
        first = false;
        printf("%-34s %-13s %6d %10.1f %7.2fx %5.1f %%  %-22s %s\n", row_suite(row, name), report_text(row, "variant"),
               (int)report_number(row, "in_flight"), report_median(row, "server_cpu_us"), report_number(gain, "ratio"),
               100 * report_number(gain, "aa_spread"), report_text(gain, "verdict"), report_text(row, "served_by"));
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
        printf("%-10s %-7s %-16s %6d %10.0f %9.2f %9.1f %9.1f %9.1f  %s\n", report_text(row, "curve"),
               report_text(row, "operation"), report_text(row, "backend"), (int)report_number(row, "in_flight"),
               report_median(row, "per_second"), report_median(row, "cpu_us"), report_number(latency, "p50"),
               report_number(latency, "p99"), report_number(latency, "p999"), report_text(row, "served_by"));
    }
}

// What the host pays for an operation that the device does: the two figures that decide whether offloading relieves a
// CPU.
static void print_host_cost(const json_t *report)
{
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(report, "operations"), index, row)
    {
        bool polled = strcmp(report_text(row, "backend"), "driver, polled") == 0,
             job = strcmp(report_text(row, "served_by"), "device") == 0;
        if (strcmp(report_text(row, "class"), CLASS_MEASURED) == 0 && (polled || job) &&
            (int)report_number(row, "in_flight") == 8)
            printf("host CPU of one %s %s on the device, 8 in flight: %.2f us %s\n", report_text(row, "curve"),
                   report_text(row, "operation"), report_median(row, "cpu_us"),
                   polled                               ? "polled (goal: 2 or less)"
                   : report_number(row, "pauses") > 0.5 ? "in an ASYNC_JOB (goal: 6 or less)"
                                                        : "blocking (its job did not pause)");
    }
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
    print_suites(report);
    print_gains(report);
    print_predictions(report);
    print_operations(report, CLASS_MEASURED);
    print_operations(report, CLASS_SIMULATED);
    print_host_cost(report);
    print_projections(report);
    print_notes(report);
}
