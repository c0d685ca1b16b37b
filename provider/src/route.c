// SPDX-License-Identifier: Apache-2.0
#include "route.h"
#include "clock.h"
#include "ec_key.h"
#include "key.h"
#include "log.h"
#include "provider.h"

#include <string.h>

// A card of this class has throughput, not latency: one operation takes about a millisecond, software tens of
// microseconds. So a synchronous call is offloaded on its own account only where the device answers sooner than
// software would; a job that can be paused, where the offload costs the host less CPU time than software and the
// answer leaves room for a second try before the deadline.
enum plan { PLAN_SOFTWARE, PLAN_DEVICE, PLAN_FASTER, PLAN_RELIEF };

static const struct {
    enum eph_offload offload;
    bool imported; // key from a file or another provider: not ephemeral, no forward secrecy to gain
    enum plan plan, async_plan;
    enum eph_stats_policy reason; // of PLAN_SOFTWARE
} policy[] = {
    {EPH_OFFLOAD_ALWAYS, false, PLAN_DEVICE, PLAN_DEVICE, EPH_POLICY_COUNT},
    {EPH_OFFLOAD_ALWAYS, true, PLAN_DEVICE, PLAN_DEVICE, EPH_POLICY_COUNT},
    {EPH_OFFLOAD_AUTO, false, PLAN_FASTER, PLAN_RELIEF, EPH_POLICY_COUNT},
    {EPH_OFFLOAD_AUTO, true, PLAN_SOFTWARE, PLAN_SOFTWARE, EPH_POLICY_IMPORTED},
    {EPH_OFFLOAD_NEVER, false, PLAN_SOFTWARE, PLAN_SOFTWARE, EPH_POLICY_NEVER},
    {EPH_OFFLOAD_NEVER, true, PLAN_SOFTWARE, PLAN_SOFTWARE, EPH_POLICY_NEVER},
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
    void *custom;                  // default's generation or exchange with further parameters, or NULL
    void *made;                    // KEYGEN: the result
    struct eph_ec_key *own, *peer; // DERIVE
    uint8_t *secret;
    size_t *bytes;
};

static uint64_t now_ns(void)
{
    return eph_clock_ns(CLOCK_MONOTONIC);
}

// An estimate that is far from the limit, on either side, stands for a while: to ask takes locks, and a clock.
enum { FAR = 4 }; // times
#define STANDS_NS UINT64_C(10000000)

static bool is_soon_enough(struct eph_provider *provider, struct eph_process *process, enum eph_opcode opcode,
                           bool relief, uint64_t software_ns)
{
    _Atomic uint64_t *verdict = &process->verdict[relief][opcode == EPH_OP_DERIVE]; // until when * 2 + is it?
    uint64_t now = eph_clock_ns(CLOCK_MONOTONIC_COARSE), last = atomic_load_explicit(verdict, memory_order_relaxed);
    if (now < last / 2)
        return last & 1;
    struct eph_estimate estimate = eph_offload_estimate(provider, process, opcode, EPH_CURVE_X25519);
    uint64_t limit_ns = relief ? estimate.deadline_ns / 2 : software_ns;
    bool soon = estimate.latency_ns < limit_ns;
    if (estimate.latency_ns / FAR > limit_ns || estimate.latency_ns < limit_ns / FAR)
        atomic_store_explicit(verdict, (now + STANDS_NS) * 2 + soon, memory_order_relaxed);
    return soon;
}

// True: to the device. False: policy chose software, for *reason. What is not known yet is measured by doing it.
static bool compare(struct eph_provider *provider, struct eph_process *process, enum eph_opcode opcode, enum plan plan,
                    enum eph_stats_policy *reason)
{
    const struct eph_cost *cost = &provider->software_cost[opcode - 1];
    bool relief = plan == PLAN_RELIEF;
    *reason = EPH_POLICY_UNMEASURED;
    if (!eph_cost_known(cost))
        return false;
    *reason = EPH_POLICY_NO_RELIEF;
    if (relief &&
        (eph_async_cost_ns(&process->async) >= eph_cost_ns(cost) || !eph_company_expected(&process->async.company)))
        return false;
    *reason = relief ? EPH_POLICY_LATE : EPH_POLICY_SLOWER;
    return is_soon_enough(provider, process, opcode, relief, eph_cost_ns(cost));
}

static bool choose_device(struct eph_provider *provider, struct eph_process *process, const struct operation *operation,
                          bool in_job, enum eph_stats_policy *reason)
{
    size_t row = 0;
    while (policy[row].offload != provider->config.offload || policy[row].imported != operation->key->imported)
        row++;
    enum plan plan = in_job ? policy[row].async_plan : policy[row].plan;
    *reason = policy[row].reason;
    return plan == PLAN_DEVICE ||
           (plan != PLAN_SOFTWARE && compare(provider, process, operation->opcode, plan, reason));
}

static void fall_back(struct eph_provider *provider, struct eph_process *process, enum eph_stats_cause cause,
                      const char *detail)
{
    eph_stats_fallback(&process->stats, cause);
    eph_log_cause(provider, cause, detail);
}

static bool run_on_device(struct eph_provider *provider, struct eph_process *process, const struct operation *operation,
                          bool in_job, enum eph_outcome *outcome)
{
    struct eph_answer answer;
    uint64_t start_ns = now_ns();
    *outcome = (in_job ? eph_async_x25519 : eph_offload_x25519)(provider, process, operation->key->scalar,
                                                                operation->peer_u, &answer);
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
    eph_cost_sample(&provider->software_cost[operation->opcode - 1], spent_ns);
    eph_stats_operation(&process->stats, EPH_CURVE_X25519, operation->opcode, EPH_STATS_SERVED_SOFTWARE, spent_ns);
    return done;
}

static bool run(struct eph_provider *provider, const struct operation *operation)
{
    struct eph_process *process = eph_process_current(provider);
    enum eph_stats_policy reason;
    enum eph_outcome outcome;
    bool in_job = provider->config.offload != EPH_OFFLOAD_NEVER && eph_async_in_job();
    if (process != NULL) {
        if (!provider->config.valid)
            fall_back(provider, process, EPH_CAUSE_CONFIG, "");
        else if (!choose_device(provider, process, operation, in_job, &reason))
            eph_stats_policy(&process->stats, reason);
        else if (run_on_device(provider, process, operation, in_job, &outcome))
            return outcome == EPH_OUTCOME_OK;
    }
    return run_in_software(provider, process, operation);
}

// Drawn ahead only where a device makes the rest of the key cheap, too.
bool eph_route_scalar(struct eph_provider *provider, struct eph_key *key)
{
    bool never = !provider->config.valid || provider->config.offload == EPH_OFFLOAD_NEVER;
    struct eph_process *process = never ? NULL : eph_process_current(provider);
    return process != NULL ? eph_stock_scalar(&process->stock, provider->application, key->scalar)
                           : eph_secret_x25519_scalars(provider->application, &key->scalar, 1);
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

static bool do_ec(const struct eph_software_ec *ec, struct ec_work *work)
{
    if (work->opcode == EPH_OP_KEYGEN) {
        work->made = work->custom != NULL ? ec->gen(work->custom, NULL, NULL)
                                          : eph_software_ec_generate(ec, work->curve->parameters);
        return work->made != NULL;
    }
    if (work->custom != NULL)
        return ec->exchange_derive(work->custom, work->secret, work->bytes, *work->bytes);
    void *own = eph_ec_key_software(work->own), *peer = eph_ec_key_software(work->peer);
    return own != NULL && peer != NULL && eph_software_ec_derive(ec, own, peer, work->secret, work->bytes);
}

// Why no device was asked: policy either way, not a fallback. offload.c sends and checks X25519 alone.
static enum eph_stats_policy ec_reason(const struct eph_provider *provider)
{
    bool never = provider->config.valid && provider->config.offload == EPH_OFFLOAD_NEVER;
    return never ? EPH_POLICY_NEVER : EPH_POLICY_CURVE;
}

// Counted like any other operation.
static bool run_ec(struct eph_provider *provider, struct ec_work *work)
{
    struct eph_process *process = work->curve != NULL ? eph_process_current(provider) : NULL;
    uint64_t start_ns = now_ns();
    bool done = do_ec(&provider->ec.software, work);
    if (process == NULL)
        return done;
    eph_stats_policy(&process->stats, ec_reason(provider));
    eph_stats_operation(&process->stats, work->curve->id, work->opcode, EPH_STATS_SERVED_SOFTWARE, now_ns() - start_ns);
    return done;
}

void *eph_route_ec_keygen(struct eph_provider *provider, const struct eph_ec_curve *curve, void *generation)
{
    struct ec_work work = {.opcode = EPH_OP_KEYGEN, .curve = curve, .custom = generation};
    run_ec(provider, &work);
    return work.made;
}

bool eph_route_ec_derive(struct eph_provider *provider, struct eph_ec_key *own, struct eph_ec_key *peer, void *exchange,
                         uint8_t *secret, size_t *bytes)
{
    struct ec_work work = {EPH_OP_DERIVE, own->curve, exchange, NULL, own, peer, secret, bytes};
    return run_ec(provider, &work);
}
