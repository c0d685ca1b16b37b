// SPDX-License-Identifier: Apache-2.0
#include "flights.h"
#include "secret.h"

#include <stddef.h>
#include <sys/eventfd.h>

void eph_flights_init(struct eph_flights *flights)
{
    pthread_mutex_init(&flights->lock, NULL);
    flights->first = NULL;
    flights->dozer_fd = -1;
}

void eph_flights_fini(struct eph_flights *flights)
{
    pthread_mutex_destroy(&flights->lock);
}

// The lock covers the submission, so that no poll can meet a tag that is not listed yet.
enum eph_status eph_flights_submit(struct eph_flights *flights, struct eph_queue *queue,
                                   const struct eph_request *requests, struct eph_flight *const *flight, unsigned n)
{
    uint32_t tags[EPH_FLIGHTS_AT_ONCE];
    pthread_mutex_lock(&flights->lock);
    enum eph_status status = eph_submit(queue, requests, n, tags);
    for (unsigned i = 0; status == EPH_OK && i < n; i++) {
        flight[i]->tag = tags[i];
        flight[i]->next = flights->first;
        flights->first = flight[i];
        flights->count++;
    }
    if (status == EPH_OK && flights->dozer_fd >= 0) {
        eventfd_write(flights->dozer_fd, 1);
        flights->dozer_fd = -1;
    }
    pthread_mutex_unlock(&flights->lock);
    return status;
}

// With the lock: lands one and, when it has more to do without the lock, adds it to the list of those.
static void land_one(struct eph_flight *flight, const struct eph_completion *completion, struct eph_flight **leaving)
{
    bool leaves = flight->leave != NULL; // land may end the record of one that does not
    flight->land(flight, completion);
    if (!leaves)
        return;
    flight->next = *leaving;
    *leaving = flight;
}

static void leave_all(struct eph_flight *leaving)
{
    while (leaving != NULL) {
        struct eph_flight *flight = leaving;
        leaving = flight->next;
        flight->leave(flight);
    }
}

// A tag that is not listed belongs to nobody; the driver has freed its slot.
static bool land(struct eph_flights *flights, const struct eph_completion *completion, struct eph_flight **leaving)
{
    for (struct eph_flight **link = &flights->first; *link != NULL; link = &(*link)->next) {
        struct eph_flight *flight = *link;
        if (flight->tag != completion->tag)
            continue;
        *link = flight->next;
        flights->count--;
        land_one(flight, completion, leaving);
        return true;
    }
    return false;
}

unsigned eph_flights_poll(struct eph_flights *flights, struct eph_queue *queue, bool watcher)
{
    struct eph_completion *batch = flights->secret_batch;
    struct eph_flight *leaving = NULL;
    size_t found;
    unsigned landed = 0;
    if (pthread_mutex_trylock(&flights->lock) != 0)
        return 0;
    do { // at least once, even when nothing of ours flies: it also takes the event back
        found = (watcher ? eph_poll : eph_poll_in_passing)(queue, batch, EPH_FLIGHTS_AT_ONCE);
        for (size_t i = 0; i < found; i++)
            landed += land(flights, &batch[i], &leaving);
        eph_secret_wipe(batch, found * sizeof batch[0]);
    } while (found == EPH_FLIGHTS_AT_ONCE);
    flights->in_passing += watcher ? 0 : landed;
    pthread_mutex_unlock(&flights->lock);
    leave_all(leaving);
    return landed;
}

unsigned eph_flights_count(struct eph_flights *flights, unsigned *in_passing)
{
    pthread_mutex_lock(&flights->lock);
    unsigned count = flights->count;
    *in_passing = flights->in_passing;
    flights->in_passing = 0;
    pthread_mutex_unlock(&flights->lock);
    return count;
}

bool eph_flights_doze(struct eph_flights *flights, int wake_fd)
{
    pthread_mutex_lock(&flights->lock);
    bool may = flights->first == NULL;
    flights->dozer_fd = may ? wake_fd : -1;
    pthread_mutex_unlock(&flights->lock);
    return may;
}

void eph_flights_end(struct eph_flights *flights, enum eph_status status)
{
    struct eph_flight *leaving = NULL;
    pthread_mutex_lock(&flights->lock);
    while (flights->first != NULL) {
        struct eph_flight *flight = flights->first;
        flights->first = flight->next;
        flights->count--;
        land_one(flight, &(struct eph_completion){.tag = flight->tag, .status = status}, &leaving);
    }
    pthread_mutex_unlock(&flights->lock);
    leave_all(leaving);
}
