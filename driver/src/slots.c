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
    return EPH_OK;
}

void eph_slots_fini(struct eph_slots *slots)
{
    for (uint32_t i = 0; i < EPH_SLOTS_MAX; i++) {
        eph_slots_release(&slots->slot[i]);
        pthread_cond_destroy(&slots->slot[i].wake);
    }
}

uint32_t eph_slots_free(const struct eph_slots *slots)
{
    uint32_t free_slots = 0;
    for (uint32_t i = 0; i < slots->count; i++)
        free_slots += slots->slot[i].state == EPH_SLOT_FREE;
    return free_slots;
}

struct eph_slot *eph_slots_take(struct eph_slots *slots)
{
    for (uint32_t i = 0; i < slots->count; i++) {
        struct eph_slot *slot = &slots->slot[i];
        if (slot->state != EPH_SLOT_FREE)
            continue;
        slot->state = EPH_SLOT_IN_FLIGHT;
        slot->tag = slots->sequence++ << TAG_INDEX_BITS | i;
        slot->generation = slots->generation++;
        return slot;
    }
    return NULL;
}

void eph_slots_release(struct eph_slot *slot)
{
    eph_wipe(&slot->completion, sizeof slot->completion);
    slot->state = EPH_SLOT_FREE;
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
    if (!eph_slot_awaits_device(slot) || slot->tag != tag)
        return NULL;
    *generation_wrong = slot->generation != generation;
    return *generation_wrong ? NULL : slot;
}

static bool is_queued(const struct eph_slot *slot)
{
    return eph_slot_awaits_device(slot) && !slot->started_ns;
}

// An overdue request no longer counts as running: else one lost completion would stop the clocks of all behind it.
static bool is_running(const struct eph_slot *slot)
{
    return eph_slot_awaits_device(slot) && slot->started_ns && !slot->overdue;
}

void eph_slots_start(struct eph_slots *slots, uint64_t now_ns)
{
    uint32_t running = 0;
    for (uint32_t i = 0; i < slots->count; i++)
        running += is_running(&slots->slot[i]);
    for (; running < slots->capacity; running++) {
        struct eph_slot *oldest = NULL;
        for (uint32_t i = 0; i < slots->count; i++) {
            struct eph_slot *slot = &slots->slot[i];
            // Distance to the next generation, so that the counter may wrap.
            if (is_queued(slot) &&
                (!oldest || slots->generation - slot->generation > slots->generation - oldest->generation))
                oldest = slot;
        }
        if (!oldest)
            return;
        oldest->started_ns = now_ns;
    }
}

uint32_t eph_slots_queued(const struct eph_slots *slots)
{
    uint32_t queued = 0;
    for (uint32_t i = 0; i < slots->count; i++)
        queued += is_queued(&slots->slot[i]);
    return queued;
}
