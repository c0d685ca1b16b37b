// SPDX-License-Identifier: Apache-2.0
#include "model_card.h"

enum { BUILD_ID = 1 };

void eph_model_card_reset(struct eph_model_card *card)
{
    for (unsigned q = 0; q < EPH_MAX_QUEUES; q++)
        eph_model_queue_init(&card->queues[q], &card->host, q);
    card->error_code = EPH_ERR_NONE;
    card->error_queue = 0;
    card->error_address = 0;
}

// First error since reset; further ones only show in the STATE of their queue.
void eph_model_card_latch_error(struct eph_model_card *card, struct eph_model_queue *queue)
{
    if (queue->state != EPH_QSTATE_ERROR || queue->error == EPH_ERR_NONE)
        return;
    if (card->error_code == EPH_ERR_NONE) {
        card->error_code = queue->error;
        card->error_queue = queue->id;
        card->error_address = queue->error_address;
    }
    queue->error = EPH_ERR_NONE;
    card->host.interrupt(card->host.context, 0);
}

static uint32_t read_global(struct eph_model_card *card, uint32_t offset)
{
    switch ((enum eph_register)offset) {
    case EPH_REG_MAGIC:
        return EPH_MAGIC;
    case EPH_REG_IF_VERSION:
        return EPH_IF_VERSION;
    case EPH_REG_BUILD_ID:
        return BUILD_ID;
    case EPH_REG_FEATURES:
        return EPH_FEATURE_SIMULATED | card->features;
    case EPH_REG_QUEUES:
        return EPH_MAX_QUEUES | (uint32_t)EPH_MAX_LOG2_DEPTH << 8 | card->contexts << 16;
    case EPH_REG_ENGINES:
        return card->engines;
    case EPH_REG_CURVES:
        return card->curves;
    case EPH_REG_OPS:
        return card->operations;
    case EPH_REG_CLK_KHZ:
        return card->clock_khz;
    case EPH_REG_CTRL:
        return 0;
    case EPH_REG_STATUS:
        return EPH_STATUS_READY;
    case EPH_REG_ERR_CODE:
        return card->error_code;
    case EPH_REG_ERR_QID:
        return card->error_queue;
    case EPH_REG_ERR_ADDR_LO:
        return (uint32_t)card->error_address;
    case EPH_REG_ERR_ADDR_HI:
        return (uint32_t)(card->error_address >> 32);
    case EPH_REG_CYCLES_LO:
        card->cycles_latched = card->cycles;
        return (uint32_t)card->cycles_latched;
    case EPH_REG_CYCLES_HI:
        return (uint32_t)(card->cycles_latched >> 32);
    }
    if (offset >= EPH_BUSY_BASE && offset < EPH_BUSY_BASE + 8 * card->engines) {
        uint64_t busy = card->busy[(offset - EPH_BUSY_BASE) / 8];
        return (uint32_t)(offset % 8 ? busy >> 32 : busy);
    }
    return 0;
}

uint32_t eph_model_card_read32(struct eph_model_card *card, uint32_t offset)
{
    if (offset < EPH_QUEUE_REGS_BASE)
        return read_global(card, offset);
    uint32_t q = (offset - EPH_QUEUE_REGS_BASE) / EPH_QUEUE_REGS_STRIDE;
    if (q < EPH_MAX_QUEUES)
        return eph_model_queue_read(&card->queues[q], offset % EPH_QUEUE_REGS_STRIDE);
    return 0; // doorbells are write-only
}

static void write_queue(struct eph_model_card *card, uint32_t q, uint32_t reg, uint32_t value)
{
    if (reg == EPH_QREG_ENABLE && !(card->features & EPH_FEATURE_AWAKE))
        value &= ~(uint32_t)EPH_SHADOWED; // nobody looks
    eph_model_queue_write(&card->queues[q], reg, value);
}

void eph_model_card_write32(struct eph_model_card *card, uint32_t offset, uint32_t value)
{
    if (offset < EPH_QUEUE_REGS_BASE)
        return;
    bool doorbell = offset >= EPH_DOORBELL_BASE;
    uint32_t q = doorbell ? (offset - EPH_DOORBELL_BASE) / EPH_DOORBELL_STRIDE
                          : (offset - EPH_QUEUE_REGS_BASE) / EPH_QUEUE_REGS_STRIDE;
    if (q >= EPH_MAX_QUEUES)
        return;
    if (doorbell)
        eph_model_queue_doorbell(&card->queues[q], offset % EPH_DOORBELL_STRIDE, value);
    else
        write_queue(card, q, offset % EPH_QUEUE_REGS_STRIDE, value);
    eph_model_card_latch_error(card, &card->queues[q]);
}

struct eph_model_queue *eph_model_card_next(struct eph_model_card *card)
{
    for (unsigned i = 0; i < EPH_MAX_QUEUES; i++) {
        struct eph_model_queue *queue = &card->queues[(card->next_queue + i) % EPH_MAX_QUEUES];
        if (!eph_model_queue_ready(queue))
            continue;
        card->next_queue = (queue->id + 1) % EPH_MAX_QUEUES;
        return queue;
    }
    return NULL;
}
