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

// Of one ASYNC_WAIT_CTX, that is, of one connection, which has one operation at a time: created by its first one, freed
// by the context's cleanup or, where that comes while the operation is on its way, when it has landed. An application
// with a callback (SSL_set_async_callback) needs no descriptor: the channel is registered without one, for the sake of
// its cleanup.
struct channel {
    struct eph_flight flight;
    struct eph_completion completion; // secret; valid once landed, wiped by the job
    struct eph_async *async;          // borrowed; not looked at in another process, where it is the parent's
    pid_t pid;                        // of the process that made it
    int event_fd;                     // owned; OSSL_BAD_ASYNC_FD: none
    ASYNC_callback_fn callback;       // the application's, of the present operation; NULL: it watches event_fd
    void *callback_arg;
    bool paused;    // its job is
    bool shown;     // by a pause: the application knows the descriptor
    bool abandoned; // with the flights' lock: its context was freed before it landed
    atomic_bool landed;
    atomic_bool raising; // the thread that landed it has yet to tell the application
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

static void close_event(struct channel *channel)
{
    if (channel->event_fd != OSSL_BAD_ASYNC_FD)
        close(channel->event_fd);
    channel->event_fd = OSSL_BAD_ASYNC_FD;
}

static void free_channel(struct channel *channel)
{
    close_event(channel);
    free(channel);
}

static struct channel *channel_of(struct eph_flight *flight)
{
    return (struct channel *)((char *)flight - offsetof(struct channel, flight));
}

// In any thread, with the flights' lock. Landed first, then the application is told: a job that it wakes must not find
// nothing and pause again. So the job may go on, and even have its connection closed, before that: the closing waits.
static void land(struct eph_flight *flight, const struct eph_completion *completion)
{
    struct channel *channel = channel_of(flight);
    if (channel->abandoned)
        return;
    channel->completion = *completion;
    atomic_store_explicit(&channel->raising, true, memory_order_relaxed);
    atomic_store_explicit(&channel->landed, true, memory_order_release); // who sees it sees all of the above
}

// The same thread, without the lock: waking the application takes longer than all the rest.
static void leave(struct eph_flight *flight)
{
    struct channel *channel = channel_of(flight);
    if (channel->abandoned) {
        free_channel(channel);
        return;
    }
    if (channel->callback != NULL)
        channel->callback(channel->callback_arg);
    else
        eventfd_write(channel->event_fd, 1);
    atomic_store_explicit(&channel->raising, false, memory_order_release); // the last touch
}

static void end_pause(struct channel *channel, bool abandoned)
{
    channel->paused = false;
    atomic_fetch_sub_explicit(&channel->async->paused, 1, memory_order_relaxed);
    eph_stats_async_end(&channel->async->process->stats, abandoned);
}

// The application frees the wait context of a paused job, which can never be resumed. (Its fibre is libcrypto's, which
// has no way to give it back.) False: nothing is on its way to the channel any more.
static bool abandon(struct channel *channel)
{
    pthread_mutex_t *lock = &channel->async->process->flights.lock;
    end_pause(channel, true);
    pthread_mutex_lock(lock);
    bool flies = !atomic_load_explicit(&channel->landed, memory_order_relaxed);
    if (flies) {
        channel->abandoned = true;
        close_event(channel);
    }
    pthread_mutex_unlock(lock);
    return flies;
}

// Until the thread that landed the operation has told the application.
static void await_raising(const struct channel *channel)
{
    while (atomic_load_explicit(&channel->raising, memory_order_acquire))
        sched_yield();
}

static bool is_of_this_process(const struct channel *channel)
{
    return channel->pid == getpid();
}

static void channel_cleanup(ASYNC_WAIT_CTX *context, const void *key, OSSL_ASYNC_FD fd, void *vchannel)
{
    struct channel *channel = vchannel;
    (void)context;
    (void)key;
    (void)fd; // the channel's
    // Asked only when it matters: it is a system call. In a forked child nothing ever lands in its copy.
    bool busy = channel->paused || atomic_load_explicit(&channel->raising, memory_order_acquire);
    if (busy && is_of_this_process(channel)) {
        if (channel->paused && abandon(channel))
            return; // leave frees it
        await_raising(channel);
    }
    if (busy)
        eph_secret_wipe(&channel->completion, sizeof channel->completion);
    free_channel(channel);
}

// Takes an idle one from its context, without its cleanup.
static void drop_channel(ASYNC_WAIT_CTX *context, struct channel *channel)
{
    ASYNC_WAIT_CTX_clear_fd(context, &channel_key);
    free_channel(channel);
}

// NULL: no memory or no descriptors left.
static struct channel *make_channel(struct eph_async *async, ASYNC_WAIT_CTX *context, bool descriptor)
{
    struct channel *channel = malloc(sizeof *channel); // not calloc, which passes glibc's cache of free memory by
    if (channel == NULL)
        return NULL;
    *channel = (struct channel){.async = async, .pid = getpid(), .event_fd = OSSL_BAD_ASYNC_FD};
    if (descriptor)
        channel->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    bool ready = !descriptor || channel->event_fd >= 0;
    if (ready && ASYNC_WAIT_CTX_set_wait_fd(context, &channel_key, channel->event_fd, channel, channel_cleanup))
        return channel;
    free_channel(channel);
    return NULL;
}

// An idle channel; NULL: as above. An application may go from descriptors to callbacks between operations, and back.
static struct channel *find_channel(struct eph_async *async, ASYNC_WAIT_CTX *context, bool descriptor)
{
    OSSL_ASYNC_FD fd;
    void *found = NULL;
    if (!ASYNC_WAIT_CTX_get_fd(context, &channel_key, &fd, &found))
        return make_channel(async, context, descriptor);
    struct channel *channel = found;
    bool same = channel->async == async; // else inherited through fork, or of another instance of the provider
    if (same || is_of_this_process(channel))
        await_raising(channel); // of the operation before
    if (same && (!descriptor || channel->event_fd != OSSL_BAD_ASYNC_FD))
        return channel;
    drop_channel(context, channel);
    return make_channel(async, context, descriptor);
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
                                   const uint8_t *peer_u, struct channel *channel)
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
            eph_flights_submit(&process->flights, queue, &request, &(struct eph_flight *){&channel->flight}, 1);
        cause = status == EPH_OK ? EPH_CAUSE_COUNT : eph_offload_cause(status);
        eph_offload_release(process);
        if (status == EPH_E_GONE)
            eph_offload_lost(process, queue);
    }
    eph_secret_wipe(secret_blind, sizeof secret_blind);
    return cause;
}

// Returns when the operation has landed; false in a forked copy of the job, whose answer is its parent's.
static bool pause_until_landed(const struct eph_process *process, struct channel *channel)
{
    bool descriptor = channel->callback == NULL;
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
    } while (!atomic_load_explicit(&channel->landed, memory_order_acquire));
    return true;
}

static enum eph_outcome finish(struct eph_process *process, struct channel *channel, const uint8_t *peer_u,
                               struct eph_answer *answer)
{
    enum eph_outcome outcome = eph_offload_judge(&channel->completion, peer_u, answer);
    eph_secret_wipe(&channel->completion, sizeof channel->completion);
    if (outcome != EPH_OUTCOME_FAULT && eph_stats_breaker_closed(&process->stats))
        return outcome;
    struct eph_queue *queue = eph_offload_current(process);
    if (queue != NULL) {
        eph_offload_note_breaker(process, queue);
        eph_offload_release(process);
    }
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
static struct channel *launch(struct eph_provider *provider, struct eph_process *process, ASYNC_WAIT_CTX *context,
                              const uint8_t *scalar, const uint8_t *peer_u, struct eph_answer *answer)
{
    struct eph_async *async = &process->async;
    ASYNC_callback_fn callback = NULL;
    void *callback_arg = NULL;
    ASYNC_WAIT_CTX_get_callback(context, &callback, &callback_arg);
    answer->cause = EPH_CAUSE_MEMORY;
    struct channel *channel = eph_watch_start(&async->watch) ? find_channel(async, context, callback == NULL) : NULL;
    if (channel == NULL)
        return NULL;
    channel->flight = (struct eph_flight){.land = land, .leave = leave};
    channel->callback = callback;
    channel->callback_arg = callback_arg;
    atomic_store_explicit(&channel->landed, false, memory_order_relaxed);
    answer->cause = submit(provider, process, scalar, peer_u, channel);
    if (answer->cause != EPH_CAUSE_COUNT) {
        hide_unshown(context, channel);
        return NULL;
    }
    channel->paused = true;
    if (callback != NULL)
        ASYNC_WAIT_CTX_set_status(context, ASYNC_STATUS_OK); // what SSL_get_async_status says: it will be called
    return channel;
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
    struct channel *channel = launch(provider, process, context, scalar, peer_u, answer);
    if (channel == NULL) {
        atomic_fetch_sub_explicit(&async->paused, 1, memory_order_relaxed);
        return EPH_OUTCOME_FAULT;
    }
    eph_stats_async_pause(&process->stats);
    uint64_t before_ns = cost_clock_ns(async) - start_ns;
    if (!pause_until_landed(process, channel)) {
        eph_secret_wipe(&channel->completion, sizeof channel->completion); // it may have landed before the fork
        channel->paused = false;
        answer->cause = eph_offload_cause(EPH_E_FORKED);
        return EPH_OUTCOME_FAULT;
    }
    start_ns = cost_clock_ns(async);
    enum eph_outcome outcome = finish(process, channel, peer_u, answer);
    end_pause(channel, false);
    if (!eph_cost_known(&async->cost))
        eph_cost_sample(&async->cost, before_ns + cost_clock_ns(async) - start_ns);
    return outcome;
}
