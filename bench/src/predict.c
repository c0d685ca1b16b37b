// SPDX-License-Identifier: Apache-2.0
// "What would this give me?", answered without any device: the phases measured, minus what a device takes over, plus
// what the host still pays. The host costs below are stated goals of this project, not measurements; where this run
// measured them (operations with a device), the measured ones are used. A prediction is never printed beside a
// measurement.
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double POOL_US = 2.0;  // a ready pair from the key pool: taking it and submitting its replacement
static const double ASYNC_US = 6.0; // one device operation inside an ASYNC_JOB: pause, eventfd, resume
static const double CHECK_US = 5.0; // import and on-curve check of a peer's point, Weierstrass curves

struct host_cost {
    double us;
    const char *source;
};

// CPU per operation that this run measured through the provider, or the stated cost. More than one in flight: of
// operations that paused their job, since a call that blocks in a job is not asynchronous.
static struct host_cost host_cost(const json_t *report, const char *served_by, int in_flight, double stated_us)
{
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(report, "operations"), index,
                       row) if (strcmp(report_text(row, "class"), CLASS_MEASURED) == 0 &&
                                strcmp(report_text(row, "served_by"), served_by) == 0 &&
                                (int)report_number(row, "in_flight") == in_flight &&
                                (in_flight == 1 || report_number(row, "pauses") > 0.5)) return (struct host_cost){
        report_median(row, "cpu_us"), "measured in this run"};
    return (struct host_cost){stated_us, "stated, not measured"};
}

// The suites that our provider takes over: plain ECDHE with a known cost. A hybrid's keygen cannot be told apart inside
// the KEM call, finite-field groups stay with stock OpenSSL.
static bool predictable(const json_t *suite)
{
    const char *name = report_text(suite, "suite");
    const json_t *phases = json_object_get(suite, "phases_us");
    return phases && report_number(suite, "ecdhe_us") > 0 && report_number(phases, "kem") <= 0 &&
           !strstr(name, "ffdhe");
}

static json_t *predict(const json_t *suite, const struct host_cost *pool, const struct host_cost *async)
{
    const json_t *phases = json_object_get(suite, "phases_us");
    double total_us = report_number(suite, "probed_us"), check_us = report_number(phases, "check");
    double keygen_us = report_number(phases, "keygen"), derive_us = report_number(phases, "derive");
    bool weierstrass =
        strstr(report_text(suite, "suite"), "/P-") != NULL; // elsewhere there is no validation to make cheaper
    double software_us = total_us - check_us + (weierstrass ? fmin(check_us, CHECK_US) : check_us);
    double pool_us = software_us - keygen_us + fmin(keygen_us, pool->us);
    double async_us = pool_us - derive_us + fmin(derive_us, async->us);
    return json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:s, s:f, s:s, s:f}", "class", CLASS_PREDICTED,
                     "suite", report_text(suite, "suite"), "handshake", report_text(suite, "handshake"), "amdahl_limit",
                     report_number(suite, "amdahl_limit"), "aa_spread", report_number(suite, "aa_spread"),
                     "gain_software", total_us / software_us, "gain_pool", total_us / pool_us, "gain_async",
                     total_us / async_us, "host_pool_us", pool->us, "host_pool_source", pool->source, "host_async_us",
                     async->us, "host_async_source", async->source, "host_check_us", CHECK_US);
}

void predictions_make(struct bench *bench)
{
    size_t index;
    json_t *suite;
    struct host_cost pool = host_cost(bench->report, "pool", 1, POOL_US);
    struct host_cost async = host_cost(bench->report, "device", 8, ASYNC_US);
    json_array_foreach(json_object_get(bench->report, "suites"), index, suite) if (predictable(suite))
        report_add(bench->report, "predictions", predict(suite, &pool, &async));
}
