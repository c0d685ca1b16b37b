// SPDX-License-Identifier: Apache-2.0
#include "async.h"
#include "provider.h"
#include "secret.h"

#include <fcntl.h>
#include <openssl/async.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    TICK_MS = 10,      // between looks for requests past their deadline, which raise no event
    IDLE_MS = 1000,    // without a request for so long, the thread sleeps until the next one
    IDLE_PAUSES = 100, // a job resumed so often without its answer is being spun, or pausing is blocked
    SPUN_WAIT_MS = 1,
};

// One operation on the heap. Owned by its job; from its abandonment on by the flights, until it lands.
struct call {
    struct eph_flight flight;
    struct eph_completion completion; // secret; valid once landed
    atomic_bool landed;
    bool abandoned; // with the flights' lock
    int event_fd;   // borrowed from the channel
    struct eph_async *async;
};

// Of one ASYNC_WAIT_CTX, that is, of one connection: created by its first operation, freed by its cleanup.
struct channel {
    int event_fd;      // owned
    pid_t pid;         // of the process that made it
    struct call *call; // of the paused job, else NULL
    bool shown;        // by a pause: the application knows the descriptor
};

static const char channel_key; // its address is our key in a wait context

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

bool eph_async_in_job(void)
{
    return ASYNC_get_current_job() != NULL;
}

uint64_t eph_async_cost_ns(const struct eph_async *async)
{
    if (!eph_cost_known(&async->job_cost) || !eph_cost_known(&async->watch_cost))
        return 0;
    return eph_cost_ns(&async->job_cost) + eph_cost_ns(&async->watch_cost);
}

// ---- the thread

void eph_async_init(struct eph_async *async, struct eph_process *process)
{
    async->process = process;
    async->wake_fd = -1;
    pthread_mutex_init(&async->lock, NULL);
}

void eph_async_fini(struct eph_async *async, bool ours)
{
    if (!ours) // a parent's: its thread is not here, its descriptor may have been closed and reused
        return;
    atomic_store(&async->stop, true);
    if (async->started) {
        eventfd_write(async->wake_fd, 1);
        pthread_join(async->thread, NULL);
    }
    if (async->wake_fd >= 0)
        close(async->wake_fd);
    pthread_mutex_destroy(&async->lock);
}

// The queue's descriptor as our own duplicate: the queue may be closed while we sleep on it.
struct watch {
    int fd; // owned; -1: no queue yet
    unsigned attached;
};

// Lands what is ready. Returns how many.
static unsigned look(struct eph_process *process, struct watch *watch)
{
    struct eph_queue *queue = eph_offload_current(process);
    if (queue == NULL)
        return 0;
    if (watch->fd < 0 || watch->attached != process->attachment.attached) {
        if (watch->fd >= 0)
            close(watch->fd);
        watch->fd = fcntl(eph_queue_fd(queue), F_DUPFD_CLOEXEC, 0);
        watch->attached = process->attachment.attached;
    }
    unsigned landed = eph_flights_poll(&process->flights, queue);
    eph_offload_release(process);
    return landed;
}

static void *watch_queue(void *vasync)
{
    struct eph_async *async = vasync;
    struct watch watch = {.fd = -1};
    uint64_t busy_ns = clock_ns(CLOCK_MONOTONIC), cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    while (!atomic_load(&async->stop)) {
        unsigned landed = look(async->process, &watch);
        uint64_t now_ns = clock_ns(CLOCK_MONOTONIC), spent_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_ns;
        cpu_ns += spent_ns;
        if (landed > 0) {
            busy_ns = now_ns;
            eph_cost_sample(&async->watch_cost, spent_ns / landed);
        }
        bool idle = now_ns - busy_ns > (uint64_t)IDLE_MS * 1000000;
        bool doze = idle && eph_flights_doze(&async->process->flights, async->wake_fd);
        struct pollfd events[2] = {{.fd = async->wake_fd, .events = POLLIN}, {.fd = watch.fd, .events = POLLIN}};
        poll(events, 2, doze ? -1 : TICK_MS);
        eventfd_t count;
        if ((events[0].revents & POLLIN) != 0 && eventfd_read(async->wake_fd, &count) == 0)
            busy_ns = clock_ns(CLOCK_MONOTONIC);
    }
    if (watch.fd >= 0)
        close(watch.fd);
    return NULL;
}

static bool start_thread(struct eph_async *async)
{
    pthread_mutex_lock(&async->lock);
    if (async->wake_fd < 0)
        async->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (!async->started && async->wake_fd >= 0) {
        sigset_t all, before; // the application's signals are for its own threads
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        async->started = pthread_create(&async->thread, NULL, watch_queue, async) == 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    bool started = async->started;
    pthread_mutex_unlock(&async->lock);
    return started;
}

// ---- channels

static void free_call(struct call *call)
{
    eph_secret_wipe(call, sizeof *call);
    free(call);
}

// In any thread, with the flights' lock, without which the job does not go on: so its descriptor is still there. Landed
// first: else the job, woken before this thread goes on, would find nothing and pause again.
static void land(struct eph_flight *flight, const struct eph_completion *completion)
{
    struct call *call = (struct call *)((char *)flight - offsetof(struct call, flight));
    if (call->abandoned) {
        free_call(call);
        return;
    }
    call->completion = *completion;
    atomic_store_explicit(&call->landed, true, memory_order_release);
    eventfd_write(call->event_fd, 1);
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
    if (atomic_load_explicit(&call->landed, memory_order_relaxed))
        free_call(call);
    pthread_mutex_unlock(&async->process->flights.lock);
    end_pause(async, true);
}

static void channel_cleanup(ASYNC_WAIT_CTX *context, const void *key, OSSL_ASYNC_FD fd, void *vchannel)
{
    struct channel *channel = vchannel;
    (void)context;
    (void)key;
    if (channel->call != NULL && channel->pid == getpid())
        abandon(channel->call);
    else if (channel->call != NULL)
        free_call(channel->call); // a copy, made by fork
    close(fd);
    free(channel);
}

// NULL: no memory or no descriptors left.
static struct channel *find_channel(ASYNC_WAIT_CTX *context)
{
    OSSL_ASYNC_FD fd;
    void *found = NULL;
    if (ASYNC_WAIT_CTX_get_fd(context, &channel_key, &fd, &found))
        return found;
    struct channel *channel = calloc(1, sizeof *channel);
    if (channel == NULL)
        return NULL;
    channel->pid = getpid();
    channel->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (channel->event_fd >= 0 &&
        ASYNC_WAIT_CTX_set_wait_fd(context, &channel_key, channel->event_fd, channel, channel_cleanup))
        return channel;
    if (channel->event_fd >= 0)
        close(channel->event_fd);
    free(channel);
    return NULL;
}

// HAProxy 2.6 stops with a FATAL when it closes a connection with a descriptor that no pause has shown to it.
static void hide_unshown(ASYNC_WAIT_CTX *context, struct channel *channel)
{
    if (channel->shown)
        return;
    ASYNC_WAIT_CTX_clear_fd(context, &channel_key); // just added: removed at once, without its cleanup
    close(channel->event_fd);
    free(channel);
}

// ---- one operation

static enum eph_stats_cause submit(struct eph_provider *provider, struct eph_process *process, const uint8_t *scalar,
                                   const uint8_t *peer_u, struct call *call)
{
    uint8_t secret_blind[EPH_BLIND_BYTES];
    enum eph_stats_cause cause = EPH_CAUSE_RANDOM;
    if (!eph_secret_blind(provider->application, secret_blind))
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
        enum eph_status status = eph_flights_submit(&process->flights, queue, &request, &call->flight);
        cause = status == EPH_OK ? EPH_CAUSE_COUNT : eph_offload_cause(status);
        eph_offload_release(process);
        if (status == EPH_E_GONE)
            eph_offload_lost(process, queue);
    }
    eph_secret_wipe(secret_blind, sizeof secret_blind);
    return cause;
}

// Returns when the call has landed; false in a forked copy of the job, whose answer is its parent's.
static bool pause_until_landed(struct channel *channel, const struct call *call)
{
    unsigned pauses = 0;
    channel->shown = true;
    do { // at least once, see hide_unshown
        if (pauses++ > IDLE_PAUSES)
            poll(&(struct pollfd){.fd = channel->event_fd, .events = POLLIN}, 1, SPUN_WAIT_MS);
        ASYNC_pause_job(); // failing, it returns at once: the bound above keeps that from spinning
    } while (channel->pid == getpid() && !atomic_load_explicit(&call->landed, memory_order_acquire));
    if (channel->pid != getpid())
        return false;
    pthread_mutex_lock(&call->async->process->flights.lock); // whoever landed it has raised the event, too
    pthread_mutex_unlock(&call->async->process->flights.lock);
    eventfd_t count;
    eventfd_read(channel->event_fd, &count);
    return true;
}

static enum eph_outcome finish(struct eph_process *process, const struct call *call, const uint8_t *peer_u,
                               struct eph_answer *answer)
{
    enum eph_outcome outcome = eph_offload_judge(&call->completion, peer_u, answer);
    struct eph_queue *queue = NULL;
    if (outcome == EPH_OUTCOME_FAULT || !eph_stats_breaker_closed(&process->stats))
        queue = eph_offload_current(process);
    if (queue != NULL) {
        eph_offload_note_breaker(process, queue);
        eph_offload_release(process);
    }
    return outcome;
}

enum eph_outcome eph_async_x25519(struct eph_provider *provider, struct eph_process *process, const uint8_t *scalar,
                                  const uint8_t *peer_u, struct eph_answer *answer)
{
    struct eph_async *async = &process->async;
    uint64_t start_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    *answer = (struct eph_answer){.cause = EPH_CAUSE_ASYNC_FULL, .detail = ""};
    if (atomic_fetch_add_explicit(&async->paused, 1, memory_order_relaxed) >= EPH_ASYNC_MAX_PAUSED) {
        atomic_fetch_sub_explicit(&async->paused, 1, memory_order_relaxed);
        return EPH_OUTCOME_FAULT;
    }
    ASYNC_WAIT_CTX *context = ASYNC_get_wait_ctx(ASYNC_get_current_job());
    struct channel *channel = find_channel(context);
    struct call *call = channel != NULL && start_thread(async) ? calloc(1, sizeof *call) : NULL;
    answer->cause = EPH_CAUSE_MEMORY;
    if (call != NULL) {
        call->flight.land = land;
        call->event_fd = channel->event_fd;
        call->async = async;
        answer->cause = submit(provider, process, scalar, peer_u, call);
    }
    if (answer->cause != EPH_CAUSE_COUNT) {
        free(call);
        if (channel != NULL)
            hide_unshown(context, channel);
        atomic_fetch_sub_explicit(&async->paused, 1, memory_order_relaxed);
        return EPH_OUTCOME_FAULT;
    }
    channel->call = call;
    eph_stats_async_pause(&process->stats);
    uint64_t before_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - start_ns;
    if (!pause_until_landed(channel, call)) {
        channel->call = NULL;
        free_call(call);
        answer->cause = eph_offload_cause(EPH_E_FORKED);
        return EPH_OUTCOME_FAULT;
    }
    start_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    channel->call = NULL;
    enum eph_outcome outcome = finish(process, call, peer_u, answer);
    free_call(call);
    end_pause(async, false);
    eph_cost_sample(&async->job_cost, before_ns + clock_ns(CLOCK_THREAD_CPUTIME_ID) - start_ns);
    return outcome;
}
