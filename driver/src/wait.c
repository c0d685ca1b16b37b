// SPDX-License-Identifier: Apache-2.0
// Completions out. Any number of threads may wait: one of them, the leader, sleeps in poll(2) on the interrupt on
// behalf of all, the others sleep on their slot's condition variable. Whoever holds the mutex takes all completions
// there are and wakes their owners. A leader that leaves hands over to another waiter.
#include "queue.h"
#include "util.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

// How long eph_poll may believe that the other side still lives: the look is a system call.
static const uint64_t death_look_ns = 10 * EPH_NS_PER_MS;

static void raise_event(int fd)
{
    eventfd_write(fd, 1); // fails only when already raised 2^64 - 2 times
}

// Whoever watches eph_queue_fd is told that eph_poll has something to give.
static void notify_poller(struct eph_queue *queue)
{
    if (!queue->fd_wanted || queue->quiet || queue->notified)
        return;
    queue->notified = true;
    raise_event(queue->notify_fd);
}

// Was it raised?
static bool clear_event(int fd)
{
    eventfd_t count;
    int failed;
    do
        failed = eventfd_read(fd, &count);
    while (failed && errno == EINTR);
    return !failed;
}

void eph_queue_wake(struct eph_queue *queue, struct eph_slot *slot)
{
    if (!slot->waited) {
        if (!queue->collecting && !slot->internal)
            notify_poller(queue);
    } else if (queue->leader == slot) {
        raise_event(queue->leader_fd);
    } else {
        pthread_cond_signal(&slot->wake);
    }
}

// Somebody must watch the interrupt as long as somebody waits.
static void hand_over(struct eph_queue *queue)
{
    if (queue->leader)
        return;
    for (eph_slot_set set = queue->slots.in[EPH_SLOT_IN_FLIGHT]; set;) {
        struct eph_slot *slot = eph_slots_next(&queue->slots, &set);
        if (slot->waited) {
            pthread_cond_signal(&slot->wake);
            return;
        }
    }
}

// Sleeps without the mutex until an interrupt, the end of the device, or wake_ns.
static void lead(struct eph_queue *queue, struct eph_slot *slot, uint64_t wake_ns)
{
    if (eph_queue_arm(queue) == EPH_E_GONE)
        return;
    queue->leader = slot;
    struct pollfd events[3] = {{.fd = queue->irq_fd, .events = POLLIN},
                               {.fd = queue->leader_fd, .events = POLLIN},
                               {.fd = queue->transport->death_fd}};
    pthread_mutex_unlock(&queue->lock);
    eph_poll_until(events, 3, wake_ns);
    pthread_mutex_lock(&queue->lock);
    queue->leader = NULL;
    if (events[1].revents)
        clear_event(queue->leader_fd);
    if (clear_event(queue->irq_fd))
        queue->armed = false;
    if (events[2].revents & (POLLHUP | POLLERR)) {
        eph_queue_harvest(queue, eph_now_ns()); // what it finished before it went counts
        eph_health_gone(queue, "its server is gone");
    }
}

void eph_queue_sleep(struct eph_queue *queue, struct eph_slot *slot, uint64_t wake_ns)
{
    if (!queue->leader) {
        lead(queue, slot, wake_ns);
        return;
    }
    struct timespec until = {.tv_sec = (time_t)(wake_ns / EPH_NS_PER_S), .tv_nsec = (long)(wake_ns % EPH_NS_PER_S)};
    pthread_cond_timedwait(&slot->wake, &queue->lock, &until);
}

// When to look again without an event: at the request's deadline, or a deadline's length from now while its clock
// stands.
static uint64_t wake_time_ns(const struct eph_queue *queue, const struct eph_slot *slot, uint64_t now_ns,
                             uint64_t limit_ns)
{
    uint64_t wake_ns = (slot->started_ns ? slot->started_ns : now_ns) + queue->deadline_ns;
    return limit_ns && limit_ns < wake_ns ? limit_ns : wake_ns;
}

// Gives the owner its result and the slot up.
static void hand_out(struct eph_queue *queue, struct eph_slot *slot, struct eph_completion *completion)
{
    *completion = slot->completion;
    if (slot->state == EPH_SLOT_DONE) {
        eph_slots_release(&queue->slots, slot);
    } else {
        slot->waited = false;
        eph_slots_move(&queue->slots, slot, EPH_SLOT_QUARANTINED);
    }
}

static void quarantine(struct eph_queue *queue, struct eph_slot *slot)
{
    queue->stats.cancelled++;
    slot->waited = false;
    eph_slots_move(&queue->slots, slot, EPH_SLOT_QUARANTINED);
}

static enum eph_status wait_locked(struct eph_queue *queue, uint32_t tag, struct eph_completion *completion,
                                   uint64_t limit_ns)
{
    struct eph_slot *slot = eph_slots_find(&queue->slots, tag);
    if (!slot || slot->waited)
        return EPH_E_INVALID;
    slot->waited = true;
    for (;;) {
        uint64_t now_ns = eph_now_ns();
        eph_queue_harvest(queue, now_ns);
        if (eph_slots_find(&queue->slots, tag) != slot)
            return EPH_E_INVALID; // cancelled by another thread
        if (slot->state != EPH_SLOT_IN_FLIGHT) {
            hand_out(queue, slot, completion);
            return completion->status;
        }
        if (limit_ns && now_ns >= limit_ns) {
            quarantine(queue, slot);
            return EPH_E_TIMEOUT;
        }
        eph_queue_sleep(queue, slot, wake_time_ns(queue, slot, now_ns, limit_ns));
    }
}

enum eph_status eph_wait(struct eph_queue *queue, uint32_t tag, struct eph_completion *completion, uint64_t deadline_ns)
{
    *completion = (struct eph_completion){.tag = tag};
    if (!eph_queue_is_ours(queue)) {
        completion->status = EPH_E_FORKED;
        return EPH_E_FORKED;
    }
    pthread_mutex_lock(&queue->lock);
    enum eph_status status = wait_locked(queue, tag, completion, deadline_ns);
    hand_over(queue);
    pthread_mutex_unlock(&queue->lock);
    completion->status = status;
    return status;
}

enum eph_status eph_exchange(struct eph_queue *queue, const struct eph_request *request,
                             struct eph_completion *completion)
{
    *completion = (struct eph_completion){.status = EPH_E_FORKED};
    if (!eph_queue_is_ours(queue))
        return EPH_E_FORKED;
    // One critical section, so that eph_poll in another thread can not take the completion before the wait begins.
    pthread_mutex_lock(&queue->lock);
    enum eph_status status = eph_queue_submit(queue, request, 1, &completion->tag);
    if (status == EPH_OK)
        status = wait_locked(queue, completion->tag, completion, 0);
    hand_over(queue);
    pthread_mutex_unlock(&queue->lock);
    completion->status = status;
    return status;
}

void eph_cancel(struct eph_queue *queue, uint32_t tag)
{
    if (!eph_queue_is_ours(queue))
        return;
    pthread_mutex_lock(&queue->lock);
    struct eph_slot *slot = eph_slots_find(&queue->slots, tag);
    if (slot) {
        if (slot->waited)
            eph_queue_wake(queue, slot);
        if (slot->state != EPH_SLOT_DONE)
            quarantine(queue, slot);
        else
            eph_slots_release(&queue->slots, slot);
    }
    pthread_mutex_unlock(&queue->lock);
}

static size_t collect(struct eph_queue *queue, struct eph_completion *completions, size_t max, bool *more)
{
    size_t found = 0;
    *more = false;
    for (eph_slot_set set = eph_slots_finished(&queue->slots); set;) {
        struct eph_slot *slot = eph_slots_next(&queue->slots, &set);
        if (slot->waited || slot->internal)
            continue;
        if (found == max) {
            *more = true;
            break;
        }
        hand_out(queue, slot, &completions[found++]);
    }
    return found;
}

// Takes back the events that led here; for a leader as well, who may get the CPU only after us: the descriptor would
// stay readable and keep us from sleeping.
static void clear_events(struct eph_queue *queue)
{
    if (queue->notified)
        clear_event(queue->notify_fd);
    queue->notified = false;
    if (queue->armed && clear_event(queue->irq_fd))
        queue->armed = false;
}

static bool is_dead(struct eph_queue *queue, uint64_t now_ns)
{
    if (now_ns < queue->death_look_ns)
        return false;
    queue->death_look_ns = now_ns + death_look_ns;
    struct pollfd death = {.fd = queue->transport->death_fd};
    return eph_poll_until(&death, 1, 0) && (death.revents & (POLLHUP | POLLERR));
}

// So that nobody sleeps on eph_queue_fd, or as the leader, while requests are in flight.
static void arm_for_sleepers(struct eph_queue *queue)
{
    bool awaited = queue->leader || (queue->fd_wanted && !queue->quiet);
    if (awaited && eph_slots_free(&queue->slots) < queue->slots.count)
        eph_queue_arm(queue);
}

static size_t poll_queue(struct eph_queue *queue, struct eph_completion *completions, size_t max, bool acknowledge)
{
    if (!eph_queue_is_ours(queue))
        return 0;
    pthread_mutex_lock(&queue->lock);
    if (acknowledge)
        clear_events(queue);
    uint64_t now_ns = eph_now_ns();
    bool dead = is_dead(queue, now_ns); // before the harvest: what it finished before it went counts
    queue->collecting = true;
    eph_queue_harvest(queue, now_ns);
    queue->collecting = false;
    if (dead)
        eph_health_gone(queue, "its server is gone");
    bool more;
    size_t found = collect(queue, completions, max, &more);
    if (more)
        notify_poller(queue);
    else if (acknowledge && found == 0 && queue->fd_wanted && !queue->armed)
        clear_event(queue->irq_fd); // an interrupt that nobody asked for: sleepers would spin
    arm_for_sleepers(queue);
    pthread_mutex_unlock(&queue->lock);
    return found;
}

size_t eph_poll(struct eph_queue *queue, struct eph_completion *completions, size_t max)
{
    return poll_queue(queue, completions, max, true);
}

size_t eph_poll_in_passing(struct eph_queue *queue, struct eph_completion *completions, size_t max)
{
    return poll_queue(queue, completions, max, false);
}

int eph_queue_fd(struct eph_queue *queue)
{
    if (!eph_queue_is_ours(queue))
        return -1;
    pthread_mutex_lock(&queue->lock);
    queue->fd_wanted = true;
    if (!queue->leader && !queue->quiet)
        eph_queue_arm(queue);
    pthread_mutex_unlock(&queue->lock);
    return queue->epoll_fd;
}

void eph_queue_quiet(struct eph_queue *queue, bool quiet)
{
    if (!eph_queue_is_ours(queue))
        return;
    pthread_mutex_lock(&queue->lock);
    queue->quiet = quiet;
    if (!quiet && eph_slots_finished(&queue->slots))
        notify_poller(queue); // found by others meanwhile
    arm_for_sleepers(queue);
    pthread_mutex_unlock(&queue->lock);
}
