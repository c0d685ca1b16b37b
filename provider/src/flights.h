// SPDX-License-Identifier: Apache-2.0
// Requests on their way whose submitter does not wait inside the driver: keys for the pool, calls of paused async jobs.
// All completions of a process's queue come out of one eph_poll, whoever calls it; here they find their owner by tag.
#ifndef EPH_FLIGHTS_H
#define EPH_FLIGHTS_H

#include <ephemera/ephemera.h>
#include <pthread.h>
#include <stdbool.h>

// Part of its owner's record, which must stay where it is until land has been called, exactly once for each successful
// submission, and leave as well where there is one. land runs in any thread that polls, with the flights' lock held: it
// must not submit, poll or block. completion->status tells EPH_OK, EPH_E_TIMEOUT or why the queue ended; the caller
// wipes it. leave follows in the same thread without the lock, for what takes longer, such as waking somebody.
struct eph_flight {
    uint32_t tag;
    void (*land)(struct eph_flight *flight, const struct eph_completion *completion);
    void (*leave)(struct eph_flight *flight); // NULL: land was all
    struct eph_flight *next;
};

enum { EPH_FLIGHTS_AT_ONCE = 8 };

// Of one process and its queue. Lock order: the attachment's lock, this one, the driver's.
struct eph_flights {
    pthread_mutex_t lock;
    struct eph_flight *first; // borrowed from their owners
    unsigned count;           // of them
    unsigned in_passing;      // landed by others than the watcher since it asked last
    int dozer_fd;             // eventfd of a thread that sleeps until the next submission; -1: none
    struct eph_completion secret_batch[EPH_FLIGHTS_AT_ONCE]; // of a poll; here, since its stack may be a fibre's
};

void eph_flights_init(struct eph_flights *flights);
void eph_flights_fini(struct eph_flights *flights); // none is left, see eph_flights_end

// All n or none, n at most EPH_FLIGHTS_AT_ONCE, with one doorbell. May wait for another thread that submits or polls,
// which takes microseconds; never for the device.
EPH_MUST_CHECK enum eph_status eph_flights_submit(struct eph_flights *flights, struct eph_queue *queue,
                                                  const struct eph_request *requests, struct eph_flight *const *flight,
                                                  unsigned n);
// Lands what is ready; returns how many. Does nothing while another thread does the same. watcher: the caller watches
// eph_queue_fd and takes its event back.
unsigned eph_flights_poll(struct eph_flights *flights, struct eph_queue *queue, bool watcher);
// How many fly? *in_passing: how many landed by others than the watcher since the last call.
unsigned eph_flights_count(struct eph_flights *flights, unsigned *in_passing);
// False while something flies. True: wake_fd will be raised by the next submission.
bool eph_flights_doze(struct eph_flights *flights, int wake_fd);
// The queue is about to be closed, or the process state to be freed: all land with this status.
void eph_flights_end(struct eph_flights *flights, enum eph_status status);

#endif
