// SPDX-License-Identifier: Apache-2.0
#include "model_queue.h"

#include <stdatomic.h>
#include <string.h>

void eph_model_queue_init(struct eph_model_queue *queue, const struct eph_host *host, unsigned id)
{
    *queue = (struct eph_model_queue){.host = host, .id = id, .state = EPH_QSTATE_OFF};
}

static void fail(struct eph_model_queue *queue, enum eph_number error, uint64_t address)
{
    queue->state = EPH_QSTATE_ERROR;
    queue->error = error;
    queue->error_address = address;
}

static void set_low(uint64_t *base, uint32_t value)
{
    *base = (*base & ~UINT64_C(0xffffffff)) | value;
}

static void set_high(uint64_t *base, uint32_t value)
{
    *base = (*base & UINT64_C(0xffffffff)) | (uint64_t)value << 32;
}

static bool configured(const struct eph_model_queue *queue)
{
    return queue->sq_base % EPH_ENTRY_BYTES == 0 && queue->cq_base % EPH_ENTRY_BYTES == 0 &&
           queue->shadow_base % 8 == 0 && queue->log2_depth >= EPH_MIN_LOG2_DEPTH &&
           queue->log2_depth <= EPH_MAX_LOG2_DEPTH && queue->vector >= 1 && queue->vector < EPH_MSIX_VECTORS;
}

static void enable(struct eph_model_queue *queue, uint32_t value)
{
    queue->enable = value & 1;
    if (!queue->enable) {
        queue->state = queue->in_flight != 0 ? EPH_QSTATE_DRAINING : EPH_QSTATE_OFF;
        queue->error = EPH_ERR_NONE;
        return;
    }
    if (queue->state != EPH_QSTATE_OFF)
        return;
    queue->sq_head = queue->sq_tail = queue->cq_head = queue->cq_tail = 0;
    queue->phase = 1;
    queue->done = queue->errors = 0;
    queue->armed = false;
    queue->shadowed = (value & EPH_SHADOWED) != 0;
    queue->state = EPH_QSTATE_ON;
    if (!configured(queue))
        fail(queue, EPH_ERR_CONFIG, 0);
}

uint32_t eph_model_queue_read(const struct eph_model_queue *queue, uint32_t offset)
{
    switch ((enum eph_queue_register)offset) {
    case EPH_QREG_SQ_BASE_LO:
        return (uint32_t)queue->sq_base;
    case EPH_QREG_SQ_BASE_HI:
        return (uint32_t)(queue->sq_base >> 32);
    case EPH_QREG_CQ_BASE_LO:
        return (uint32_t)queue->cq_base;
    case EPH_QREG_CQ_BASE_HI:
        return (uint32_t)(queue->cq_base >> 32);
    case EPH_QREG_SHADOW_BASE_LO:
        return (uint32_t)queue->shadow_base;
    case EPH_QREG_SHADOW_BASE_HI:
        return (uint32_t)(queue->shadow_base >> 32);
    case EPH_QREG_LOG2_DEPTH:
        return queue->log2_depth;
    case EPH_QREG_VECTOR:
        return queue->vector;
    case EPH_QREG_ENABLE:
        return queue->enable;
    case EPH_QREG_STATE:
        return queue->state;
    case EPH_QREG_SQ_HEAD:
        return queue->sq_head;
    case EPH_QREG_CQ_TAIL:
        return queue->cq_tail;
    case EPH_QREG_DONE:
        return queue->done;
    case EPH_QREG_ERRORS:
        return queue->errors;
    }
    return 0;
}

void eph_model_queue_write(struct eph_model_queue *queue, uint32_t offset, uint32_t value)
{
    if (offset == EPH_QREG_ENABLE) {
        enable(queue, value);
        return;
    }
    if (queue->state != EPH_QSTATE_OFF) // bases, depth and vector are frozen while on
        return;
    switch (offset) {
    case EPH_QREG_SQ_BASE_LO:
        set_low(&queue->sq_base, value);
        break;
    case EPH_QREG_SQ_BASE_HI:
        set_high(&queue->sq_base, value);
        break;
    case EPH_QREG_CQ_BASE_LO:
        set_low(&queue->cq_base, value);
        break;
    case EPH_QREG_CQ_BASE_HI:
        set_high(&queue->cq_base, value);
        break;
    case EPH_QREG_SHADOW_BASE_LO:
        set_low(&queue->shadow_base, value);
        break;
    case EPH_QREG_SHADOW_BASE_HI:
        set_high(&queue->shadow_base, value);
        break;
    case EPH_QREG_LOG2_DEPTH:
        queue->log2_depth = value > 15 ? 15 : value; // four bits, saturating as in eph_queue_table
        break;
    case EPH_QREG_VECTOR:
        queue->vector = value > 31 ? 31 : value;
        break;
    default:
        break;
    }
}

static uint32_t depth(const struct eph_model_queue *queue)
{
    return UINT32_C(1) << queue->log2_depth;
}

static uint32_t distance(const struct eph_model_queue *queue, uint32_t from, uint32_t to)
{
    return (to - from) & (depth(queue) - 1);
}

static void interrupt_if_due(struct eph_model_queue *queue)
{
    if (!queue->armed || queue->cq_head == queue->cq_tail)
        return;
    queue->armed = false;
    queue->host->interrupt(queue->host->context, queue->vector);
}

// Ring order is cq_head <= cq_tail <= sq_head <= sq_tail: the tail never moves back, nor beyond depth-1 requests
// without a completion; the head only over what is visible.
static void ring_tail(struct eph_model_queue *queue, uint32_t tail)
{
    uint32_t step = distance(queue, queue->sq_head, tail);
    if (tail >= depth(queue) || step < distance(queue, queue->sq_head, queue->sq_tail) ||
        step + queue->in_flight > depth(queue) - 1)
        fail(queue, EPH_ERR_SQ_TAIL, 0);
    else
        queue->sq_tail = tail;
}

static void ring_head(struct eph_model_queue *queue, uint32_t value)
{
    uint32_t head = value & ~(uint32_t)EPH_ARM;
    if (head >= depth(queue) ||
        distance(queue, queue->cq_head, head) > distance(queue, queue->cq_head, queue->cq_tail)) {
        fail(queue, EPH_ERR_CQ_HEAD, 0);
        return;
    }
    queue->cq_head = head;
    queue->armed |= (value & (uint32_t)EPH_ARM) != 0; // a plain head update does not disarm
    interrupt_if_due(queue);
}

static void kick(struct eph_model_queue *queue)
{
    uint32_t shadow[2]; // SQ_TAIL, CQ_HEAD
    if (!queue->host->dma_read(queue->host->context, queue->id, queue->shadow_base, shadow, sizeof shadow)) {
        fail(queue, EPH_ERR_AXI_READ, queue->shadow_base);
        return;
    }
    ring_tail(queue, shadow[0]);
    if (queue->state == EPH_QSTATE_ON)
        ring_head(queue, shadow[1]);
}

// False: this host does not keep its tail there, or the bus refuses.
static bool read_shadow(struct eph_model_queue *queue, struct eph_shadow *shadow)
{
    if (queue->state != EPH_QSTATE_ON || !queue->shadowed)
        return false;
    if (queue->host->dma_read(queue->host->context, queue->id, queue->shadow_base, shadow, sizeof *shadow))
        return true;
    fail(queue, EPH_ERR_AXI_READ, queue->shadow_base);
    return false;
}

static void write_awake(struct eph_model_queue *queue, uint64_t awake)
{
    uint64_t address = queue->shadow_base + EPH_SHADOW_awake_BYTE;
    if (!queue->host->dma_write(queue->host->context, queue->id, address, &awake, sizeof awake))
        fail(queue, EPH_ERR_AXI_WRITE, address);
    atomic_thread_fence(memory_order_seq_cst); // pairs with the host's, between its SQ_TAIL and its look at this
}

void eph_model_queue_look(struct eph_model_queue *queue)
{
    struct eph_shadow shadow;
    if (!read_shadow(queue, &shadow))
        return;
    if (shadow.sq_tail != queue->sq_tail)
        ring_tail(queue, shadow.sq_tail);
    if (shadow.awake == 0 && queue->state == EPH_QSTATE_ON)
        write_awake(queue, 1);
}

bool eph_model_queue_sleep(struct eph_model_queue *queue)
{
    struct eph_shadow shadow;
    if (queue->state != EPH_QSTATE_ON || !queue->shadowed)
        return false;
    write_awake(queue, 0);
    return read_shadow(queue, &shadow) && shadow.sq_tail != queue->sq_tail;
}

void eph_model_queue_doorbell(struct eph_model_queue *queue, uint32_t offset, uint32_t value)
{
    if (queue->state != EPH_QSTATE_ON)
        return;
    if (offset == EPH_DB_SQ_TAIL && queue->shadowed)
        eph_model_queue_look(queue); // what comes by message may be older than what we have seen
    else if (offset == EPH_DB_SQ_TAIL)
        ring_tail(queue, value);
    else if (offset == EPH_DB_CQ_HEAD)
        ring_head(queue, value);
    else if (offset == EPH_DB_KICK)
        kick(queue);
}

bool eph_model_queue_ready(const struct eph_model_queue *queue)
{
    return queue->state == EPH_QSTATE_ON && queue->sq_head != queue->sq_tail &&
           distance(queue, queue->cq_head, queue->cq_tail) + queue->in_flight < depth(queue) - 1;
}

bool eph_model_queue_fetch(struct eph_model_queue *queue, struct eph_sqe *sqe)
{
    uint64_t address = queue->sq_base + (uint64_t)EPH_ENTRY_BYTES * queue->sq_head;
    if (!queue->host->dma_read(queue->host->context, queue->id, address, sqe, sizeof *sqe)) {
        fail(queue, EPH_ERR_AXI_READ, address);
        return false;
    }
    queue->sq_head = (queue->sq_head + 1) & (depth(queue) - 1);
    queue->in_flight++;
    return true;
}

static void write_completion(struct eph_model_queue *queue, struct eph_cqe *cqe)
{
    cqe->sq_head = (uint16_t)queue->sq_head;
    cqe->qid = (uint16_t)queue->id;
    cqe->phase = (uint16_t)queue->phase;
    uint64_t address = queue->cq_base + (uint64_t)EPH_ENTRY_BYTES * queue->cq_tail;
    if (!queue->host->dma_write(queue->host->context, queue->id, address, cqe, sizeof *cqe)) {
        fail(queue, EPH_ERR_AXI_WRITE, address);
        return;
    }
    queue->cq_tail = (queue->cq_tail + 1) & (depth(queue) - 1);
    queue->phase ^= queue->cq_tail == 0;
    queue->done++;
    queue->errors += cqe->status != EPH_ST_OK;
    interrupt_if_due(queue);
}

void eph_model_queue_complete(struct eph_model_queue *queue, struct eph_cqe *cqe)
{
    queue->in_flight--;
    if (queue->state != EPH_QSTATE_ERROR)
        write_completion(queue, cqe);
    if (queue->in_flight == 0 && queue->state == EPH_QSTATE_DRAINING)
        queue->state = EPH_QSTATE_OFF;
}
