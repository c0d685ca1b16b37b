// SPDX-License-Identifier: Apache-2.0
// The model back end: registers and queues in C, requests executed by the microcode interpreter. It answers at once;
// the cycles it reports are those that the hardware would have counted.
#include "backend.h"
#include "model_card.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <ucode_model.h>

enum { CLOCK_KHZ = 150000 };

// Which operations and curves exist is what the microcode says: ask it.
static void probe_programs(struct eph_model_card *card)
{
    for (unsigned opcode = EPH_OP_KEYGEN; opcode <= EPH_OP_DERIVE; opcode++)
        for (unsigned curve = EPH_CURVE_X25519; curve < EPH_CURVE_COUNT; curve++) {
            struct eph_sqe sqe = {
                .opcode = (uint8_t)opcode, .curve = (uint8_t)curve, .scalar = {2}, .peer_x = {9}, .blind = {1}};
            struct eph_cqe cqe;
            eph_model_execute(card->contexts, &sqe, &cqe);
            if (cqe.status == EPH_ST_BAD_OP || cqe.status == EPH_ST_BAD_CURVE)
                continue;
            card->curves |= UINT32_C(1) << curve;
            card->operations |= UINT32_C(1) << opcode;
        }
}

static void *model_open(const struct eph_backend_options *options, const struct eph_host *host)
{
    if (options->contexts > EPH_MODEL_MAX_CONTEXTS || options->engines > EPH_MAX_ENGINES ||
        options->wave_path != NULL) {
        errno = EINVAL;
        return NULL;
    }
    struct eph_model_card *card = calloc(1, sizeof *card);
    if (card == NULL)
        return NULL;
    card->host = *host;
    card->contexts = options->contexts ? options->contexts : EPH_MODEL_DEFAULT_CONTEXTS;
    card->clock_khz = CLOCK_KHZ;
    card->engines = options->engines ? options->engines : 1;
    probe_programs(card);
    eph_model_card_reset(card);
    return card;
}

static void model_close(void *device, bool orderly)
{
    (void)orderly; // no secret outlives model_run
    free(device);
}

static uint32_t model_read32(void *device, uint32_t offset)
{
    return eph_model_card_read32(device, offset);
}

static void model_write32(void *device, uint32_t offset, uint32_t value)
{
    if (offset == EPH_REG_CTRL && (value & EPH_CTRL_RESET))
        eph_model_card_reset(device);
    else
        eph_model_card_write32(device, offset, value);
}

static bool model_run(void *device)
{
    struct eph_model_card *card = device;
    struct eph_model_queue *queue = eph_model_card_next(card);
    if (queue == NULL)
        return false;
    struct eph_sqe sqe;
    struct eph_cqe cqe;
    if (eph_model_queue_fetch(queue, &sqe)) {
        eph_model_execute(card->contexts, &sqe, &cqe);
        card->cycles += cqe.cycles;
        card->busy[0] = card->cycles; // one request after the other: engine 0 is busy whenever time passes
        eph_model_queue_complete(queue, &cqe);
    }
    explicit_bzero(&sqe, sizeof sqe);
    explicit_bzero(&cqe, sizeof cqe);
    eph_model_card_latch_error(card, queue);
    return true;
}

static uint64_t model_cycles(void *device)
{
    return ((struct eph_model_card *)device)->cycles;
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
