// SPDX-License-Identifier: Apache-2.0
// The model back end: registers and queues in C, requests executed by the microcode interpreter. It answers at once;
// the cycles it reports are those that the hardware would have counted.
#include "backend.h"
#include "model_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <ucode_model.h>

enum { BUILD_ID = 1, CLOCK_KHZ = 150000, DEFAULT_CONTEXTS = 64, MAX_CONTEXTS = 1024 };

struct model {
    struct eph_host host;
    uint32_t contexts, engines;
    uint32_t curves, operations; // bit masks: what has a program
    struct eph_model_queue queues[EPH_MAX_QUEUES];
    unsigned next_queue; // round robin
    uint32_t error_code, error_queue;
    uint64_t error_address;
    uint64_t cycles, cycles_latched;
};

static void reset(struct model *model)
{
    for (unsigned q = 0; q < EPH_MAX_QUEUES; q++)
        eph_model_queue_init(&model->queues[q], &model->host, q);
    model->error_code = EPH_ERR_NONE;
    model->error_queue = 0;
    model->error_address = 0;
}

// Which operations and curves exist is what the microcode says: ask it.
static void probe_programs(struct model *model)
{
    for (unsigned opcode = EPH_OP_KEYGEN; opcode <= EPH_OP_DERIVE; opcode++)
        for (unsigned curve = EPH_CURVE_X25519; curve < EPH_CURVE_COUNT; curve++) {
            struct eph_sqe sqe = {
                .opcode = (uint8_t)opcode, .curve = (uint8_t)curve, .scalar = {2}, .peer_x = {9}, .blind = {1}};
            struct eph_cqe cqe;
            eph_model_execute(model->contexts, &sqe, &cqe);
            if (cqe.status == EPH_ST_BAD_OP || cqe.status == EPH_ST_BAD_CURVE)
                continue;
            model->curves |= UINT32_C(1) << curve;
            model->operations |= UINT32_C(1) << opcode;
        }
}

static void *model_open(const struct eph_backend_options *options, const struct eph_host *host)
{
    if (options->contexts > MAX_CONTEXTS || options->engines > EPH_MAX_ENGINES || options->wave_path != NULL) {
        errno = EINVAL;
        return NULL;
    }
    struct model *model = calloc(1, sizeof *model);
    if (model == NULL)
        return NULL;
    model->host = *host;
    model->contexts = options->contexts ? options->contexts : DEFAULT_CONTEXTS;
    model->engines = options->engines ? options->engines : 1;
    probe_programs(model);
    reset(model);
    return model;
}

static void model_close(void *device, bool orderly)
{
    (void)orderly; // no secret outlives execute_one
    free(device);
}

// First error since reset; further ones only show in the STATE of their queue.
static void latch_error(struct model *model, unsigned q)
{
    struct eph_model_queue *queue = &model->queues[q];
    if (queue->state != EPH_QSTATE_ERROR || queue->error == EPH_ERR_NONE)
        return;
    if (model->error_code == EPH_ERR_NONE) {
        model->error_code = queue->error;
        model->error_queue = q;
        model->error_address = queue->error_address;
    }
    queue->error = EPH_ERR_NONE;
    model->host.interrupt(model->host.context, 0);
}

static uint32_t read_global(struct model *model, uint32_t offset)
{
    switch ((enum eph_register)offset) {
    case EPH_REG_MAGIC:
        return EPH_MAGIC;
    case EPH_REG_IF_VERSION:
        return EPH_IF_VERSION;
    case EPH_REG_BUILD_ID:
        return BUILD_ID;
    case EPH_REG_FEATURES:
        return EPH_FEATURE_SIMULATED;
    case EPH_REG_QUEUES:
        return EPH_MAX_QUEUES | (uint32_t)EPH_MAX_LOG2_DEPTH << 8 | model->contexts << 16;
    case EPH_REG_ENGINES:
        return model->engines;
    case EPH_REG_CURVES:
        return model->curves;
    case EPH_REG_OPS:
        return model->operations;
    case EPH_REG_CLK_KHZ:
        return CLOCK_KHZ;
    case EPH_REG_CTRL:
        return 0;
    case EPH_REG_STATUS:
        return EPH_STATUS_READY;
    case EPH_REG_ERR_CODE:
        return model->error_code;
    case EPH_REG_ERR_QID:
        return model->error_queue;
    case EPH_REG_ERR_ADDR_LO:
        return (uint32_t)model->error_address;
    case EPH_REG_ERR_ADDR_HI:
        return (uint32_t)(model->error_address >> 32);
    case EPH_REG_CYCLES_LO:
        model->cycles_latched = model->cycles;
        return (uint32_t)model->cycles_latched;
    case EPH_REG_CYCLES_HI:
        return (uint32_t)(model->cycles_latched >> 32);
    }
    if (offset == EPH_BUSY_BASE) // one request after the other: engine 0 is busy whenever time passes
        return (uint32_t)model->cycles;
    if (offset == EPH_BUSY_BASE + 4)
        return (uint32_t)(model->cycles >> 32);
    return 0;
}

static uint32_t model_read32(void *device, uint32_t offset)
{
    struct model *model = device;
    if (offset < EPH_QUEUE_REGS_BASE)
        return read_global(model, offset);
    uint32_t q = (offset - EPH_QUEUE_REGS_BASE) / EPH_QUEUE_REGS_STRIDE;
    if (q < EPH_MAX_QUEUES)
        return eph_model_queue_read(&model->queues[q], offset % EPH_QUEUE_REGS_STRIDE);
    return 0; // doorbells are write-only
}

static void model_write32(void *device, uint32_t offset, uint32_t value)
{
    struct model *model = device;
    if (offset == EPH_REG_CTRL && (value & EPH_CTRL_RESET)) {
        reset(model);
        return;
    }
    if (offset < EPH_QUEUE_REGS_BASE)
        return;
    uint32_t q = (offset - EPH_QUEUE_REGS_BASE) / EPH_QUEUE_REGS_STRIDE;
    if (q < EPH_MAX_QUEUES) {
        eph_model_queue_write(&model->queues[q], offset % EPH_QUEUE_REGS_STRIDE, value);
        latch_error(model, q);
    }
    if (offset < EPH_DOORBELL_BASE)
        return;
    q = (offset - EPH_DOORBELL_BASE) / EPH_DOORBELL_STRIDE;
    if (q < EPH_MAX_QUEUES) {
        eph_model_queue_doorbell(&model->queues[q], offset % EPH_DOORBELL_STRIDE, value);
        latch_error(model, q);
    }
}

static void execute_one(struct model *model, struct eph_model_queue *queue)
{
    struct eph_sqe sqe;
    struct eph_cqe cqe;
    if (eph_model_queue_fetch(queue, &sqe)) {
        eph_model_execute(model->contexts, &sqe, &cqe);
        model->cycles += cqe.cycles;
        eph_model_queue_complete(queue, &cqe);
    }
    explicit_bzero(&sqe, sizeof sqe);
    explicit_bzero(&cqe, sizeof cqe);
    latch_error(model, queue->id);
}

static bool model_run(void *device)
{
    struct model *model = device;
    for (unsigned i = 0; i < EPH_MAX_QUEUES; i++) {
        struct eph_model_queue *queue = &model->queues[(model->next_queue + i) % EPH_MAX_QUEUES];
        if (!eph_model_queue_ready(queue))
            continue;
        execute_one(model, queue);
        model->next_queue = (queue->id + 1) % EPH_MAX_QUEUES;
        return true;
    }
    return false;
}

static uint64_t model_cycles(void *device)
{
    return ((struct model *)device)->cycles;
}

const struct eph_backend eph_backend_model = {
    .name = "model",
    .summary = "C model of the device: microcode interpreter, answers at once, same results and cycle counts as rtl",
    .open = model_open,
    .close = model_close,
    .read32 = model_read32,
    .write32 = model_write32,
    .run = model_run,
    .cycles = model_cycles,
};
