// SPDX-License-Identifier: Apache-2.0
#include "watch.h"
#include "clock.h"
#include "process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MS            UINT64_C(1000000)
#define TICK_NS       (10 * MS)   // between looks for requests past their deadline, which raise no event
#define UNUSED_NS     (50 * MS)   // the same while nothing is on its way
#define IDLE_NS       (1000 * MS) // without a request for so long, the thread sleeps until the next one
#define SHORT_REST_NS (MS / 20)   // between looks without interrupts, when answers follow each other
#define MANY_REST_NS  (2 * MS) // at most, when several answers share a wake-up, and when we try whether others land them
#define LONG_REST_NS                                                                                                   \
    (8 * MS) // at most, when others land them: the longest that an answer waits for nobody, or twice
             // that where others landed practically all

enum {
    MANY = 16,  // eight answers in half of the latency
    ENOUGH = 4, // answers that tell who lands them
    // Interrupts between two tries: whoever follows each at once never sees that the application would have come by.
    TRY_AFTER = 8,
    TRY_AFTER_MOST = 64, // when none succeeds
};

// The queue as the thread sees it. Its descriptor as our own duplicate: the queue may be closed while we sleep on it.
struct view {
    int fd; // owned; -1: no queue yet
    unsigned attached;
    unsigned flying;      // on their way
    uint64_t rest_ns;     // not 0: interrupts of this queue are off, look again after this time
    uint64_t trust_ns;    // not 0: the application lands nearly all answers when it passes by; so long can we rest
    unsigned passed, own; // who landed them since trust_ns was set
    unsigned interrupts;  // followed at once since since_ns
    unsigned try_after;   // so many of them
    uint64_t since_ns;
};

void eph_watch_init(struct eph_watch *watch, struct eph_process *process)
{
    watch->process = process;
    watch->wake_fd = -1;
    pthread_mutex_init(&watch->lock, NULL);
}

void eph_watch_fini(struct eph_watch *watch, bool ours)
{
    if (!ours) // a parent's: its thread is not here, its descriptor may have been closed and reused
        return;
    atomic_store(&watch->stop, true);
    if (atomic_load(&watch->started)) {
        eventfd_write(watch->wake_fd, 1);
        pthread_join(watch->thread, NULL);
    }
    if (watch->wake_fd >= 0)
        close(watch->wake_fd);
    pthread_mutex_destroy(&watch->lock);
}

static void view_queue(struct view *view, struct eph_queue *queue, unsigned attached)
{
    if (view->fd >= 0 && view->attached == attached)
        return;
    if (view->fd >= 0)
        close(view->fd);
    *view = (struct view){.fd = fcntl(eph_queue_fd(queue), F_DUPFD_CLOEXEC, 0),
                          .attached = attached,
                          .try_after = TRY_AFTER,
                          .since_ns = eph_clock_ns(CLOCK_MONOTONIC)};
}

static void trust(struct view *view, uint64_t rest_ns)
{
    view->trust_ns = rest_ns;
    view->passed = view->own = 0;
}

// Do without interrupts for as long as a few answers take, and see who lands them.
static void try_trust(struct view *view)
{
    uint64_t now_ns = eph_clock_ns(CLOCK_MONOTONIC);
    uint64_t rest_ns = (now_ns - view->since_ns) * ENOUGH / (view->interrupts + 1);
    trust(view, rest_ns < SHORT_REST_NS ? SHORT_REST_NS : rest_ns < MANY_REST_NS ? rest_ns : MANY_REST_NS);
    view->interrupts = 0;
    view->since_ns = now_ns;
}

static uint64_t longer_ns(const struct view *view)
{
    uint64_t most_ns = view->passed >= 16 * view->own ? 2 * LONG_REST_NS : LONG_REST_NS;
    return 2 * view->trust_ns < most_ns ? 2 * view->trust_ns : most_ns;
}

// Rests grow while four of five answers are landed by others, and end when half of them are not.
static void judge_passers(struct view *view, unsigned landed, unsigned in_passing)
{
    view->passed += in_passing;
    view->own += landed;
    if (view->passed + view->own < ENOUGH)
        return;
    if (view->passed <= view->own) {
        view->try_after = view->try_after < TRY_AFTER_MOST ? 2 * view->try_after : TRY_AFTER_MOST;
        view->since_ns = eph_clock_ns(CLOCK_MONOTONIC);
        trust(view, 0);
    } else {
        view->try_after = TRY_AFTER;
        trust(view, view->passed >= 4 * view->own ? longer_ns(view) : view->trust_ns);
    }
}

// How long to do without interrupts; 0: not at all. Where several answers are due in half of the latency that they
// have anyway, they share one wake-up of this thread and of the application. (A timer's wake-up costs twice an
// interrupt's, so a few do not.) When none came, or nothing is on its way, the next interrupt tells.
static uint64_t moderation_ns(struct view *view, struct eph_queue *queue, unsigned landed, unsigned in_passing)
{
    bool idle = view->flying == 0 && landed + in_passing == 0;
    if (view->trust_ns != 0) {
        judge_passers(view, landed, in_passing);
        return idle ? 0 : view->trust_ns;
    }
    if (landed + in_passing > 0 && view->flying < MANY && ++view->interrupts >= view->try_after)
        try_trust(view);
    if (view->flying < MANY || landed == 0)
        return view->trust_ns;
    uint64_t rest_ns = eph_queue_latency_ns(queue, EPH_OP_DERIVE, EPH_CURVE_X25519) / 2;
    if (rest_ns > MANY_REST_NS)
        return MANY_REST_NS;
    return rest_ns > SHORT_REST_NS ? rest_ns : SHORT_REST_NS;
}

// Lands what is ready and sets the interrupts for the time until the next look. Returns how many landed.
static unsigned look(struct eph_process *process, struct view *view)
{
    struct eph_queue *queue = eph_offload_current(process);
    if (queue == NULL)
        return 0;
    unsigned in_passing;
    view_queue(view, queue, process->attachment.attached);
    unsigned landed = eph_flights_poll(&process->flights, queue, true);
    view->flying = eph_flights_count(&process->flights, &in_passing);
    uint64_t rest_ns = moderation_ns(view, queue, landed, in_passing);
    if ((rest_ns != 0) != (view->rest_ns != 0))
        eph_queue_quiet(queue, rest_ns != 0);
    view->rest_ns = rest_ns;
    eph_offload_release(process);
    return landed + in_passing;
}

// Sleeps until there is something to look at. True: somebody woke us, not the queue or the time.
static bool rest(struct eph_watch *watch, const struct view *view, bool doze)
{
    bool quiet = view->rest_ns != 0;
    struct pollfd events[2] = {{.fd = watch->wake_fd, .events = POLLIN},
                               {.fd = quiet ? -1 : view->fd, .events = POLLIN}};
    uint64_t time_ns = quiet ? view->rest_ns : view->flying ? TICK_NS : UNUSED_NS;
    struct timespec time = {.tv_nsec = (long)time_ns}; // all below one second
    eventfd_t count;
    atomic_fetch_add_explicit(&watch->rests, 1, memory_order_relaxed);
    ppoll(events, 2, doze ? NULL : &time, NULL);
    return (events[0].revents & POLLIN) != 0 && eventfd_read(watch->wake_fd, &count) == 0;
}

static void *watch_queue(void *vwatch)
{
    struct eph_watch *watch = vwatch;
    struct view view = {.fd = -1};
    uint64_t used_ns = eph_clock_ns(CLOCK_MONOTONIC), cpu_ns = eph_clock_ns(CLOCK_THREAD_CPUTIME_ID);
    while (!atomic_load(&watch->stop)) {
        unsigned landed = look(watch->process, &view);
        uint64_t now_ns = eph_clock_ns(CLOCK_MONOTONIC);
        if (landed > 0) {
            used_ns = now_ns;
            if (!eph_cost_known(&watch->cost))
                eph_cost_sample(&watch->cost, (eph_clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_ns) / landed);
        }
        bool unused = now_ns - used_ns > IDLE_NS;
        bool doze = unused && view.rest_ns == 0 && eph_flights_doze(&watch->process->flights, watch->wake_fd);
        cpu_ns = eph_cost_known(&watch->cost) ? 0 : eph_clock_ns(CLOCK_THREAD_CPUTIME_ID);
        if (rest(watch, &view, doze))
            used_ns = eph_clock_ns(CLOCK_MONOTONIC);
    }
    if (view.fd >= 0)
        close(view.fd);
    return NULL;
}

bool eph_watch_start(struct eph_watch *watch)
{
    if (atomic_load_explicit(&watch->started, memory_order_acquire))
        return true;
    pthread_mutex_lock(&watch->lock);
    if (watch->wake_fd < 0)
        watch->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (!watch->started && watch->wake_fd >= 0) {
        sigset_t all, before; // the application's signals are for its own threads
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        watch->started = pthread_create(&watch->thread, NULL, watch_queue, watch) == 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    bool started = watch->started;
    pthread_mutex_unlock(&watch->lock);
    return started;
}
