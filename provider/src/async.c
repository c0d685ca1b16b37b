// SPDX-License-Identifier: Apache-2.0
#include "async.h"
#include "clock.h"
#include "provider.h"
#include "secret.h"

#include <openssl/async.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    IDLE_PAUSES = 100, // a job resumed so often without its answer is being spun, or pausing is blocked
    SPUN_WAIT_MS = 1,
};

// One operation on the heap. Owned by its job and by its flight: whoever is done with it last frees it.
struct call {
    struct eph_flight flight;
    struct eph_completion completion; // secret; valid once landed
    atomic_bool landed;
    atomic_uint owners;
    bool raises;             // its landing tells the application
    bool abandoned;          // with the flights' lock
    struct channel *channel; // borrowed; not to be looked at once abandoned
    struct eph_async *async;
    ASYNC_callback_fn callback; // the application's, NULL: it watches the channel's descriptor
    void *callback_arg;
};

// Of one ASYNC_WAIT_CTX, that is, of one connection: created by its first operation, freed by its cleanup. An
// application with a callback (SSL_set_async_callback) needs no descriptor: the channel is registered without one, for
// the sake of its cleanup.
struct channel {
    int event_fd;        // owned; OSSL_BAD_ASYNC_FD: none
    atomic_uint raising; // landings that use event_fd or the callback
    pid_t pid;           // of the process that made it
    struct call *call;   // of the paused job, else NULL
    bool shown;          // by a pause: the application knows the descriptor
};

static const char channel_key; // its address is our key in a wait context

bool eph_async_in_job(void)
{
    return ASYNC_get_current_job() != NULL;
}

uint64_t eph_async_cost_ns(const struct eph_async *async)
{
    if (!eph_cost_known(&async->cost))
        return 0;
    return eph_cost_ns(&async->cost) + (eph_cost_known(&async->watch.cost) ? eph_cost_ns(&async->watch.cost) : 0);
}

void eph_async_init(struct eph_async *async, struct eph_process *process)
{
    async->process = process;
    eph_watch_init(&async->watch, process);
    eph_company_init(&async->company);
}

void eph_async_fini(struct eph_async *async, bool ours)
{
    eph_watch_fini(&async->watch, ours);
    if (ours)
        eph_company_fini(&async->company);
}

// ---- channels

static void disown(struct call *call)
{
    // Release: what this owner did comes before the end; acquire: what the other one did as well.
    if (atomic_fetch_sub_explicit(&call->owners, 1, memory_order_acq_rel) != 1)
        return;
    eph_secret_wipe(call, sizeof *call);
    free(call);
}

// In a forked child, where the flight of its parent's call never lands.
static void drop_copy(struct call *call)
{
    call->owners = 1;
    disown(call);
}

static struct call *call_of(struct eph_flight *flight)
{
    return (struct call *)((char *)flight - offsetof(struct call, flight));
}

// In any thread, with the flights' lock. Landed first, then the application is told: a job that it wakes must not find
// nothing and pause again. So the job may go on, and even have its connection closed, before that: the closing waits.
static void land(struct eph_flight *flight, const struct eph_completion *completion)
{
    struct call *call = call_of(flight);
    if (call->abandoned)
        return;
    call->completion = *completion;
    call->raises = true;
    atomic_fetch_add_explicit(&call->channel->raising, 1, memory_order_relaxed);
    atomic_store_explicit(&call->landed, true, memory_order_release); // who sees it sees all of the above
}

// The same thread, without the lock: waking the application takes longer than all the rest.
static void leave(struct eph_flight *flight)
{
    struct call *call = call_of(flight);
    if (call->raises) { // the channel waits for us
        if (call->callback != NULL)
            call->callback(call->callback_arg);
        else
            eventfd_write(call->channel->event_fd, 1);
        atomic_fetch_sub_explicit(&call->channel->raising, 1, memory_order_release);
    }
    disown(call);
}

static void end_pause(struct eph_async *async, bool abandoned)
{
    atomic_fetch_sub_explicit(&async->paused, 1, memory_order_relaxed);
    eph_stats_async_end(&async->process->stats, abandoned);
}

// The application frees the wait context of a paused job, which can never be resumed. (Its fibre is libcrypto's, which
// has no way to give it back.)
static void abandon(struct call *call)
{
    struct eph_async *async = call->async;
    pthread_mutex_lock(&async->process->flights.lock);
    call->abandoned = true;
    pthread_mutex_unlock(&async->process->flights.lock);
    disown(call);
    end_pause(async, true);
}

// Until no landing thread is telling the application any more.
static void await_raising(struct channel *channel)
{
    while (atomic_load_explicit(&channel->raising, memory_order_acquire) != 0)
        sched_yield();
}

static void channel_cleanup(ASYNC_WAIT_CTX *context, const void *key, OSSL_ASYNC_FD fd, void *vchannel)
{
    struct channel *channel = vchannel;
    bool ours = channel->pid == getpid(); // the provider may be gone by now
    (void)context;
    (void)key;
    if (channel->call != NULL && ours)
        abandon(channel->call);
    else if (channel->call != NULL)
        drop_copy(channel->call);
    if (ours)
        await_raising(channel);
    if (fd != OSSL_BAD_ASYNC_FD)
        close(fd);
    free(channel);
}

// Takes an idle one from its context, without its cleanup.
static void drop_channel(ASYNC_WAIT_CTX *context, struct channel *channel)
{
    await_raising(channel);
    ASYNC_WAIT_CTX_clear_fd(context, &channel_key);
    if (channel->event_fd != OSSL_BAD_ASYNC_FD)
        close(channel->event_fd);
    free(channel);
}

// NULL: no memory or no descriptors left.
static struct channel *make_channel(ASYNC_WAIT_CTX *context, bool descriptor)
{
    struct channel *channel = calloc(1, sizeof *channel);
    if (channel == NULL)
        return NULL;
    channel->pid = getpid();
    channel->event_fd = descriptor ? eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) : OSSL_BAD_ASYNC_FD;
    bool ready = !descriptor || channel->event_fd >= 0;
    if (ready && ASYNC_WAIT_CTX_set_wait_fd(context, &channel_key, channel->event_fd, channel, channel_cleanup))
        return channel;
    if (channel->event_fd >= 0)
        close(channel->event_fd);
    free(channel);
    return NULL;
}

// NULL: as above. An application may go from descriptors to callbacks between operations, and back.
static struct channel *find_channel(ASYNC_WAIT_CTX *context, bool descriptor)
{
    OSSL_ASYNC_FD fd;
    void *found = NULL;
    if (!ASYNC_WAIT_CTX_get_fd(context, &channel_key, &fd, &found))
        return make_channel(context, descriptor);
    struct channel *channel = found;
    if (descriptor && channel->event_fd == OSSL_BAD_ASYNC_FD) {
        drop_channel(context, channel);
        return make_channel(context, true);
    }
    return channel;
}

// HAProxy 2.6 stops with a FATAL when it closes a connection with a descriptor that no pause has shown to it. (Just
// added, it is removed from the context at once.)
static void hide_unshown(ASYNC_WAIT_CTX *context, struct channel *channel)
{
    if (!channel->shown)
        drop_channel(context, channel);
}

// ---- one operation

static enum eph_stats_cause submit(struct eph_provider *provider, struct eph_process *process, const uint8_t *scalar,
                                   const uint8_t *peer_u, struct call *call)
{
    uint8_t secret_blind[EPH_BLIND_BYTES];
    enum eph_stats_cause cause = EPH_CAUSE_RANDOM;
    if (!eph_stock_blind(&process->stock, provider->application, secret_blind))
        return cause;
    const struct eph_request request = {
        .opcode = peer_u != NULL ? EPH_OP_DERIVE : EPH_OP_KEYGEN,
        .curve = EPH_CURVE_X25519,
        .scalar = scalar,
        .peer_x = peer_u,
        .blind = secret_blind,
    };
    struct eph_queue *queue = eph_offload_acquire(provider, process, &cause);
    if (queue != NULL) {
        eph_flights_poll(&process->flights, queue, false); // other jobs' answers, so that nobody need be woken for them
        enum eph_status status =
            eph_flights_submit(&process->flights, queue, &request, &(struct eph_flight *){&call->flight}, 1);
        cause = status == EPH_OK ? EPH_CAUSE_COUNT : eph_offload_cause(status);
        eph_offload_release(process);
        if (status == EPH_E_GONE)
            eph_offload_lost(process, queue);
    }
    eph_secret_wipe(secret_blind, sizeof secret_blind);
    return cause;
}

// Returns when the call has landed; false in a forked copy of the job, whose answer is its parent's.
static bool pause_until_landed(const struct eph_process *process, struct channel *channel, const struct call *call)
{
    bool descriptor = call->callback == NULL;
    unsigned pauses = 0;
    eventfd_t count;
    channel->shown = true;
    do { // at least once, see hide_unshown
        if (pauses++ > IDLE_PAUSES)
            poll(&(struct pollfd){.fd = descriptor ? channel->event_fd : -1, .events = POLLIN}, 1, SPUN_WAIT_MS);
        ASYNC_pause_job(); // failing, it returns at once: the bound above keeps that from spinning
        if (!eph_process_is_ours(process))
            return false;
        if (descriptor)
            eventfd_read(channel->event_fd, &count); // before the look: an event that comes later resumes us again
    } while (!atomic_load_explicit(&call->landed, memory_order_acquire));
    return true;
}

static enum eph_outcome finish(struct eph_process *process, const struct call *call, const uint8_t *peer_u,
                               struct eph_answer *answer)
{
    enum eph_outcome outcome = eph_offload_judge(&call->completion, peer_u, answer);
    struct eph_queue *queue = eph_offload_current(process);
    if (queue == NULL)
        return outcome;
    if (outcome == EPH_OUTCOME_FAULT || !eph_stats_breaker_closed(&process->stats))
        eph_offload_note_breaker(process, queue);
    eph_flights_poll(&process->flights, queue, false);
    eph_offload_release(process);
    return outcome;
}

// CPU time of the calling thread while the cost of an operation is not known; the clock is a system call.
static uint64_t cost_clock_ns(const struct eph_async *async)
{
    return eph_cost_known(&async->cost) ? 0 : eph_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

// Takes a place among the paused jobs. False: there is none.
static bool begin_pause(struct eph_async *async)
{
    unsigned others = atomic_fetch_add_explicit(&async->paused, 1, memory_order_relaxed);
    if (others < EPH_ASYNC_MAX_PAUSED) {
        unsigned long own_sleeps = atomic_load_explicit(&async->watch.rests, memory_order_relaxed);
        eph_company_note(&async->company, others, own_sleeps);
        return true;
    }
    atomic_fetch_sub_explicit(&async->paused, 1, memory_order_relaxed);
    return false;
}

// Submits the operation for the job of this context. NULL with answer->cause set and nothing left behind.
static struct call *launch(struct eph_provider *provider, struct eph_process *process, ASYNC_WAIT_CTX *context,
                           const uint8_t *scalar, const uint8_t *peer_u, struct eph_answer *answer)
{
    struct eph_async *async = &process->async;
    ASYNC_callback_fn callback = NULL;
    void *callback_arg = NULL;
    ASYNC_WAIT_CTX_get_callback(context, &callback, &callback_arg);
    struct channel *channel = find_channel(context, callback == NULL);
    struct call *call = channel != NULL && eph_watch_start(&async->watch) ? calloc(1, sizeof *call) : NULL;
    answer->cause = EPH_CAUSE_MEMORY;
    if (call != NULL) {
        call->flight.land = land;
        call->flight.leave = leave;
        call->owners = 2;
        call->channel = channel;
        call->async = async;
        call->callback = callback;
        call->callback_arg = callback_arg;
        answer->cause = submit(provider, process, scalar, peer_u, call);
    }
    if (answer->cause == EPH_CAUSE_COUNT) {
        channel->call = call;
        if (callback != NULL)
            ASYNC_WAIT_CTX_set_status(context, ASYNC_STATUS_OK); // what SSL_get_async_status says: it will be called
        return call;
    }
    free(call); // nothing flies
    if (channel != NULL)
        hide_unshown(context, channel);
    return NULL;
}

enum eph_outcome eph_async_x25519(struct eph_provider *provider, struct eph_process *process, const uint8_t *scalar,
                                  const uint8_t *peer_u, struct eph_answer *answer)
{
    struct eph_async *async = &process->async;
    uint64_t start_ns = cost_clock_ns(async);
    ASYNC_WAIT_CTX *context = ASYNC_get_wait_ctx(ASYNC_get_current_job());
    *answer = (struct eph_answer){.cause = EPH_CAUSE_ASYNC_FULL, .detail = ""};
    if (!begin_pause(async))
        return EPH_OUTCOME_FAULT;
    struct call *call = launch(provider, process, context, scalar, peer_u, answer);
    if (call == NULL) {
        atomic_fetch_sub_explicit(&async->paused, 1, memory_order_relaxed);
        return EPH_OUTCOME_FAULT;
    }
    struct channel *channel = call->channel;
    eph_stats_async_pause(&process->stats);
    uint64_t before_ns = cost_clock_ns(async) - start_ns;
    if (!pause_until_landed(process, channel, call)) {
        channel->call = NULL;
        drop_copy(call);
        answer->cause = eph_offload_cause(EPH_E_FORKED);
        return EPH_OUTCOME_FAULT;
    }
    start_ns = cost_clock_ns(async);
    channel->call = NULL;
    enum eph_outcome outcome = finish(process, call, peer_u, answer);
    disown(call);
    end_pause(async, false);
    if (!eph_cost_known(&async->cost))
        eph_cost_sample(&async->cost, before_ns + cost_clock_ns(async) - start_ns);
    return outcome;
}
