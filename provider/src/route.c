// SPDX-License-Identifier: Apache-2.0
#include "route.h"
#include "ec_key.h"
#include "key.h"
#include "log.h"
#include "provider.h"
#include "software_ec.h"

#include <openssl/evp.h>
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

// EC, which only software does so far.
struct ec_work {
    enum eph_opcode opcode;
    const struct eph_ec_curve *curve;
    EVP_PKEY_CTX *custom;          // parameters beyond the curve, or NULL
    EVP_PKEY *made;                // KEYGEN: the result
    struct eph_ec_key *own, *peer; // DERIVE
    uint8_t *secret;
    size_t *bytes;
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

// The pool serves every policy but never: its keys were made by the device, in time.
bool eph_route_pooled(struct eph_provider *provider, struct eph_key *key)
{
    struct eph_process *process = eph_process_current(provider);
    if (process == NULL || !provider->config.valid || provider->config.offload == EPH_OFFLOAD_NEVER)
        return false;
    uint64_t start_ns = now_ns();
    if (!eph_pool_take(provider, process, key))
        return false;
    eph_stats_operation(&process->stats, EPH_CURVE_X25519, EPH_OP_KEYGEN, EPH_STATS_SERVED_POOL, now_ns() - start_ns);
    return true;
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

static bool do_ec(struct eph_provider *provider, struct ec_work *work)
{
    if (work->opcode == EPH_OP_DERIVE)
        return work->custom != NULL
                   ? EVP_PKEY_derive(work->custom, work->secret, work->bytes) > 0
                   : eph_software_ec_derive(&provider->software, work->own, work->peer, work->secret, work->bytes);
    work->made = eph_software_ec_generate(&provider->software, work->curve, work->custom);
    return work->made != NULL;
}

// Counted like any other operation; that no device is asked is policy, not a fallback.
static bool run_ec(struct eph_provider *provider, struct ec_work *work)
{
    struct eph_process *process = work->curve != NULL ? eph_process_current(provider) : NULL;
    uint64_t start_ns = now_ns();
    bool done = do_ec(provider, work);
    if (process == NULL)
        return done;
    eph_stats_policy(&process->stats, provider->config.valid && provider->config.offload == EPH_OFFLOAD_NEVER
                                          ? EPH_POLICY_NEVER
                                          : EPH_POLICY_CURVE);
    eph_stats_operation(&process->stats, work->curve->id, work->opcode, EPH_STATS_SERVED_SOFTWARE, now_ns() - start_ns);
    return done;
}

EVP_PKEY *eph_route_ec_keygen(struct eph_provider *provider, const struct eph_ec_curve *curve, EVP_PKEY_CTX *generator)
{
    struct ec_work work = {.opcode = EPH_OP_KEYGEN, .curve = curve, .custom = generator};
    run_ec(provider, &work);
    return work.made;
}

bool eph_route_ec_derive(struct eph_provider *provider, struct eph_ec_key *own, struct eph_ec_key *peer,
                         EVP_PKEY_CTX *derivation, uint8_t *secret, size_t *bytes)
{
    struct ec_work work = {EPH_OP_DERIVE, own->curve, derivation, NULL, own, peer, secret, bytes};
    return run_ec(provider, &work);
}
