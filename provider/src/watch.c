// SPDX-License-Identifier: Apache-2.0
#include "watch.h"
#include "clock.h"
#include "moderation.h"
#include "process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MS      UINT64_C(1000000)
#define TICK_NS (10 * MS) // between looks for requests past their deadline, which raise no event
#define IDLE_NS (20 * MS) // without a request for so long, the thread sleeps until the next one

// The queue as the thread sees it. Its descriptor as our own duplicate: the queue may be closed while we sleep on it.
struct view {
    int fd; // owned; -1: no queue yet
    unsigned attached;
    unsigned flying;  // on their way
    uint64_t rest_ns; // not 0: interrupts of this queue are off, look again after this time
    struct eph_moderation moderation;
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
    *view = (struct view){.fd = fcntl(eph_queue_fd(queue), F_DUPFD_CLOEXEC, 0), .attached = attached};
    eph_moderation_init(&view->moderation, eph_clock_ns(CLOCK_MONOTONIC));
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
    const struct eph_moderation_look found = {
        .now_ns = eph_clock_ns(CLOCK_MONOTONIC),
        .latency_ns = eph_queue_latency_ns(queue, EPH_OP_DERIVE, EPH_CURVE_X25519),
        .flying = view->flying,
        .landed = landed,
        .in_passing = in_passing,
    };
    uint64_t rest_ns = eph_moderation_rest_ns(&view->moderation, &found);
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
    uint64_t time_ns = quiet ? view->rest_ns : view->flying ? TICK_NS : IDLE_NS;
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
        bool unused = now_ns - used_ns >= IDLE_NS;
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
