// SPDX-License-Identifier: Apache-2.0
// Statistics of the provider: the file that each process maps when `stats` names a directory, and their text form.
//
// File: PID-START.eph, one struct eph_stats_page, host byte order. Its process holds an exclusive flock on it while it
// lives, so a file that can be locked belongs to the dead (robust against reused pids and other pid namespaces).
// Counters only grow, except gauges; they are written with relaxed atomics and may be read at any time.
#ifndef EPHEMERA_STATS_H
#define EPHEMERA_STATS_H

#include <ephemera/wire.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

// Who served an operation.
#define EPH_STATS_SERVED(X) X(DEVICE, "device") X(SOFTWARE, "software") X(POOL, "pool")

// Why an operation that policy gave to the device was done in software: name, label, text.
#define EPH_STATS_CAUSES(X)                                                                                            \
    X(CONFIG, "config", "wrong configuration")                                                                         \
    X(NO_DEVICE, "no_device", "no device")                                                                             \
    X(PERMISSION, "permission", "no permission to use the device")                                                     \
    X(PROTOCOL, "protocol", "the device speaks another protocol")                                                      \
    X(UNSUPPORTED, "unsupported", "the device has no such operation")                                                  \
    X(ATTACHING, "attaching", "another thread is attaching the device")                                                \
    X(MEMORY, "memory", "out of memory")                                                                               \
    X(FULL, "full", "the queue is full")                                                                               \
    X(TIMEOUT, "timeout", "the device did not answer within the deadline")                                             \
    X(GONE, "gone", "the device is gone")                                                                              \
    X(BREAKER, "breaker", "the circuit breaker is open after repeated failures")                                       \
    X(BAD_RESULT, "bad_result", "the device's result failed our check")                                                \
    X(DEVICE_CHECK, "device_check", "the device failed its own check")                                                 \
    X(ABORTED, "aborted", "the device was reset")                                                                      \
    X(BAD_ANSWER, "bad_answer", "the device gave an impossible answer")                                                \
    X(RANDOM, "random", "no random blind")                                                                             \
    X(ASYNC_FULL, "async_full", "too many paused jobs")

// Why policy itself chose software: name, label, text.
#define EPH_STATS_POLICIES(X)                                                                                          \
    X(NEVER, "offload_never", "offload=never")                                                                         \
    X(CURVE, "curve_not_offloaded", "keys of this curve are made in software so far")                                  \
    X(IMPORTED, "imported_key", "offload=auto, and the key is imported, not ephemeral")                                \
    X(UNMEASURED, "software_cost_unmeasured", "offload=auto, and what software costs here is still being measured")    \
    X(SLOWER, "device_slower", "offload=auto, and the device would answer later than software")                        \
    X(LATE, "device_late", "offload=auto in an async job, and the device would need more than half of the deadline")   \
    X(NO_RELIEF, "no_relief", "offload=auto in an async job, and an offload costs the host more than software")

#define EPH_STATS_ENUM2(name, label) EPH_STATS_SERVED_##name,
enum eph_stats_served { EPH_STATS_SERVED(EPH_STATS_ENUM2) EPH_STATS_SERVED_COUNT };
#undef EPH_STATS_ENUM2
#define EPH_STATS_ENUM3(name, label, text) EPH_CAUSE_##name,
enum eph_stats_cause { EPH_STATS_CAUSES(EPH_STATS_ENUM3) EPH_CAUSE_COUNT };
#undef EPH_STATS_ENUM3
#define EPH_STATS_ENUM3(name, label, text) EPH_POLICY_##name,
enum eph_stats_policy { EPH_STATS_POLICIES(EPH_STATS_ENUM3) EPH_POLICY_COUNT };
#undef EPH_STATS_ENUM3

#define EPH_STATS_NAME2(name, label)       label,
#define EPH_STATS_NAME3(name, label, text) label,
#define EPH_STATS_TEXT3(name, label, text) text,
static const char *const eph_stats_served_name[] = {EPH_STATS_SERVED(EPH_STATS_NAME2)};
static const char *const eph_stats_policy_name[] = {EPH_STATS_POLICIES(EPH_STATS_NAME3)};
static const char *const eph_stats_policy_text[] = {EPH_STATS_POLICIES(EPH_STATS_TEXT3)};
static const char *const eph_stats_cause_name[] = {EPH_STATS_CAUSES(EPH_STATS_NAME3)};
static const char *const eph_stats_cause_text[] = {EPH_STATS_CAUSES(EPH_STATS_TEXT3)};
#undef EPH_STATS_NAME2
#undef EPH_STATS_NAME3
#undef EPH_STATS_TEXT3

enum {
    EPH_STATS_CURVES = EPH_CURVE_COUNT - 1,
    EPH_STATS_OPS = 2,
    EPH_STATS_SERIES = EPH_STATS_CURVES * EPH_STATS_OPS * EPH_STATS_SERVED_COUNT, // curve, op, served
    EPH_STATS_BUCKETS = 18,                                                       // of a latency histogram
    EPH_STATS_BUCKET0_LOG2_NS = 13, // bucket b: up to 2^(13 + b) ns; the last is open
    EPH_STATS_AGE_BUCKETS = 9,      // of the ages of pooled keys: up to 4^b ms; the last is open
    EPH_STATS_VERSION = 2,
};

#define EPH_STATS_MAGIC UINT64_C(0x315354415453504d) // "MPSTATS1"

// The key pool: hits are also operations with served="pool".
struct eph_stats_pool {
    uint64_t hits, misses;
    uint64_t made;                       // keys that entered the pool, each checked
    uint64_t expired;                    // wiped unused since they were too old
    uint64_t discarded;                  // asked of the device, which failed, answered wrongly or too late
    uint64_t refused;                    // processes without a pool since memory could not be locked
    uint64_t age[EPH_STATS_AGE_BUCKETS]; // of keys when they were used
    uint64_t age_sum_ns;
};

struct eph_stats_counters {
    uint64_t operations[EPH_STATS_SERIES];
    uint64_t latency[EPH_STATS_SERIES][EPH_STATS_BUCKETS]; // operations by time spent inside the call
    uint64_t latency_sum_ns[EPH_STATS_SERIES];
    uint64_t fallbacks[EPH_CAUSE_COUNT];
    uint64_t policy[EPH_POLICY_COUNT];
    uint64_t device_cycles;
    uint64_t breaker; // gauge: enum eph_breaker
    struct eph_stats_pool pool;
    uint64_t pool_keys;    // gauge: keys waiting in the pool
    uint64_t async_paused; // gauge: jobs waiting for the device
    uint64_t async_resumed, async_abandoned;
};

struct eph_stats_page {
    uint64_t magic;
    uint32_t version;
    uint32_t bytes; // of this structure
    uint64_t pid;
    uint64_t start_ms; // CLOCK_REALTIME
    char device[256];  // device string of the configuration
    char note[256];    // last trouble with the device, or ""
    // In the file that collects the dead: the file added last, so that a crash between adding and unlinking adds it
    // once.
    uint64_t folded_pid, folded_start_ms;
    struct eph_stats_counters counters;
};

// Index of a series; curve is enum eph_curve, opcode enum eph_opcode.
static inline unsigned eph_stats_series(unsigned curve, unsigned opcode, unsigned served)
{
    return ((curve - 1) * EPH_STATS_OPS + (opcode - 1)) * EPH_STATS_SERVED_COUNT + served;
}

static inline unsigned eph_stats_bucket(uint64_t ns)
{
    unsigned bucket = 0;
    while (bucket < EPH_STATS_BUCKETS - 1 && ns > UINT64_C(1) << (EPH_STATS_BUCKET0_LOG2_NS + bucket))
        bucket++;
    return bucket;
}

static inline unsigned eph_stats_age_bucket(uint64_t ns)
{
    unsigned bucket = 0;
    while (bucket < EPH_STATS_AGE_BUCKETS - 1 && ns > UINT64_C(1000000) << (2 * bucket))
        bucket++;
    return bucket;
}

static inline void eph_stats_print_pool(FILE *out, const struct eph_stats_counters *counters)
{
    const struct eph_stats_pool *pool = &counters->pool;
    const struct {
        const char *name, *help;
        uint64_t value;
    } rows[] = {
        {"hits", "Key generations served from the key pool.", pool->hits},
        {"misses", "Key generations that found the key pool empty.", pool->misses},
        {"made", "Keys that the device made for the pool, each checked.", pool->made},
        {"expired", "Pooled keys wiped unused since they were too old.", pool->expired},
        {"discarded", "Pooled keys that the device failed to make.", pool->discarded},
        {"refused", "Processes without a key pool since their memory could not be locked.", pool->refused},
    };
    for (unsigned r = 0; r < sizeof rows / sizeof rows[0]; r++)
        fprintf(out,
                "# TYPE ephemera_pool_%s counter\n# HELP ephemera_pool_%s %s\nephemera_pool_%s_total %" PRIu64 "\n",
                rows[r].name, rows[r].name, rows[r].help, rows[r].name, rows[r].value);
    fprintf(out,
            "# TYPE ephemera_pool_keys gauge\n"
            "# HELP ephemera_pool_keys Keys waiting in the pools of the living processes.\n"
            "ephemera_pool_keys %" PRIu64 "\n",
            counters->pool_keys);
    fprintf(out, "# TYPE ephemera_pool_age_seconds histogram\n"
                 "# HELP ephemera_pool_age_seconds Age of pooled keys when they were used.\n");
    uint64_t total = 0;
    for (unsigned b = 0; b < EPH_STATS_AGE_BUCKETS; b++) {
        total += pool->age[b];
        if (b == EPH_STATS_AGE_BUCKETS - 1)
            fprintf(out, "ephemera_pool_age_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n", total);
        else
            fprintf(out, "ephemera_pool_age_seconds_bucket{le=\"%.3f\"} %" PRIu64 "\n",
                    (double)(UINT64_C(1) << (2 * b)) / 1e3, total);
    }
    fprintf(out, "ephemera_pool_age_seconds_sum %.9f\nephemera_pool_age_seconds_count %" PRIu64 "\n",
            (double)pool->age_sum_ns / 1e9, total);
}

static inline void eph_stats_print_async(FILE *out, const struct eph_stats_counters *counters)
{
    fprintf(out,
            "# TYPE ephemera_async_jobs gauge\n"
            "# HELP ephemera_async_jobs Async jobs of the living processes that wait for the device.\n"
            "ephemera_async_jobs{state=\"paused\"} %" PRIu64 "\n"
            "# TYPE ephemera_async_ended counter\n"
            "# HELP ephemera_async_ended Paused jobs that went on, or whose connection was freed instead.\n"
            "ephemera_async_ended_total{how=\"resumed\"} %" PRIu64 "\n"
            "ephemera_async_ended_total{how=\"abandoned\"} %" PRIu64 "\n",
            counters->async_paused, counters->async_resumed, counters->async_abandoned);
}

static inline void eph_stats_print_histogram(FILE *out, const struct eph_stats_counters *counters, unsigned series,
                                             const char *labels)
{
    uint64_t total = 0;
    for (unsigned b = 0; b < EPH_STATS_BUCKETS; b++) {
        total += counters->latency[series][b];
        if (b == EPH_STATS_BUCKETS - 1)
            fprintf(out, "ephemera_latency_seconds_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n", labels, total);
        else
            fprintf(out, "ephemera_latency_seconds_bucket{%s,le=\"%.9f\"} %" PRIu64 "\n", labels,
                    (double)(UINT64_C(1) << (EPH_STATS_BUCKET0_LOG2_NS + b)) / 1e9, total);
    }
    fprintf(out, "ephemera_latency_seconds_count{%s} %" PRIu64 "\n", labels, total);
    fprintf(out, "ephemera_latency_seconds_sum{%s} %.9f\n", labels, (double)counters->latency_sum_ns[series] / 1e9);
}

// OpenMetrics text, "# EOF" included. Histograms of series without operations are left out.
static inline void eph_stats_print(FILE *out, const struct eph_stats_counters *counters)
{
    static const char *const curves[] = {
#define EPH_CURVE(name, value, bytes, text) [value - 1] = text,
#include <isa.def>
    };
    static const char *const opcodes[] = {
#define EPH_OPCODE(name, value, text) [value - 1] = text,
#include <isa.def>
    };
    char labels[EPH_STATS_SERIES][80];
    for (unsigned s = 0; s < EPH_STATS_SERIES; s++)
        snprintf(labels[s], sizeof labels[s], "curve=\"%s\",op=\"%s\",served=\"%s\"",
                 curves[s / EPH_STATS_SERVED_COUNT / EPH_STATS_OPS],
                 opcodes[s / EPH_STATS_SERVED_COUNT % EPH_STATS_OPS],
                 eph_stats_served_name[s % EPH_STATS_SERVED_COUNT]);

    fprintf(out, "# TYPE ephemera_operations counter\n# HELP ephemera_operations Key generations and derivations.\n");
    for (unsigned s = 0; s < EPH_STATS_SERIES; s++)
        fprintf(out, "ephemera_operations_total{%s} %" PRIu64 "\n", labels[s], counters->operations[s]);
    fprintf(out, "# TYPE ephemera_fallbacks counter\n"
                 "# HELP ephemera_fallbacks Operations meant for the device that software had to do.\n");
    for (unsigned c = 0; c < EPH_CAUSE_COUNT; c++)
        fprintf(out, "ephemera_fallbacks_total{cause=\"%s\"} %" PRIu64 "\n", eph_stats_cause_name[c],
                counters->fallbacks[c]);
    fprintf(out, "# TYPE ephemera_policy_software counter\n"
                 "# HELP ephemera_policy_software Operations that the routing policy gave to software.\n");
    for (unsigned r = 0; r < EPH_POLICY_COUNT; r++)
        fprintf(out, "ephemera_policy_software_total{reason=\"%s\"} %" PRIu64 "\n", eph_stats_policy_name[r],
                counters->policy[r]);
    fprintf(out,
            "# TYPE ephemera_device_cycles counter\n"
            "# HELP ephemera_device_cycles Clock cycles that the device spent on our operations.\n"
            "ephemera_device_cycles_total %" PRIu64 "\n",
            counters->device_cycles);
    fprintf(
        out,
        "# TYPE ephemera_breaker_state gauge\n"
        "# HELP ephemera_breaker_state Circuit breaker: 0 closed, 1 open, 2 half open; the worst of the processes.\n"
        "ephemera_breaker_state %" PRIu64 "\n",
        counters->breaker);
    eph_stats_print_pool(out, counters);
    eph_stats_print_async(out, counters);
    fprintf(out, "# TYPE ephemera_latency_seconds histogram\n"
                 "# HELP ephemera_latency_seconds Time inside one operation, host view.\n");
    for (unsigned s = 0; s < EPH_STATS_SERIES; s++)
        if (counters->operations[s] != 0)
            eph_stats_print_histogram(out, counters, s, labels[s]);
    fprintf(out, "# EOF\n");
}

#endif
