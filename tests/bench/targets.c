// SPDX-License-Identifier: Apache-2.0
// Every promise must be able to fail: a made-up report keeps them all, then one figure at a time is spoilt.
#include "gain_checks.h"
#include "report.h"
#include "targets.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char good_report[] =
    "{'machine': {'openssl': 'OpenSSL 3.0.22 25 Aug 2026'}, 'targets': [],"
    " 'suites': [{'suite': 'TLS1.3/X25519/ECDSA-P256', 'handshake': 'full', 'amdahl_limit': 1.4}],"
    " 'operations': ["
    "  {'class': 'MEASURED', 'api': 'driver', 'backend': 'driver, polled', 'curve': 'X25519', 'operation': 'keygen',"
    "   'in_flight': 8, 'cpu_us': {'median': 1.0}},"
    "  {'class': 'MEASURED', 'api': 'EVP', 'calls': 'ASYNC_JOB', 'backend': 'device', 'served_by': 'device',"
    "   'curve': 'X25519', 'operation': 'derive', 'in_flight': 63, 'pauses': 1.0, 'cpu_us': {'median': 5.0}}],"
    " 'handshakes': ["
    "  {'suite': 'TLS1.3/X25519/ECDSA-P256', 'handshake': 'full', 'variant': 'auto-callback', 'load': 'closed',"
    "   'in_flight': 64, 'device': 'fast', 'server_cpu_us': {'median': 180.0}, 'helper_cpu_us': 1.5,"
    "   'operations': {'device_keygen': 0.0, 'device_derive': 1.0, 'pool': 1.0},"
    "   'gain': {'ratio': 1.32, 'limit': 1.4, 'aa_spread': 0.01, 'verdict': 'faster'}},"
    "  {'suite': 'TLS1.3/P-384/ECDSA-P256', 'handshake': 'full', 'variant': 'never', 'load': 'closed', 'in_flight': 1,"
    "   'gain': {'ratio': 1.3, 'aa_spread': 0.01, 'verdict': 'faster'}},"
    "  {'suite': 'TLS1.3/X25519/ECDSA-P256', 'handshake': 'full', 'variant': 'plain', 'in_flight': 1,"
    "   'phases_us': {'keygen': 40.0}},"
    "  {'suite': 'TLS1.3/X25519/ECDSA-P256', 'handshake': 'full', 'variant': 'auto', 'in_flight': 1,"
    "   'operations': {'pool': 0.9}, 'phases_us': {'keygen': 9.4}},"
    "  {'suite': 'TLS1.3/X25519/ECDSA-P256', 'handshake': 'full', 'variant': 'auto-async', 'load': 'closed',"
    "   'in_flight': 64, 'device': 'fast', 'server_cpu_us': {'median': 180.0}, 'helper_cpu_us': 0.5,"
    "   'operations': {'device_keygen': 0.0, 'device_derive': 1.0, 'pool': 1.0},"
    "   'gain': {'ratio': 1.3, 'limit': 1.4, 'aa_spread': 0.01, 'verdict': 'faster'}}],"
    " 'checks': ["
    "  {'what': 'not slower: S, never, 1 in flight', 'good': true, 'text': '1.000 of the speed of plain'},"
    "  {'what': 'not slower: S, auto, 1 in flight', 'good': true, 'text': '1.100 of the speed of plain'},"
    "  {'what': 'not slower: S, auto-async, 64 in flight', 'good': true, 'text': '1.300 of the speed of plain'},"
    "  {'what': 'not slower: S, auto-callback, 64 in flight', 'good': true, 'text': '1.300 of the speed of plain'},"
    "  {'what': 'not slower: S, auto-slow, 1 in flight', 'good': true, 'text': '1.000 of the speed of plain'},"
    "  {'what': 'not slower: S, auto-async-slow, 64 in flight', 'good': true, 'text': '1.000 of the speed of plain'},"
    "  {'what': 'not slower: S, auto-dead, 1 in flight', 'good': true, 'text': '1.000 of the speed of plain'},"
    "  {'what': 'not slower: S, auto-async-dead, 64 in flight', 'good': true, 'text': '1.000 of the speed of plain'},"
    "  {'what': 'Amdahl: S, auto-async-infinite, 64 in flight', 'good': true, 'text': 'gain 1.3'}]}";

static json_t *parse(const char *text)
{
    char copy[sizeof(good_report)];
    json_error_t error;
    snprintf(copy, sizeof(copy), "%s", text);
    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    json_t *report = json_loads(copy, 0, &error);
    cr_assert_not_null(report, "%s", error.text);
    return report;
}

// The value at a path of keys and array indices, to be replaced.
static void spoil(json_t *report, const char *section, size_t row, const char *key, const char *inner, json_t *value)
{
    json_t *at = json_array_get(json_object_get(report, section), row);
    cr_assert_not_null(at);
    if (inner) {
        cr_assert_not_null(json_object_get(json_object_get(at, key), inner));
        json_object_set_new(json_object_get(at, key), inner, value);
    } else
        json_object_set_new(at, key, value);
}

static size_t missed(const json_t *report, const char *target)
{
    size_t index, count = 0;
    json_t *row;
    json_array_foreach(json_object_get(report, "targets"), index, row)
    {
        if (strcmp(report_text(row, "target"), target) == 0)
            count += strcmp(report_text(row, "outcome"), "MISSED") == 0;
    }
    return count;
}

Test(targets, a_good_report_keeps_every_promise)
{
    json_t *report = parse(good_report);
    targets_judge(report);
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(report, "targets"), index, row) cr_expect(
        json_is_true(json_object_get(row, "good")), "%s: %s", report_text(row, "target"), report_text(row, "text"));
    cr_assert(targets_hold(report));
    cr_assert_geq(report_count(report, "targets"), 17);
    json_decref(report);
}

Test(targets, each_promise_can_be_missed)
{
    const struct {
        const char *target, *section;
        size_t row;
        const char *key, *inner;
        json_t *value;
    } faults[] = {
        {"host CPU of an operation, polled", "operations", 0, "cpu_us", "median", json_real(2.1)},
        {"host CPU of an operation, in an ASYNC_JOB", "operations", 1, "cpu_us", "median", json_real(6.1)},
        {"host CPU of an operation, in an ASYNC_JOB", "operations", 1, "served_by", NULL, json_string("mixed")},
        {"async gain", "handshakes", 0, "gain", "ratio", json_real(1.24)},
        {"async gain without the offload's own CPU", "handshakes", 0, "gain", "ratio", json_real(1.22)},
        {"async gain by descriptors", "handshakes", 4, "gain", "ratio", json_real(1.24)},
        {"never slower than stock", "checks", 0, "good", NULL, json_false()},
        {"never slower than stock", "checks", 7, "good", NULL, json_false()},
        {"software faster than stock 3.0", "handshakes", 1, "gain", "verdict", json_string("inside the A/A spread")},
        {"no gain above the Amdahl limit", "checks", 8, "good", NULL, json_false()},
    };
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        json_t *report = parse(good_report);
        spoil(report, faults[i].section, faults[i].row, faults[i].key, faults[i].inner, faults[i].value);
        targets_judge(report);
        cr_expect_gt(missed(report, faults[i].target), 0, "fault %zu: %s", i, faults[i].target);
        cr_expect_not(targets_hold(report), "fault %zu", i);
        json_decref(report);
    }
}

Test(targets, prices_a_pooled_key_without_the_misses)
{
    // (9.4 - 0.1 x 40) / 0.9 = 6.0 for the key, 5.0 for the derive, 1.5 for the other threads
    json_t *report = parse(good_report);
    targets_judge(report);
    size_t index;
    json_t *row;
    bool found = false;
    json_array_foreach(json_object_get(report, "targets"), index, row) found |=
        strstr(report_text(row, "text"), "own: 12.5 us = ") != NULL;
    cr_assert(found);
    json_decref(report);
}

Test(targets, the_spread_is_granted_once)
{
    // 0.90 of 1.4 is 1.26; with a spread of 1 % from 1.246 on
    json_t *report = parse(good_report);
    spoil(report, "handshakes", 0, "gain", "ratio", json_real(1.25));
    targets_judge(report);
    cr_assert_eq(missed(report, "async gain"), 0);
    json_decref(report);
}

Test(targets, other_versions_of_openssl_promise_nothing_about_3_0)
{
    json_t *report = parse(good_report);
    json_object_set_new(json_object_get(report, "machine"), "openssl", json_string("OpenSSL 3.5.1 1 Jul 2025"));
    spoil(report, "handshakes", 1, "gain", "verdict", json_string("slower"));
    targets_judge(report);
    cr_assert(targets_hold(report));
    json_decref(report);
}

Test(targets, what_was_not_measured_does_not_hold)
{
    json_t *report = parse(good_report);
    json_array_clear(json_object_get(report, "operations"));
    targets_judge(report);
    cr_assert_not(targets_hold(report));
    cr_assert_eq(missed(report, "host CPU of an operation, polled"), 0, "it is not missed either");
    json_decref(report);
}

// Rows of stock and of one variant, five rounds; spread is that of this row's A/A pair.
static void add_row(json_t *report, const char *suite, const char *variant, double cpu_us, double ratio, double spread)
{
    json_t *row =
        json_pack("{s:s, s:s, s:s, s:s, s:i, s:{s:[f, f, f, f, f]}, s:{s:f, s:f, s:s}}", "suite", suite, "handshake",
                  "full", "load", "closed", "variant", variant, "in_flight", 64, "server_cpu_us", "values", cpu_us,
                  cpu_us, cpu_us, cpu_us, cpu_us, "gain", "ratio", ratio, "aa_spread", spread, "verdict", "slower");
    cr_assert_not_null(row);
    report_add(report, "handshakes", row);
}

static size_t bad_checks(const json_t *report)
{
    size_t index, count = 0;
    json_t *row;
    json_array_foreach(json_object_get(report, "checks"), index, row) count +=
        !json_is_true(json_object_get(row, "good"));
    return count;
}

Test(not_slower, compares_with_stock_in_the_same_mode)
{
    const struct {
        double async_us, ours_us;
        size_t checks, bad;
    } cases[] = {
        {100, 100, 2, 0}, // as fast as both
        {100, 105, 2, 2}, // slower than both
        {110, 105, 1, 0}, // SSL_MODE_ASYNC alone costs more: only the asynchronous rival counts
        {110, 115, 1, 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *report = json_pack("{s:[], s:[]}", "handshakes", "checks");
        add_row(report, "S", "plain-async", cases[i].async_us, 100 / cases[i].async_us, 0.02);
        add_row(report, "S", "auto-async-dead", cases[i].ours_us, 100 / cases[i].ours_us, 0.02);
        gain_checks_not_slower(report);
        cr_expect_eq(report_count(report, "checks"), cases[i].checks, "case %zu", i);
        cr_expect_eq(bad_checks(report), cases[i].bad, "case %zu", i);
        json_decref(report);
    }
}

Test(not_slower, a_spread_small_by_luck_does_not_decide)
{
    json_t *report = json_pack("{s:[], s:[]}", "handshakes", "checks");
    add_row(report, "S", "auto", 101, 0.99, 0.001);
    add_row(report, "T", "always", 100, 1.0, 0.02);
    add_row(report, "U", "always", 100, 1.0, 0.03);
    add_row(report, "V", "auto", 104, 0.96, 0.001); // beyond the run's spread too
    add_row(report, "W", "always", 100, 1.0, 0.02);
    gain_checks_not_slower(report);
    cr_assert_eq(report_count(report, "checks"), 2, "always promises nothing");
    cr_assert_eq(bad_checks(report), 1);
    json_decref(report);
}

Test(amdahl, gain_above_the_limit_is_not_believed)
{
    json_t *report = json_pack("{s:[], s:[]}", "handshakes", "checks");
    const struct {
        double ratio, limit;
    } rows[] = {{1.40, 1.4}, {1.42, 1.4}, {1.47, 1.4}, {9, 0}}; // the last one's limit is unknown
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        add_row(report, i % 2 ? "S" : "T", "auto-async", 100, rows[i].ratio, 0.02);
        json_t *row = json_array_get(json_object_get(report, "handshakes"), i);
        json_object_set_new(json_object_get(row, "gain"), "limit", json_real(rows[i].limit));
    }
    gain_checks_amdahl(report);
    cr_assert_eq(report_count(report, "checks"), 3);
    cr_assert_eq(bad_checks(report), 1);
    json_decref(report);
}
