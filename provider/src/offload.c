// SPDX-License-Identifier: Apache-2.0
#include "offload.h"
#include "check.h"
#include "clock.h"
#include "log.h"
#include "provider.h"
#include "secret.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIRST_BACKOFF_NS     UINT64_C(1000000000)
#define MAX_BACKOFF_NS       UINT64_C(64000000000)
#define HARDWARE_DEADLINE_NS UINT64_C(10000000)
#define FIRST_ATTACH_NS      UINT64_C(3000000000) // the RTL simulation needs about one second for its self-test

static uint64_t now_ns(void)
{
    return eph_clock_ns(CLOCK_MONOTONIC);
}

enum eph_stats_cause eph_offload_cause(enum eph_status status)
{
    switch (status) {
    case EPH_E_INVALID:
        return EPH_CAUSE_CONFIG;
    case EPH_E_UNSUPPORTED:
        return EPH_CAUSE_UNSUPPORTED;
    case EPH_E_PERMISSION:
        return EPH_CAUSE_PERMISSION;
    case EPH_E_PROTOCOL:
        return EPH_CAUSE_PROTOCOL;
    case EPH_E_NO_MEMORY:
        return EPH_CAUSE_MEMORY;
    case EPH_E_FULL:
        return EPH_CAUSE_FULL;
    case EPH_E_TIMEOUT:
        return EPH_CAUSE_TIMEOUT;
    case EPH_E_GONE:
        return EPH_CAUSE_GONE;
    case EPH_E_BROKEN:
        return EPH_CAUSE_BREAKER;
    case EPH_OK:
    case EPH_E_NO_DEVICE:
    case EPH_E_FORKED:
    case EPH_E_AGAIN:
        break;
    }
    return EPH_CAUSE_NO_DEVICE;
}

// ---- open early

static enum eph_status open_device(struct eph_provider *provider, struct eph_device **device, bool quiet)
{
    struct eph_options options = {
        .deadline_ns = provider->config.deadline_ns,
        .log = quiet ? NULL : eph_log_driver,
        .log_context = provider,
    };
    return eph_device_open(device, provider->config.device, &options);
}

void eph_offload_open(struct eph_provider *provider)
{
    char line[EPH_LOG_LINE_BYTES] = "";
    provider->driver_line = line; // so that a wrong device string is one line, ours
    enum eph_status status = open_device(provider, &provider->device, false);
    provider->driver_line = NULL;
    if (status == EPH_E_INVALID)
        eph_config_reject(provider, EPH_KEY_DEVICE, provider->config.device);
    else if (line[0] != 0)
        eph_log("%s", line);
}

void eph_offload_close(struct eph_provider *provider)
{
    eph_device_close(provider->device);
    provider->device = NULL;
}

// ---- attach late

void eph_attachment_init(struct eph_attachment *attachment)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&attachment->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&attachment->mutex, NULL);
    pthread_rwlock_init(&attachment->lock, NULL);
    attachment->cause = EPH_CAUSE_NO_DEVICE;
}

void eph_attachment_fini(struct eph_attachment *attachment, bool ours)
{
    if (ours && attachment->started)
        pthread_join(attachment->thread, NULL);
    eph_queue_close(attachment->queue);
    eph_device_close(attachment->device);
    if (!ours)
        return; // a thread of the parent may have held them at the fork
    pthread_rwlock_destroy(&attachment->lock);
    pthread_mutex_destroy(&attachment->mutex);
    pthread_cond_destroy(&attachment->changed);
}

static void back_off(struct eph_attachment *attachment, enum eph_stats_cause cause)
{
    attachment->cause = cause;
    attachment->backoff_ns = attachment->backoff_ns == 0 ? FIRST_BACKOFF_NS : attachment->backoff_ns * 2;
    if (attachment->backoff_ns > MAX_BACKOFF_NS)
        attachment->backoff_ns = MAX_BACKOFF_NS;
    attachment->retry_ns = now_ns() + attachment->backoff_ns;
}

// First over the device opened at init; when that is dead, over a new one, which works as long as this process may
// still reach it.
static enum eph_status open_queue(struct eph_provider *provider, struct eph_attachment *attachment,
                                  struct eph_queue **queue)
{
    struct eph_device *device = attachment->device != NULL ? attachment->device : provider->device;
    enum eph_status status = EPH_E_NO_DEVICE;
    if (device != NULL)
        status = eph_queue_open(device, queue);
    if (status == EPH_OK)
        return status;
    struct eph_device *fresh = NULL;
    bool quiet = attachment->backoff_ns != 0 || provider->device == NULL; // said already
    enum eph_status reopened = open_device(provider, &fresh, quiet);
    if (reopened != EPH_OK)
        return device != NULL ? status : reopened;
    eph_device_close(attachment->device);
    attachment->device = fresh;
    return eph_queue_open(fresh, queue);
}

static uint64_t deadline_ns(const struct eph_provider *provider, struct eph_queue *queue)
{
    struct eph_device_info info;
    if (provider->config.deadline_ns != 0 || eph_device_info(queue, &info) != EPH_OK)
        return provider->config.deadline_ns;
    return (info.features & EPH_FEATURE_SIMULATED) != 0 ? 20 * info.selftest_ns : HARDWARE_DEADLINE_NS;
}

struct attach_job {
    struct eph_provider *provider;
    struct eph_process *process;
};

static void *attach(void *vjob)
{
    struct attach_job job = *(struct attach_job *)vjob;
    struct eph_attachment *attachment = &job.process->attachment;
    struct eph_queue *queue = NULL;
    free(vjob);
    enum eph_status status = open_queue(job.provider, attachment, &queue);

    pthread_rwlock_wrlock(&attachment->lock);
    if (status == EPH_OK) {
        attachment->queue = queue;
        attachment->deadline_ns = deadline_ns(job.provider, queue);
        attachment->attached++;
        attachment->backoff_ns = 0;
    } else {
        back_off(attachment, eph_offload_cause(status));
    }
    eph_stats_note(&job.process->stats, status == EPH_OK ? "" : eph_status_text(status));
    pthread_rwlock_unlock(&attachment->lock);

    // Before the wake-up, so that who waited finds the outcome and no attach under way. The next claimant joins us
    // first.
    atomic_store_explicit(&attachment->attaching, false, memory_order_release);
    pthread_mutex_lock(&attachment->mutex);
    attachment->finished = true;
    pthread_cond_broadcast(&attachment->changed);
    pthread_mutex_unlock(&attachment->mutex);
    return NULL;
}

static bool start_thread(struct eph_provider *provider, struct eph_process *process)
{
    struct eph_attachment *attachment = &process->attachment;
    struct attach_job *job = malloc(sizeof *job);
    if (job == NULL)
        return false;
    *job = (struct attach_job){provider, process};
    if (attachment->started)
        pthread_join(attachment->thread, NULL); // ended, or about to: attaching was false
    attachment->finished = false;
    sigset_t all, before; // the application's signals are for its own threads
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    attachment->started = pthread_create(&attachment->thread, NULL, attach, job) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!attachment->started)
        free(job);
    return attachment->started;
}

// Starts attaching. Waits for it the first time only, and not for ever: afterwards a handshake never pays for a device
// that does not answer.
static void begin_attach(struct eph_provider *provider, struct eph_process *process)
{
    struct eph_attachment *attachment = &process->attachment;
    if (atomic_exchange_explicit(&attachment->attaching, true, memory_order_acquire))
        return;
    bool first = !attachment->started;
    if (!start_thread(provider, process)) {
        atomic_store_explicit(&attachment->attaching, false, memory_order_release);
        return;
    }
    if (!first)
        return;
    uint64_t until_ns = now_ns() + FIRST_ATTACH_NS;
    struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000), .tv_nsec = (long)(until_ns % 1000000000)};
    pthread_mutex_lock(&attachment->mutex);
    while (!attachment->finished && pthread_cond_timedwait(&attachment->changed, &attachment->mutex, &until) == 0)
        ;
    pthread_mutex_unlock(&attachment->mutex);
}

void eph_offload_release(struct eph_process *process)
{
    pthread_rwlock_unlock(&process->attachment.lock);
}

struct eph_queue *eph_offload_current(struct eph_process *process)
{
    if (pthread_rwlock_tryrdlock(&process->attachment.lock) != 0)
        return NULL;
    struct eph_queue *queue = process->attachment.queue;
    if (queue == NULL)
        eph_offload_release(process);
    return queue;
}

// The queue, with the lock held shared; NULL with a cause and no lock held.
struct eph_queue *eph_offload_acquire(struct eph_provider *provider, struct eph_process *process,
                                      enum eph_stats_cause *cause)
{
    struct eph_attachment *attachment = &process->attachment;
    for (int attempt = 0; attempt < 2; attempt++) {
        *cause = EPH_CAUSE_ATTACHING;
        if (pthread_rwlock_tryrdlock(&attachment->lock) != 0)
            return NULL;
        if (attachment->queue != NULL)
            return attachment->queue;
        bool attaching = atomic_load_explicit(&attachment->attaching, memory_order_acquire);
        bool due = !attaching && attempt == 0 && now_ns() >= attachment->retry_ns;
        if (!attaching)
            *cause = attachment->cause;
        eph_offload_release(process);
        if (!due)
            return NULL;
        begin_attach(provider, process);
    }
    return NULL;
}

// The device is gone: give the queue back as soon as no other thread uses it, and try again later.
void eph_offload_lost(struct eph_process *process, const struct eph_queue *dead)
{
    struct eph_attachment *attachment = &process->attachment;
    if (pthread_rwlock_trywrlock(&attachment->lock) != 0)
        return; // the next caller that meets the dead queue does it
    if (attachment->queue == dead) {
        eph_flights_end(&process->flights, EPH_E_GONE);
        eph_queue_close(attachment->queue);
        attachment->queue = NULL;
        back_off(attachment, EPH_CAUSE_GONE);
        eph_stats_note(&process->stats, eph_status_text(EPH_E_GONE));
    }
    eph_offload_release(process);
}

void eph_offload_note_breaker(struct eph_process *process, struct eph_queue *queue)
{
    struct eph_queue_stats stats;
    eph_queue_get_stats(queue, &stats);
    eph_stats_breaker(&process->stats, stats.breaker);
}

// ---- one operation

// What the device said, believed only after the check. Results of X25519 are 32-byte little-endian fields, the first of
// them the answer (wire.h).
enum eph_outcome eph_offload_judge(const struct eph_completion *completion, const uint8_t *peer_u,
                                   struct eph_answer *answer)
{
    answer->cycles = completion->status == EPH_OK ? completion->cycles : 0;
    if (completion->status != EPH_OK) {
        answer->cause = eph_offload_cause(completion->status);
        answer->detail = eph_status_text(completion->status);
        return EPH_OUTCOME_FAULT;
    }
    answer->detail = eph_wire_status_text(completion->wire_status);
    switch (completion->wire_status) {
    case EPH_ST_OK:
        answer->detail = "";
        answer->cause = EPH_CAUSE_BAD_RESULT;
        if (peer_u != NULL ? !eph_check_x25519_derive(completion->result, peer_u)
                           : !eph_check_x25519_keygen(completion->result))
            return EPH_OUTCOME_FAULT;
        memcpy(answer->secret_result, completion->result, sizeof answer->secret_result);
        return EPH_OUTCOME_OK;
    case EPH_ST_ZERO:
        answer->cause = EPH_CAUSE_BAD_RESULT;
        return peer_u != NULL && eph_check_x25519_low_order(peer_u) ? EPH_OUTCOME_ZERO : EPH_OUTCOME_FAULT;
    case EPH_ST_CHECK:
        answer->cause = EPH_CAUSE_DEVICE_CHECK;
        return EPH_OUTCOME_FAULT;
    case EPH_ST_ABORTED:
        answer->cause = EPH_CAUSE_ABORTED;
        return EPH_OUTCOME_FAULT;
    case EPH_ST_BAD_OP:
    case EPH_ST_BAD_CURVE:
        answer->cause = EPH_CAUSE_UNSUPPORTED;
        return EPH_OUTCOME_FAULT;
    case EPH_ST_BAD_SCALAR: // X25519 has neither: every scalar is clamped, every u is a point of curve or twist
    case EPH_ST_BAD_POINT:
        break;
    }
    answer->cause = EPH_CAUSE_BAD_ANSWER;
    return EPH_OUTCOME_FAULT;
}

enum eph_outcome eph_offload_x25519(struct eph_provider *provider, struct eph_process *process, const uint8_t *scalar,
                                    const uint8_t *peer_u, struct eph_answer *answer)
{
    uint8_t secret_blind[EPH_BLIND_BYTES];
    struct eph_completion completion = {.status = EPH_E_AGAIN};
    enum eph_outcome outcome = EPH_OUTCOME_FAULT;
    *answer = (struct eph_answer){.cause = EPH_CAUSE_RANDOM, .detail = ""};
    if (!eph_stock_blind(&process->stock, provider->application, secret_blind))
        return EPH_OUTCOME_FAULT;

    struct eph_queue *queue = eph_offload_acquire(provider, process, &answer->cause);
    if (queue == NULL)
        goto out;
    const struct eph_request request = {
        .opcode = peer_u != NULL ? EPH_OP_DERIVE : EPH_OP_KEYGEN,
        .curve = EPH_CURVE_X25519,
        .scalar = scalar,
        .peer_x = peer_u,
        .blind = secret_blind,
    };
    enum eph_status status = eph_exchange(queue, &request, &completion);
    outcome = eph_offload_judge(&completion, peer_u, answer);
    if (outcome == EPH_OUTCOME_FAULT || !eph_stats_breaker_closed(&process->stats))
        eph_offload_note_breaker(process, queue);
    eph_offload_release(process);
    if (status == EPH_E_GONE)
        eph_offload_lost(process, queue);

out:
    eph_secret_wipe(&completion, sizeof completion);
    eph_secret_wipe(secret_blind, sizeof secret_blind);
    return outcome;
}

struct eph_estimate eph_offload_estimate(struct eph_provider *provider, struct eph_process *process,
                                         enum eph_opcode opcode, enum eph_curve curve)
{
    struct eph_estimate estimate = {.latency_ns = UINT64_MAX};
    enum eph_stats_cause cause;
    struct eph_queue *queue = eph_offload_acquire(provider, process, &cause);
    if (queue == NULL)
        return estimate;
    estimate.latency_ns = eph_queue_latency_ns(queue, opcode, curve);
    estimate.deadline_ns = process->attachment.deadline_ns;
    eph_offload_release(process);
    return estimate;
}
