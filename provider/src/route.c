// SPDX-License-Identifier: Apache-2.0
#include "route.h"
#include "key.h"
#include "log.h"
#include "provider.h"

#include <string.h>
#include <time.h>

// A card of this class has throughput, not latency: one operation takes about a millisecond, software tens of
// microseconds. So a synchronous call is offloaded on its own account only where the device answers sooner than
// software would.
enum { COST_SAMPLES = 8 }; // of software, before policy compares the device with it

enum plan { PLAN_SOFTWARE, PLAN_DEVICE, PLAN_FASTER };

static const struct {
    enum eph_offload offload;
    bool imported; // key from a file or another provider: not ephemeral, no forward secrecy to gain
    enum plan plan;
    enum eph_stats_policy reason; // of software
} policy[] = {
    {EPH_OFFLOAD_ALWAYS, false, PLAN_DEVICE, EPH_POLICY_COUNT},
    {EPH_OFFLOAD_ALWAYS, true, PLAN_DEVICE, EPH_POLICY_COUNT},
    {EPH_OFFLOAD_AUTO, false, PLAN_FASTER, EPH_POLICY_SLOWER},
    {EPH_OFFLOAD_AUTO, true, PLAN_SOFTWARE, EPH_POLICY_IMPORTED},
    {EPH_OFFLOAD_NEVER, false, PLAN_SOFTWARE, EPH_POLICY_NEVER},
    {EPH_OFFLOAD_NEVER, true, PLAN_SOFTWARE, EPH_POLICY_NEVER},
};

struct operation {
    enum eph_opcode opcode;
    struct eph_key *key;
    const uint8_t *peer_u; // DERIVE
    uint8_t *output;       // 32 bytes
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

// True: to the device. False: policy chose software, for *reason.
static bool choose_device(struct eph_provider *provider, struct eph_process *process, const struct operation *operation,
                          enum eph_stats_policy *reason)
{
    size_t row = 0;
    while (policy[row].offload != provider->config.offload || policy[row].imported != operation->key->imported)
        row++;
    *reason = policy[row].reason;
    if (policy[row].plan != PLAN_FASTER)
        return policy[row].plan == PLAN_DEVICE;

    struct eph_cost *cost = &provider->software_cost[operation->opcode - 1];
    if (atomic_load_explicit(&cost->samples, memory_order_acquire) < COST_SAMPLES) {
        *reason = EPH_POLICY_UNMEASURED;
        return false;
    }
    uint64_t software_ns = atomic_load_explicit(&cost->least_ns, memory_order_relaxed);
    return eph_offload_latency_ns(provider, process, operation->opcode, EPH_CURVE_X25519) < software_ns;
}

static void fall_back(struct eph_provider *provider, struct eph_process *process, enum eph_stats_cause cause,
                      const char *detail)
{
    eph_stats_fallback(&process->stats, cause);
    eph_log_cause(provider, cause, detail);
}

static bool run_on_device(struct eph_provider *provider, struct eph_process *process, const struct operation *operation,
                          enum eph_outcome *outcome)
{
    struct eph_answer answer;
    uint64_t start_ns = now_ns();
    *outcome = eph_offload_x25519(provider, process, operation->key->scalar, operation->peer_u, &answer);
    eph_stats_cycles(&process->stats, answer.cycles);
    if (*outcome == EPH_OUTCOME_FAULT) {
        fall_back(provider, process, answer.cause, answer.detail);
    } else {
        if (*outcome == EPH_OUTCOME_OK)
            memcpy(operation->output, answer.secret_result, sizeof answer.secret_result);
        eph_stats_operation(&process->stats, EPH_CURVE_X25519, operation->opcode, EPH_STATS_SERVED_DEVICE,
                            now_ns() - start_ns);
    }
    eph_secret_wipe(&answer, sizeof answer);
    return *outcome != EPH_OUTCOME_FAULT;
}

// The least of the first samples: interruptions and cold caches only ever add.
static void measure(struct eph_cost *cost, uint64_t spent_ns)
{
    if (atomic_load_explicit(&cost->samples, memory_order_relaxed) >= COST_SAMPLES)
        return;
    uint64_t least_ns = atomic_load_explicit(&cost->least_ns, memory_order_relaxed);
    while ((least_ns == 0 || spent_ns < least_ns) &&
           !atomic_compare_exchange_weak_explicit(&cost->least_ns, &least_ns, spent_ns, memory_order_relaxed,
                                                  memory_order_relaxed))
        ;
    // Release: who sees enough samples sees the least of them.
    atomic_fetch_add_explicit(&cost->samples, 1, memory_order_release);
}

static bool run_in_software(struct eph_provider *provider, struct eph_process *process,
                            const struct operation *operation)
{
    uint64_t start_ns = now_ns();
    bool done = operation->opcode == EPH_OP_KEYGEN
                    ? eph_software_keygen(&provider->software, operation->key)
                    : eph_software_derive(&provider->software, operation->key, operation->peer_u, operation->output);
    if (process == NULL)
        return done;
    uint64_t spent_ns = now_ns() - start_ns;
    measure(&provider->software_cost[operation->opcode - 1], spent_ns);
    eph_stats_operation(&process->stats, EPH_CURVE_X25519, operation->opcode, EPH_STATS_SERVED_SOFTWARE, spent_ns);
    return done;
}

static bool run(struct eph_provider *provider, const struct operation *operation)
{
    struct eph_process *process = eph_process_current(provider);
    enum eph_stats_policy reason;
    enum eph_outcome outcome;
    if (process != NULL) {
        if (!provider->config.valid)
            fall_back(provider, process, EPH_CAUSE_CONFIG, "");
        else if (!choose_device(provider, process, operation, &reason))
            eph_stats_policy(&process->stats, reason);
        else if (run_on_device(provider, process, operation, &outcome))
            return outcome == EPH_OUTCOME_OK;
    }
    return run_in_software(provider, process, operation);
}

bool eph_route_keygen(struct eph_provider *provider, struct eph_key *key)
{
    const struct operation operation = {EPH_OP_KEYGEN, key, NULL, key->public_u};
    return run(provider, &operation);
}

bool eph_route_derive(struct eph_provider *provider, struct eph_key *key, const uint8_t *peer_u, uint8_t *secret)
{
    const struct operation operation = {EPH_OP_DERIVE, key, peer_u, secret};
    return run(provider, &operation);
}
