// SPDX-License-Identifier: Apache-2.0
// One queue of the model device: its registers, doorbells and rings, as isa.def describes them.
#ifndef EPH_SIM_MODEL_QUEUE_H
#define EPH_SIM_MODEL_QUEUE_H

#include "backend.h"

#include <ephemera/wire.h>

struct eph_model_queue {
    const struct eph_host *host; // borrowed
    unsigned id;
    uint64_t sq_base, cq_base, shadow_base;
    uint32_t log2_depth, vector;
    uint32_t enable, state;
    uint32_t sq_head, sq_tail, cq_head, cq_tail;
    uint32_t phase;     // of the next completion
    uint32_t in_flight; // fetched, not completed
    uint32_t done, errors;
    bool armed;
    bool shadowed; // the host keeps SQ_TAIL in its shadow page
    enum eph_number error; // EPH_ERR_NONE, or why state is EPH_QSTATE_ERROR
    uint64_t error_address;
};

void eph_model_queue_init(struct eph_model_queue *queue, const struct eph_host *host, unsigned id);
uint32_t eph_model_queue_read(const struct eph_model_queue *queue, uint32_t offset);
void eph_model_queue_write(struct eph_model_queue *queue, uint32_t offset, uint32_t value);
void eph_model_queue_doorbell(struct eph_model_queue *queue, uint32_t offset, uint32_t value);

// FEATURE_AWAKE, for a back end that looks again and again: takes SQ_TAIL from the shadow page of a host that keeps it
// there, and says there that we are awake.
void eph_model_queue_look(struct eph_model_queue *queue);
// Before nobody looks for a while: says so. True: there is work after all.
bool eph_model_queue_sleep(struct eph_model_queue *queue);

// A command is started only when a completion entry is free for it.
bool eph_model_queue_ready(const struct eph_model_queue *queue);
// Reads the next SQE. False: refused by the bus, and the queue is in state error.
bool eph_model_queue_fetch(struct eph_model_queue *queue, struct eph_sqe *sqe);
// Ends one fetched command: fills in sq_head, qid and phase, writes the CQE, interrupts if armed. The last one in
// flight ends a drain. A queue in state error writes nothing.
void eph_model_queue_complete(struct eph_model_queue *queue, struct eph_cqe *cqe);

#endif
