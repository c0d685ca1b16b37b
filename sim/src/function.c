// SPDX-License-Identifier: Apache-2.0
// A client's view: one function with one queue. Global registers are the card's, except those that would show or touch
// the neighbours: QUEUES, CTRL, STATUS, ERR_*.
#include "device.h"

#include <string.h>

static uint32_t card_read(struct eph_function *function, uint32_t offset)
{
    return function->device->backend->read32(function->device->instance, offset);
}

static void card_write(struct eph_function *function, uint32_t offset, uint32_t value)
{
    function->device->backend->write32(function->device->instance, offset, value);
}

static uint32_t queue_register(const struct eph_function *function, uint32_t offset)
{
    return EPH_QUEUE_REGS_BASE + function->queue * EPH_QUEUE_REGS_STRIDE + offset;
}

static uint32_t queue_state(struct eph_function *function)
{
    return card_read(function, queue_register(function, EPH_QREG_STATE));
}

// ---- attach, reset, detach

static bool alone(const struct eph_function *function)
{
    for (unsigned q = 0; q < EPH_MAX_QUEUES; q++) {
        const struct eph_function *other = &function->device->functions[q];
        if (other != function && (other->attached || other->resetting))
            return false;
    }
    return true;
}

void eph_device_reset_card(struct eph_device *device)
{
    device->stats.card_resets++;
    device->latch_used = false;
    for (unsigned q = 0; q < EPH_MAX_QUEUES; q++)
        device->functions[q].resetting |= device->functions[q].attached;
    device->backend->write32(device->instance, EPH_REG_CTRL, EPH_CTRL_RESET);
}

void eph_function_reset(struct eph_function *function)
{
    struct eph_device *device = function->device;
    eph_device_trace(device, "function %u: reset", function->queue);
    device->stats.function_resets++;
    function->resetting = true;
    function->hung = function->fatal = false;
    function->error_code = function->refused_code = EPH_ERR_NONE;
    function->error_address = 0;
    function->vector = 0;
    function->irq_waiting = false;
    function->duplicate_armed = false;
    explicit_bzero(&function->duplicate, sizeof function->duplicate);
    if (alone(function)) // nobody else to disturb: as on a card of one's own, everything starts anew
        eph_device_reset_card(device);
    else
        card_write(function, queue_register(function, EPH_QREG_ENABLE), 0);
    (void)eph_function_settle(function); // else eph_device_run does, when the queue has drained
}

bool eph_function_settle(struct eph_function *function)
{
    if (!function->resetting)
        return true;
    if (queue_state(function) != EPH_QSTATE_OFF || !(card_read(function, EPH_REG_STATUS) & EPH_STATUS_READY))
        return false;
    for (uint32_t offset = EPH_QREG_SQ_BASE_LO; offset <= EPH_QREG_VECTOR; offset += 4)
        card_write(function, queue_register(function, offset), 0);
    function->resetting = false;
    return true;
}

struct eph_function *eph_function_attach(struct eph_device *device)
{
    struct eph_function *found = NULL;
    for (unsigned q = 0; q < EPH_MAX_QUEUES; q++) {
        struct eph_function *function = &device->functions[q];
        if (!function->attached && (found == NULL || (found->resetting && !function->resetting)))
            found = function;
    }
    if (found == NULL) {
        device->stats.refused_clients++;
        eph_device_log(device, "client refused: all %u functions are taken", EPH_MAX_QUEUES);
        return NULL;
    }
    found->attached = true;
    found->resetting =
        true; // until its queue is off and the card ready: another client's leaving may just have reset it
    (void)eph_function_settle(found);
    device->stats.attached++;
    eph_device_trace(device, "function %u: attached", found->queue);
    return found;
}

void eph_function_detach(struct eph_function *function)
{
    eph_device_trace(function->device, "function %u: detached", function->queue);
    if (function->device->abandoned)
        eph_dma_forget(&function->dma);
    eph_dma_fini(&function->dma);
    eph_irq_fini(&function->irqs);
    memset(function->msix_table, 0, sizeof function->msix_table);
    function->attached = false;
    function->gone = false;
    eph_pci_init(&function->pci, function->queue);
    if (!function->device->abandoned)
        eph_function_reset(function);
}

// ---- errors

void eph_function_error(struct eph_function *function)
{
    struct eph_device *device = function->device;
    if (!function->attached || function->resetting || function->error_code != EPH_ERR_NONE)
        return;
    uint32_t code = card_read(function, EPH_REG_ERR_CODE);
    // The card keeps its first error only; for later ones of other functions the refused access or the last doorbell
    // tells.
    if (code != EPH_ERR_NONE && !device->latch_used && card_read(function, EPH_REG_ERR_QID) == function->queue) {
        device->latch_used = true;
        function->error_code = code;
        function->error_address =
            card_read(function, EPH_REG_ERR_ADDR_LO) | (uint64_t)card_read(function, EPH_REG_ERR_ADDR_HI) << 32;
    } else if (queue_state(function) != EPH_QSTATE_ERROR) {
        return;
    } else if (function->refused_code != EPH_ERR_NONE) {
        function->error_code = function->refused_code;
        function->error_address = function->refused_address;
    } else {
        function->error_code = function->suspect;
    }
    eph_device_log(device, "function %u: queue stopped, error %u at 0x%llx", function->queue, function->error_code,
                   (unsigned long long)function->error_address);
    if (eph_irq_raise(&function->irqs, 0))
        device->stats.interrupts++;
}

// ---- registers

static uint32_t read_global(struct eph_function *function, uint32_t offset)
{
    if (offset >= EPH_REG_ERR_CODE && offset <= EPH_REG_ERR_ADDR_HI)
        eph_function_error(function); // STATE may show an error that this loop turn has not looked into yet
    switch (offset) {
    case EPH_REG_QUEUES:
        return (card_read(function, offset) & ~UINT32_C(0xff)) | 1;
    case EPH_REG_STATUS:
        return card_read(function, offset) | (function->fatal ? EPH_STATUS_FATAL : 0);
    case EPH_REG_ERR_CODE:
        return function->error_code;
    case EPH_REG_ERR_QID:
        return 0;
    case EPH_REG_ERR_ADDR_LO:
        return (uint32_t)function->error_address;
    case EPH_REG_ERR_ADDR_HI:
        return (uint32_t)(function->error_address >> 32);
    case EPH_REG_CYCLES_LO: {
        uint32_t low = card_read(function, offset);
        function->cycles_high = card_read(function, EPH_REG_CYCLES_HI);
        return low;
    }
    case EPH_REG_CYCLES_HI:
        return function->cycles_high;
    default:
        return card_read(function, offset);
    }
}

// A reset is waited for before the next message is read (session.c); only a message of several accesses can come here
// early.
static void finish_reset(struct eph_function *function)
{
    while (!eph_function_settle(function))
        (void)eph_device_run(function->device);
}

uint32_t eph_function_read32(struct eph_function *function, uint32_t offset)
{
    function->device->stats.reads++;
    if (function->gone)
        return UINT32_MAX;
    finish_reset(function);
    if (offset < EPH_QUEUE_REGS_BASE)
        return read_global(function, offset);
    if (offset < EPH_QUEUE_REGS_BASE + EPH_QUEUE_REGS_STRIDE) {
        uint32_t reg = offset - EPH_QUEUE_REGS_BASE;
        return reg == EPH_QREG_VECTOR ? function->vector : card_read(function, queue_register(function, reg));
    }
    return 0; // doorbells are write-only, and this function has no other queue
}

static void write_queue(struct eph_function *function, uint32_t reg, uint32_t value)
{
    if (reg == EPH_QREG_VECTOR) {
        if (queue_state(function) != EPH_QSTATE_OFF)
            return;
        function->vector = value > 31 ? 31 : value;                               // as the card keeps it
        value = value >= 1 && value < EPH_MSIX_VECTORS ? function->queue + 1 : 0; // 0 is as wrong for the card
    }
    if (reg == EPH_QREG_ENABLE)
        function->suspect = EPH_ERR_CONFIG;
    card_write(function, queue_register(function, reg), value);
}

static void write_doorbell(struct eph_function *function, uint32_t reg, uint32_t value)
{
    function->suspect = reg == EPH_DB_CQ_HEAD ? EPH_ERR_CQ_HEAD : EPH_ERR_SQ_TAIL;
    card_write(function, EPH_DOORBELL_BASE + function->queue * EPH_DOORBELL_STRIDE + reg, value);
}

void eph_function_write32(struct eph_function *function, uint32_t offset, uint32_t value)
{
    function->device->stats.writes++;
    if (function->gone)
        return;
    finish_reset(function);
    if (offset == EPH_REG_CTRL) {
        if (value & EPH_CTRL_RESET)
            eph_function_reset(function);
    } else if (offset >= EPH_QUEUE_REGS_BASE && offset < EPH_QUEUE_REGS_BASE + EPH_QUEUE_REGS_STRIDE) {
        write_queue(function, offset - EPH_QUEUE_REGS_BASE, value);
    } else if (offset >= EPH_DOORBELL_BASE && offset < EPH_DOORBELL_BASE + EPH_DOORBELL_STRIDE) {
        write_doorbell(function, offset - EPH_DOORBELL_BASE, value);
    }
}
