// SPDX-License-Identifier: Apache-2.0
// The registers and queues of a card that is written in C, as isa.def describes them; what executes the requests is the
// back end's business.
#ifndef EPH_SIM_MODEL_CARD_H
#define EPH_SIM_MODEL_CARD_H

#include "model_queue.h"

enum { EPH_MODEL_DEFAULT_CONTEXTS = 64, EPH_MODEL_MAX_CONTEXTS = 1024 };

struct eph_model_card {
    struct eph_host host;
    uint32_t contexts, engines, clock_khz;
    uint32_t curves, operations; // bit masks: what has a program
    uint32_t features;           // beside SIMULATED
    struct eph_model_queue queues[EPH_MAX_QUEUES];
    unsigned next_queue; // round robin
    uint32_t error_code, error_queue;
    uint64_t error_address;
    uint64_t cycles, cycles_latched; // the back end counts them
    uint64_t busy[EPH_MAX_ENGINES];  // and these
};

void eph_model_card_reset(struct eph_model_card *card); // queues and errors; what the back end filled in stays
uint32_t eph_model_card_read32(struct eph_model_card *card, uint32_t offset);
// Everything but CTRL, which the back end looks at first.
void eph_model_card_write32(struct eph_model_card *card, uint32_t offset, uint32_t value);
// After any access of a queue to the bus: if it stopped, latches the card's first error and raises vector 0.
void eph_model_card_latch_error(struct eph_model_card *card, struct eph_model_queue *queue);
// The queue whose turn it is to have a command started; NULL when none can.
struct eph_model_queue *eph_model_card_next(struct eph_model_card *card);

#endif
