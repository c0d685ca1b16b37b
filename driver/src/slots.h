// SPDX-License-Identifier: Apache-2.0
// What the driver knows about each request that the device may still answer. A tag names a slot and one use of it; a
// generation is never used twice. Serialised by the queue's mutex.
#ifndef EPH_SLOTS_H
#define EPH_SLOTS_H

#include <ephemera/ephemera.h>
#include <pthread.h>
#include <stdbool.h>

enum eph_slot_state {
    EPH_SLOT_FREE,
    EPH_SLOT_IN_FLIGHT,
    EPH_SLOT_EXPIRED,     // deadline passed, owner not told yet; the device may still answer
    EPH_SLOT_DONE,        // final, owner not told yet; the device has no part in it any more
    EPH_SLOT_QUARANTINED, // owner told or not interested; the device may still answer
    EPH_SLOT_STATES,
};

struct eph_slot {
    enum eph_slot_state state; // changed by eph_slots_move alone
    bool waited;               // a thread is in eph_wait for it
    bool internal;             // known-answer test: no user may touch it
    bool overdue;              // its deadline has passed and was counted
    uint32_t tag;
    uint64_t generation;
    uint32_t sq_index; // free-running position of its SQE
    enum eph_opcode opcode;
    enum eph_curve curve;
    uint64_t started_ns;              // when the device could have started it; 0: others come first
    pthread_cond_t wake;              // for its waiter, unless that one sleeps in poll (eph_queue.leader)
    struct eph_completion completion; // valid when DONE or EXPIRED; secret
};

enum { EPH_SLOTS_MAX = (1 << EPH_MAX_LOG2_DEPTH) - 1 };

// A set of slots, one bit each, so that a request costs no walk over all of them.
typedef uint64_t eph_slot_set;
_Static_assert((int)EPH_SLOTS_MAX <= 64, "a set holds every slot");

struct eph_slots {
    struct eph_slot slot[EPH_SLOTS_MAX];
    eph_slot_set in[EPH_SLOT_STATES]; // by state
    eph_slot_set started;             // their clock runs
    uint32_t count;                   // slots in use: queue entries - 1
    uint32_t capacity;                // requests that the device works on at a time
    uint32_t sequence;                // upper part of the next tag
    uint64_t generation;              // of the next request
};

EPH_MUST_CHECK enum eph_status eph_slots_init(struct eph_slots *slots, uint32_t count, uint32_t capacity);
void eph_slots_fini(struct eph_slots *slots);

uint32_t eph_slots_free(const struct eph_slots *slots);
// A free slot with a fresh tag and generation, in flight; NULL when there is none.
struct eph_slot *eph_slots_take(struct eph_slots *slots);
void eph_slots_move(struct eph_slots *slots, struct eph_slot *slot, enum eph_slot_state state);
// Wipes and frees.
void eph_slots_release(struct eph_slots *slots, struct eph_slot *slot);
// By the tag that a user holds: in flight, expired or done, not internal. NULL otherwise.
struct eph_slot *eph_slots_find(struct eph_slots *slots, uint32_t tag);
// By what a completion claims. NULL when no request of ours can be meant; *generation_wrong tells a mere tag match.
struct eph_slot *eph_slots_match(struct eph_slots *slots, uint32_t tag, uint64_t generation, bool *generation_wrong);
// Starts the clock of requests, oldest first, as far as the device has room for them. True: of at least one.
bool eph_slots_start(struct eph_slots *slots, uint64_t now_ns);
// Requests that the device has and whose clock has not started.
uint32_t eph_slots_queued(const struct eph_slots *slots);

// Those that the device may still answer.
static inline eph_slot_set eph_slots_awaiting(const struct eph_slots *slots)
{
    return slots->in[EPH_SLOT_IN_FLIGHT] | slots->in[EPH_SLOT_EXPIRED] | slots->in[EPH_SLOT_QUARANTINED];
}

// Those whose owner can be told.
static inline eph_slot_set eph_slots_finished(const struct eph_slots *slots)
{
    return slots->in[EPH_SLOT_DONE] | slots->in[EPH_SLOT_EXPIRED];
}

// Takes one slot out of a set that is not empty.
static inline struct eph_slot *eph_slots_next(struct eph_slots *slots, eph_slot_set *set)
{
    unsigned index = (unsigned)__builtin_ctzll(*set);
    *set &= *set - 1;
    return &slots->slot[index];
}

#endif
