// SPDX-License-Identifier: Apache-2.0
#include "slots.h"
#include "util.h"

#include <string.h>

// tag = sequence << 8 | slot index
enum { TAG_INDEX_BITS = 8, TAG_INDEX_MASK = (1 << TAG_INDEX_BITS) - 1 };
_Static_assert((int)EPH_SLOTS_MAX <= (int)TAG_INDEX_MASK, "a slot index fits its part of the tag");

enum eph_status eph_slots_init(struct eph_slots *slots, uint32_t count, uint32_t capacity)
{
    memset(slots, 0, sizeof *slots);
    // A random start: a completion left over from another life of the device matches with probability 2^-64.
    enum eph_status status = eph_random(&slots->generation, sizeof slots->generation);
    if (status != EPH_OK)
        return status;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    for (uint32_t i = 0; i < EPH_SLOTS_MAX; i++)
        pthread_cond_init(&slots->slot[i].wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    slots->count = count;
    slots->capacity = capacity ? capacity : 1;
    slots->in[EPH_SLOT_FREE] = (UINT64_C(1) << count) - 1; // count is at most 63
    return EPH_OK;
}

void eph_slots_fini(struct eph_slots *slots)
{
    for (uint32_t i = 0; i < EPH_SLOTS_MAX; i++) {
        eph_slots_release(slots, &slots->slot[i]);
        pthread_cond_destroy(&slots->slot[i].wake);
    }
}

static eph_slot_set bit_of(const struct eph_slots *slots, const struct eph_slot *slot)
{
    return UINT64_C(1) << (slot - slots->slot);
}

uint32_t eph_slots_free(const struct eph_slots *slots)
{
    return (uint32_t)__builtin_popcountll(slots->in[EPH_SLOT_FREE]);
}

void eph_slots_move(struct eph_slots *slots, struct eph_slot *slot, enum eph_slot_state state)
{
    slots->in[slot->state] &= ~bit_of(slots, slot);
    slots->in[state] |= bit_of(slots, slot);
    slot->state = state;
}

struct eph_slot *eph_slots_take(struct eph_slots *slots)
{
    eph_slot_set unused = slots->in[EPH_SLOT_FREE];
    if (!unused)
        return NULL;
    struct eph_slot *slot = eph_slots_next(slots, &unused);
    eph_slots_move(slots, slot, EPH_SLOT_IN_FLIGHT);
    slot->tag = slots->sequence++ << TAG_INDEX_BITS | (uint32_t)(slot - slots->slot);
    slot->generation = slots->generation++;
    return slot;
}

void eph_slots_release(struct eph_slots *slots, struct eph_slot *slot)
{
    eph_wipe(&slot->completion, sizeof slot->completion);
    eph_slots_move(slots, slot, EPH_SLOT_FREE);
    slots->started &= ~bit_of(slots, slot);
    slot->waited = slot->internal = slot->overdue = false;
    slot->started_ns = 0;
}

struct eph_slot *eph_slots_find(struct eph_slots *slots, uint32_t tag)
{
    uint32_t index = tag & TAG_INDEX_MASK;
    if (index >= slots->count)
        return NULL;
    struct eph_slot *slot = &slots->slot[index];
    bool users = slot->state == EPH_SLOT_IN_FLIGHT || slot->state == EPH_SLOT_EXPIRED || slot->state == EPH_SLOT_DONE;
    return users && slot->tag == tag && !slot->internal ? slot : NULL;
}

struct eph_slot *eph_slots_match(struct eph_slots *slots, uint32_t tag, uint64_t generation, bool *generation_wrong)
{
    *generation_wrong = false;
    uint32_t index = tag & TAG_INDEX_MASK;
    if (index >= slots->count)
        return NULL;
    struct eph_slot *slot = &slots->slot[index];
    if (!(eph_slots_awaiting(slots) & bit_of(slots, slot)) || slot->tag != tag)
        return NULL;
    *generation_wrong = slot->generation != generation;
    return *generation_wrong ? NULL : slot;
}

static eph_slot_set queued_set(const struct eph_slots *slots)
{
    return eph_slots_awaiting(slots) & ~slots->started;
}

// An overdue request no longer counts as running: else one lost completion would stop the clocks of all behind it.
static uint32_t count_running(struct eph_slots *slots)
{
    uint32_t running = 0;
    for (eph_slot_set set = eph_slots_awaiting(slots) & slots->started; set;)
        running += !eph_slots_next(slots, &set)->overdue;
    return running;
}

static struct eph_slot *oldest_of(struct eph_slots *slots, eph_slot_set set)
{
    struct eph_slot *oldest = NULL;
    while (set) {
        struct eph_slot *slot = eph_slots_next(slots, &set);
        // Distance to the next generation, so that the counter may wrap.
        if (!oldest || slots->generation - slot->generation > slots->generation - oldest->generation)
            oldest = slot;
    }
    return oldest;
}

bool eph_slots_start(struct eph_slots *slots, uint64_t now_ns)
{
    eph_slot_set queued = queued_set(slots);
    if (!queued)
        return false;
    uint32_t running = slots->capacity < slots->count ? count_running(slots) : 0; // else there is room for all
    uint32_t room = running < slots->capacity ? slots->capacity - running : 0;
    bool any = room > 0;
    for (; queued && room > 0; room--) {
        struct eph_slot *slot = oldest_of(slots, queued);
        slot->started_ns = now_ns;
        slots->started |= bit_of(slots, slot);
        queued &= ~bit_of(slots, slot);
    }
    return any;
}

uint32_t eph_slots_queued(const struct eph_slots *slots)
{
    return (uint32_t)__builtin_popcountll(queued_set(slots));
}
