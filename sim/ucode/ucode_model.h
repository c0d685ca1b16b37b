// SPDX-License-Identifier: Apache-2.0
// The functional model of one engine: interprets the ROM words, stores the very values that the RTL stores, counts the
// very cycles.
#ifndef EPH_UCODE_MODEL_H
#define EPH_UCODE_MODEL_H

#include <ephemera/wire.h>
#include <ucode_data.h>

// Executes one request on an engine with this many contexts. sq_head, qid and phase of the completion are 0: the queue
// fills them in. The result is zero unless the status is OK. A pure function: no state, any thread; its copies of
// secrets are wiped. CT: secrets reach masks and, as table and fixed-base indices, addresses (as in the RTL, whose
// memories have no cache); no branch but the final status depends on them.
void eph_model_execute(uint32_t contexts, const struct eph_sqe *sqe, struct eph_cqe *cqe);

// The same with another image than the built one.
void eph_model_execute_image(const struct eph_ucode_image *image, uint32_t contexts, const struct eph_sqe *sqe,
                             struct eph_cqe *cqe);

#endif
