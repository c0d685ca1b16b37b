// SPDX-License-Identifier: Apache-2.0
// The rings, in four verbs: push (fill an SQE), ring (doorbell), harvest (take CQEs), arm (ask for an interrupt).
#include "queue.h"
#include "util.h"

#include <endian.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

uint32_t eph_curve_bytes(enum eph_curve curve)
{
    static const uint8_t bytes[EPH_CURVE_COUNT] = {
#define EPH_CURVE(name, value, size, text) [value] = size,
#include <isa.def>
    };
    return (unsigned)curve < EPH_CURVE_COUNT ? bytes[curve] : 0;
}

// The device starts a command only with a free CQE, and a full ring must differ from an empty one: entries - 1 at a
// time.
bool eph_queue_has_room(const struct eph_queue *queue, size_t requests)
{
    uint32_t room = queue->entries - 1 - (queue->sq_tail - queue->sq_head);
    return requests <= room && requests <= eph_slots_free(&queue->slots);
}

// Deadlines are all of one length: the earliest to pass is that of the request started first.
static void start_clocks(struct eph_queue *queue, uint64_t now_ns)
{
    if (eph_slots_start(&queue->slots, now_ns) && now_ns + queue->deadline_ns < queue->expiry_ns)
        queue->expiry_ns = now_ns + queue->deadline_ns;
}

void eph_queue_push(struct eph_queue *queue, struct eph_slot *slot, const struct eph_request *request, uint64_t now_ns)
{
    struct eph_sqe *sqe = &queue->sq[queue->sq_tail & (queue->entries - 1)];
    uint32_t bytes = eph_curve_bytes(request->curve);
    memset(sqe, 0, sizeof *sqe);
    sqe->opcode = (uint8_t)request->opcode;
    sqe->curve = (uint8_t)request->curve;
    sqe->tag = htole32(slot->tag);
    sqe->generation = htole64(slot->generation);
    memcpy(sqe->scalar, request->scalar, bytes);
    if (request->peer_x)
        memcpy(sqe->peer_x, request->peer_x, bytes);
    if (request->peer_y)
        memcpy(sqe->peer_y, request->peer_y, bytes);
    memcpy(sqe->blind, request->blind, sizeof sqe->blind);
    slot->sq_index = queue->sq_tail++;
    slot->opcode = request->opcode;
    slot->curve = request->curve;
    start_clocks(queue, now_ns);
}

static enum eph_status write_doorbell(struct eph_queue *queue, uint32_t offset, uint32_t value)
{
    if (queue->doorbells_off)
        return EPH_OK;
    // Release: orders the stores to SQEs and wiped CQEs before the doorbell that lets the device read and reuse them.
    atomic_thread_fence(memory_order_release);
    uint32_t page = EPH_DOORBELL_BASE + EPH_QUEUE_ID * EPH_DOORBELL_STRIDE;
    enum eph_status status = queue->transport->ops->write32(queue->transport, page + offset, value);
    if (status == EPH_E_GONE)
        eph_health_gone(queue, "its server is gone");
    return status;
}

enum eph_status eph_queue_arm(struct eph_queue *queue)
{
    if (queue->armed)
        return EPH_OK;
    uint32_t head = queue->cq_head & (queue->entries - 1);
    enum eph_status status = write_doorbell(queue, EPH_DB_CQ_HEAD, head | EPH_ARM);
    if (status == EPH_OK) {
        queue->armed = true;
        queue->cq_released = queue->cq_head;
    }
    return status;
}

static void release_entries(struct eph_queue *queue)
{
    // Without ARM: one that is pending survives, and a second one, crossing the interrupt of the first, would bring an
    // interrupt that nobody awaits.
    if (write_doorbell(queue, EPH_DB_CQ_HEAD, queue->cq_head & (queue->entries - 1)) == EPH_OK)
        queue->cq_released = queue->cq_head;
}

// A device of software that is awake looks into the shadow page by itself (FEATURE_AWAKE). Believing it costs nothing:
// one that does not look is one that does not answer.
static enum eph_status ring_tail(struct eph_queue *queue)
{
    uint32_t tail = queue->sq_tail & (queue->entries - 1);
    struct eph_shadow *shadow = queue->doorbells_off ? NULL : queue->shadow;
    if (shadow) {
        // Release: after the stores to the SQEs. The fence pairs with the device's between AWAKE = 0 and its last look:
        // either it sees this tail or we see that it sleeps.
        atomic_store_explicit((_Atomic uint32_t *)&shadow->sq_tail, htole32(tail), memory_order_release);
        atomic_thread_fence(memory_order_seq_cst);
        if (atomic_load_explicit((_Atomic uint64_t *)&shadow->awake, memory_order_relaxed))
            return EPH_OK;
    }
    return write_doorbell(queue, EPH_DB_SQ_TAIL, tail);
}

enum eph_status eph_queue_ring(struct eph_queue *queue)
{
    // Consumed CQEs go back in batches of half a ring, so that a request costs one doorbell, not two; but never may the
    // device lack one for a request that it has.
    uint32_t in_flight = queue->slots.count - eph_slots_free(&queue->slots);
    uint32_t unreleased = queue->cq_head - queue->cq_released;
    if (unreleased && in_flight + unreleased >= queue->entries)
        release_entries(queue);
    return ring_tail(queue);
}

// Copies the next completion, if there is one, and wipes its entry. All decisions are taken on the copy: the device
// could change the entry at any time.
static bool take_entry(struct eph_queue *queue, struct eph_cqe *copy)
{
    struct eph_cqe *entry = &queue->cq[queue->cq_head & (queue->entries - 1)];
    uint16_t expected = queue->cq_head & queue->entries ? 0 : 1;
    // Acquire: orders this load of the phase before the loads of the copy below. The device writes the phase last.
    uint16_t phase = le16toh(atomic_load_explicit((_Atomic uint16_t *)&entry->phase, memory_order_acquire));
    if (phase != expected) {
        if (phase > 1 && !queue->sick_entry) {
            queue->sick_entry = true;
            queue->stats.dropped_phase++;
            eph_health_untrusted(queue, "phase");
        }
        return false;
    }
    memcpy(copy, entry, sizeof *copy);
    // The phase stays: zero is what the next lap expects.
    eph_wipe(entry, offsetof(struct eph_cqe, phase));
    queue->cq_head++;
    queue->sick_entry = false;
    return true;
}

// What the device says it has read of the SQ; believed only within what was given to it.
static void advance_sq_head(struct eph_queue *queue, uint16_t reported)
{
    uint32_t distance = (reported - queue->sq_head) & (queue->entries - 1);
    if (distance <= queue->sq_tail - queue->sq_head)
        queue->sq_head += distance;
}

static void update_latency(struct eph_queue *queue, const struct eph_slot *slot, uint64_t now_ns)
{
    uint64_t *estimate = &queue->latency[slot->opcode][slot->curve].ns;
    uint64_t sample = now_ns - slot->started_ns;
    *estimate = *estimate ? *estimate - *estimate / 8 + sample / 8 : sample;
    queue->latency[slot->opcode][slot->curve].updated_ns = now_ns;
}

static void fill_completion(struct eph_slot *slot, const struct eph_cqe *cqe)
{
    uint16_t status = le16toh(cqe->status);
    // A status that does not exist is a device fault like a failed check.
    enum eph_wire_status wire_status = status <= EPH_ST_ABORTED ? (enum eph_wire_status)status : EPH_ST_CHECK;
    slot->completion = (struct eph_completion){
        .tag = slot->tag, .status = EPH_OK, .wire_status = wire_status, .cycles = le32toh(cqe->cycles)};
    if (wire_status == EPH_ST_OK)
        memcpy(slot->completion.result, cqe->result, sizeof slot->completion.result);
}

static void note_completion(struct eph_queue *queue, struct eph_slot *slot, uint64_t now_ns)
{
    if (slot->completion.wire_status == EPH_ST_CHECK || slot->completion.wire_status == EPH_ST_ABORTED) {
        eph_health_fault(queue, now_ns);
    } else {
        eph_health_success(queue);
        update_latency(queue, slot, now_ns);
    }
    if (!slot->internal) {
        queue->stats.completed++;
        queue->stats.device_cycles += slot->completion.cycles;
    }
}

// Trusts nothing: tag in range, slot busy, tag and generation of this very use of it; else the entry is dropped and
// counted.
static void accept_entry(struct eph_queue *queue, const struct eph_cqe *cqe, uint64_t now_ns)
{
    bool generation_wrong;
    struct eph_slot *slot =
        eph_slots_match(&queue->slots, le32toh(cqe->tag), le64toh(cqe->generation), &generation_wrong);
    if (!slot) {
        queue->stats.dropped_generation += generation_wrong;
        queue->stats.dropped_tag += !generation_wrong;
        eph_health_untrusted(queue, generation_wrong ? "generation" : "tag");
        return;
    }
    advance_sq_head(queue, le16toh(cqe->sq_head));
    // Its SQE is read by now; unless the ring has come round, wipe it.
    if (queue->sq_tail - slot->sq_index <= queue->entries)
        eph_wipe(&queue->sq[slot->sq_index & (queue->entries - 1)], sizeof(struct eph_sqe));
    switch (slot->state) {
    case EPH_SLOT_IN_FLIGHT:
        fill_completion(slot, cqe);
        eph_slots_move(&queue->slots, slot, EPH_SLOT_DONE);
        note_completion(queue, slot, now_ns);
        eph_queue_wake(queue, slot);
        break;
    case EPH_SLOT_EXPIRED:
        queue->stats.late++;
        eph_slots_move(&queue->slots, slot, EPH_SLOT_DONE); // the owner still sees EPH_E_TIMEOUT
        break;
    default:
        queue->stats.late++;
        eph_slots_release(&queue->slots, slot);
    }
}

static void expire_slot(struct eph_queue *queue, struct eph_slot *slot)
{
    if (slot->state != EPH_SLOT_IN_FLIGHT)
        return;
    slot->completion = (struct eph_completion){.tag = slot->tag, .status = EPH_E_TIMEOUT};
    eph_slots_move(&queue->slots, slot, EPH_SLOT_EXPIRED);
    eph_queue_wake(queue, slot);
}

// Expires what is overdue now, and finds when to look again. True: something was.
static bool expire_overdue(struct eph_queue *queue, uint64_t now_ns)
{
    bool any = false;
    uint64_t next_ns = UINT64_MAX;
    for (eph_slot_set set = eph_slots_awaiting(&queue->slots) & queue->slots.started; set;) {
        struct eph_slot *slot = eph_slots_next(&queue->slots, &set);
        uint64_t due_ns = slot->started_ns + queue->deadline_ns;
        if (slot->overdue || slot->internal)
            continue;
        if (now_ns < due_ns) {
            next_ns = due_ns < next_ns ? due_ns : next_ns;
            continue;
        }
        slot->overdue = any = true;
        queue->stats.timeouts++;
        expire_slot(queue, slot);
        eph_health_fault(queue, now_ns);
    }
    queue->expiry_ns = next_ns;
    return any;
}

static void expire(struct eph_queue *queue, uint64_t now_ns)
{
    if (now_ns < queue->expiry_ns || !expire_overdue(queue, now_ns))
        return;
    eph_health_inspect(queue, now_ns);
    // Out of service: what the device has not started, it will not start.
    if (queue->health.state == EPH_HEALTH_OPEN)
        for (eph_slot_set set = queue->slots.in[EPH_SLOT_IN_FLIGHT] & ~queue->slots.started; set;)
            expire_slot(queue, eph_slots_next(&queue->slots, &set));
}

void eph_queue_harvest(struct eph_queue *queue, uint64_t now_ns)
{
    struct eph_cqe copy;
    // One lap at most: a device that writes without end must not hold us here.
    for (uint32_t i = 0; i < queue->entries && take_entry(queue, &copy); i++)
        accept_entry(queue, &copy, now_ns);
    eph_wipe(&copy, sizeof copy);
    if (queue->cq_head - queue->cq_released >= queue->entries / 2)
        release_entries(queue);
    expire(queue, now_ns);
    start_clocks(queue, now_ns);
}

void eph_queue_clear_rings(struct eph_queue *queue)
{
    eph_wipe(queue->memory, queue->memory_bytes);
    queue->sq_tail = queue->sq_head = queue->cq_head = queue->cq_released = 0;
    queue->sick_entry = queue->armed = false;
}

void eph_queue_end_all(struct eph_queue *queue, enum eph_status status)
{
    struct eph_slots *slots = &queue->slots;
    for (eph_slot_set set = slots->in[EPH_SLOT_IN_FLIGHT]; set;) {
        struct eph_slot *slot = eph_slots_next(slots, &set);
        slot->completion = (struct eph_completion){.tag = slot->tag, .status = status};
        eph_slots_move(slots, slot, EPH_SLOT_DONE);
        eph_queue_wake(queue, slot);
    }
    for (eph_slot_set set = slots->in[EPH_SLOT_EXPIRED]; set;)
        eph_slots_move(slots, eph_slots_next(slots, &set), EPH_SLOT_DONE);
    for (eph_slot_set set = slots->in[EPH_SLOT_QUARANTINED]; set;)
        eph_slots_release(slots, eph_slots_next(slots, &set));
}
