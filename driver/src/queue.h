// SPDX-License-Identifier: Apache-2.0
// One queue pair of one process. Who does what:
//   bringup.c  attach, program the device, known-answer test, close
//   queue.c    the four verbs on the rings: push, ring, harvest, arm
//   submit.c   the public side that puts requests in
//   wait.c     the public side that takes completions out, and how threads sleep
//   health.c   timeouts, circuit breaker, reset, re-admission
// Everything here is called with the mutex held, unless it says otherwise.
#ifndef EPH_QUEUE_H
#define EPH_QUEUE_H

#include "device.h"
#include "slots.h"

#include <sys/types.h>

enum eph_health_state {
    EPH_HEALTH_CLOSED,    // in service
    EPH_HEALTH_OPEN,      // out of service until retry_ns
    EPH_HEALTH_RESETTING, // reset sent, not acknowledged
    EPH_HEALTH_PROBING,   // known-answer test in flight
    EPH_HEALTH_GONE,      // for good
};

struct eph_health {
    enum eph_health_state state;
    uint32_t faults;        // in a row
    uint64_t backoff_ns;    // before the next reset
    uint64_t retry_ns;      // OPEN: when
    uint64_t limit_ns;      // RESETTING, PROBING: given up then
    struct eph_slot *probe; // PROBING
    bool logged_untrusted;
};

struct eph_queue {
    struct eph_device *device;          // borrowed
    struct eph_transport *transport;    // owned
    void *sim_handle;                   // owned; NULL: none
    const volatile uint8_t *owner_mark; // owned: a page that reads 1 here and, wiped by fork, 0 in a child
    pthread_mutex_t lock;

    uint8_t *memory; // owned: SQ, CQ, shadow page; one mapping, shared with the device
    size_t memory_bytes;
    struct eph_sqe *sq;
    struct eph_cqe *cq;
    struct eph_shadow *shadow; // NULL: the device does not look there by itself
    uint32_t entries;          // power of two

    // Ring positions run freely; masked where they index.
    uint32_t sq_tail;     // next SQE to fill
    uint32_t sq_head;     // first SQE that the device may not have read
    uint32_t cq_head;     // next CQE to look at
    uint32_t cq_released; // cq_head as the device knows it
    bool sick_entry;      // the CQE at cq_head has an impossible phase, counted
    bool armed;           // an interrupt is on its way for anything at or after some earlier cq_head
    bool doorbells_off;   // a reset is under way

    int irq_fd;    // eventfd, written by the device
    int notify_fd; // eventfd, written when completions for eph_poll were found by somebody else
    int leader_fd; // eventfd, written when the leader's slot was found by somebody else
    int epoll_fd;  // eph_queue_fd: irq_fd, notify_fd, death of the transport
    bool fd_wanted;
    bool quiet;              // eph_queue_quiet
    bool notified;           // notify_fd is raised
    bool collecting;         // eph_poll is at work: nobody else need be told
    struct eph_slot *leader; // its waiter sleeps in poll on behalf of all; NULL: nobody does

    struct eph_slots slots;
    struct eph_health health;
    struct eph_queue_stats stats;
    struct eph_device_info info;
    uint64_t deadline_ns;
    uint64_t expiry_ns;     // no request is overdue before
    uint64_t death_look_ns; // when eph_poll looks next whether the other side lives
    struct {
        uint64_t ns, updated_ns;
    } latency[3][EPH_CURVE_COUNT]; // running estimate by opcode and curve; 0: none yet
};

enum { EPH_QUEUE_ID = 0, EPH_QUEUE_VECTOR = 1 }; // a vfio-user function is ours alone

// Without the mutex: does this process own the queue?
bool eph_queue_is_ours(const struct eph_queue *queue);
uint32_t eph_curve_bytes(enum eph_curve curve);

// queue.c
bool eph_queue_has_room(const struct eph_queue *queue, size_t requests);
void eph_queue_push(struct eph_queue *queue, struct eph_slot *slot, const struct eph_request *request, uint64_t now_ns);
EPH_MUST_CHECK enum eph_status eph_queue_ring(struct eph_queue *queue);
void eph_queue_harvest(struct eph_queue *queue, uint64_t now_ns);
enum eph_status eph_queue_arm(struct eph_queue *queue);
void eph_queue_clear_rings(struct eph_queue *queue);
// Ends every request: users see `status` (those that had expired see EPH_E_TIMEOUT), quarantined slots become free.
void eph_queue_end_all(struct eph_queue *queue, enum eph_status status);

// submit.c: eph_submit with the mutex held
EPH_MUST_CHECK enum eph_status eph_queue_submit(struct eph_queue *queue, const struct eph_request *requests, size_t n,
                                                uint32_t *tags);

// wait.c
void eph_queue_wake(struct eph_queue *queue, struct eph_slot *slot); // its state changed
// Releases the mutex until the slot may have changed, the device ended, or wake_ns. slot->waited must be set.
void eph_queue_sleep(struct eph_queue *queue, struct eph_slot *slot, uint64_t wake_ns);

// bringup.c: bus mastering, interrupt, queue registers. Blocks until deadline_ns at most.
EPH_MUST_CHECK enum eph_status eph_queue_program(struct eph_queue *queue, uint64_t deadline_ns);

// health.c
void eph_health_init(struct eph_queue *queue);
// May a user's request go to the device now? Moves a broken queue on towards service; never blocks for more than a
// register access.
EPH_MUST_CHECK enum eph_status eph_health_admit(struct eph_queue *queue, uint64_t now_ns);
void eph_health_success(struct eph_queue *queue);
void eph_health_fault(struct eph_queue *queue, uint64_t now_ns);   // timeout, CHECK, ABORTED
void eph_health_inspect(struct eph_queue *queue, uint64_t now_ns); // after a timeout: is it still there?
void eph_health_gone(struct eph_queue *queue, const char *why);
void eph_health_untrusted(struct eph_queue *queue, const char *what); // logs the first one

// known_answer.c
EPH_MUST_CHECK enum eph_status eph_known_answer_submit(struct eph_queue *queue, struct eph_slot **slot,
                                                       uint64_t now_ns);
bool eph_known_answer_is_right(const struct eph_slot *slot);

#endif
