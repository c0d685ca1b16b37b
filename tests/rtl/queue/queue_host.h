// SPDX-License-Identifier: Apache-2.0
// The host's side of one queue, as a driver would do it, with every completion compared to what the fake engine must
// answer.
#pragma once
#include <map>

#include <ephemera/wire.h>

#include "queue_rig.h"

namespace eph
{

class QueueHost
{
  public:
    QueueHost(QueueRig &rig, unsigned queue, unsigned log2_depth, unsigned vector = 0); // vector 0: queue + 1

    void configure(); // registers, without ENABLE
    void enable();    // configure, ENABLE, forget all earlier traffic
    void disable();   // ENABLE = 0 and wait for state off
    uint32_t reg(unsigned offset);
    void set(unsigned offset, uint32_t value);
    void doorbell(unsigned offset, uint32_t value);

    bool can_submit() const { return in_flight() < depth() - 1; }
    // One SQE into the ring; the engine waits for that many cycles, then answers with that status.
    void submit(uint32_t engine_cycles, unsigned status = EPH_ST_OK);
    void ring() { doorbell(EPH_DB_SQ_TAIL, tail_); }
    void consume(bool arm = false) { doorbell(EPH_DB_CQ_HEAD, head_ | (arm ? EPH_ARM : 0)); }
    void kick(bool arm = false);             // shadow page, then KICK
    unsigned poll();                         // checks and takes every visible completion; their number
    void drain_all(uint64_t limit = 400000); // polls and rings until nothing is in flight

    unsigned depth() const { return 1u << log2_depth_; }
    unsigned in_flight() const { return static_cast<unsigned>(outstanding_.size()); }
    unsigned queue() const { return queue_; }
    unsigned tail() const { return tail_; }
    unsigned head() const { return head_; }
    uint64_t submitted() const { return submitted_; }
    uint64_t completed() const { return completed_; }
    uint64_t refused() const { return refused_; }
    uint64_t sq_address(unsigned index) const { return sq_base_ + index % depth() * EPH_ENTRY_BYTES; }
    uint64_t cq_address(unsigned index) const { return cq_base_ + index % depth() * EPH_ENTRY_BYTES; }
    uint64_t sq_base_, cq_base_, shadow_base_; // may be changed before configure()
    unsigned vector_;

  private:
    void check(const uint32_t *cqe);

    struct Request {
        std::array<uint32_t, 64> sqe;
        uint64_t number; // of submission since enable
    };
    QueueRig &rig_;
    unsigned queue_, log2_depth_, tail_ = 0, head_ = 0;
    unsigned phase_ = 1;
    uint64_t submitted_ = 0, completed_ = 0, refused_ = 0;
    std::map<uint32_t, Request> outstanding_; // by tag
};

} // namespace eph
