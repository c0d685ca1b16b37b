// SPDX-License-Identifier: Apache-2.0
#include "queue_host.h"

#include <cstring>

namespace eph
{

QueueHost::QueueHost(QueueRig &rig, unsigned queue, unsigned log2_depth, unsigned vector)
    : vector_(vector ? vector : queue + 1), rig_(rig), queue_(queue), log2_depth_(log2_depth)
{
    const uint64_t region = kMemoryBase + queue * kRegionBytes; // rings start anywhere on 256 bytes
    sq_base_ = region + (1 + 5 * queue) * EPH_ENTRY_BYTES;
    cq_base_ = region + 0x20000 + (2 + 3 * queue) * EPH_ENTRY_BYTES;
    shadow_base_ = region + 0x40000 + 8 * queue;
}

uint32_t QueueHost::reg(unsigned offset)
{
    return rig_.read32(EPH_QUEUE_REGS_BASE + queue_ * EPH_QUEUE_REGS_STRIDE + offset);
}

void QueueHost::set(unsigned offset, uint32_t value)
{
    rig_.write32(EPH_QUEUE_REGS_BASE + queue_ * EPH_QUEUE_REGS_STRIDE + offset, value);
}

void QueueHost::doorbell(unsigned offset, uint32_t value)
{
    rig_.write32(EPH_DOORBELL_BASE + queue_ * EPH_DOORBELL_STRIDE + offset, value);
}

void QueueHost::configure()
{
    set(EPH_QREG_SQ_BASE_LO, static_cast<uint32_t>(sq_base_));
    set(EPH_QREG_SQ_BASE_HI, sq_base_ >> 32);
    set(EPH_QREG_CQ_BASE_LO, static_cast<uint32_t>(cq_base_));
    set(EPH_QREG_CQ_BASE_HI, cq_base_ >> 32);
    set(EPH_QREG_SHADOW_BASE_LO, static_cast<uint32_t>(shadow_base_));
    set(EPH_QREG_SHADOW_BASE_HI, shadow_base_ >> 32);
    set(EPH_QREG_LOG2_DEPTH, log2_depth_);
    set(EPH_QREG_VECTOR, vector_);
}

void QueueHost::enable()
{
    memset(rig_.memory(cq_base_, depth() * EPH_ENTRY_BYTES), 0, depth() * EPH_ENTRY_BYTES);
    configure();
    set(EPH_QREG_ENABLE, 1);
    EPH_CHECK(reg(EPH_QREG_STATE) == EPH_QSTATE_ON, "queue %u does not turn on", queue_);
    tail_ = head_ = 0;
    phase_ = 1;
    submitted_ = completed_ = refused_ = 0;
    outstanding_.clear();
}

void QueueHost::disable()
{
    set(EPH_QREG_ENABLE, 0);
    rig_.run_until([this] { return reg(EPH_QREG_STATE) == EPH_QSTATE_OFF; }, 400000, "state off");
}

void QueueHost::submit(uint32_t engine_cycles, unsigned status)
{
    Request request;
    for (uint32_t &word : request.sqe)
        word = rig_.random();
    request.sqe[0] = (request.sqe[0] & 0xffff) | status << 16;
    request.sqe[1] = static_cast<uint32_t>(submitted_ << 4 | queue_); // the tag
    request.sqe[4] = (request.sqe[4] & ~0xfffffu) | engine_cycles;
    request.number = submitted_++;
    memcpy(rig_.memory(sq_address(tail_), EPH_ENTRY_BYTES), request.sqe.data(), EPH_ENTRY_BYTES);
    tail_ = (tail_ + 1) % depth();
    outstanding_[request.sqe[1]] = request;
}

void QueueHost::kick(bool arm)
{
    const uint32_t page[2] = {tail_, head_ | (arm ? static_cast<uint32_t>(EPH_ARM) : 0)};
    memcpy(rig_.memory(shadow_base_, 8), page, 8);
    doorbell(EPH_DB_KICK, 1);
}

// Against isa.def's layout and the fake engine's function of the SQE.
void QueueHost::check(const uint32_t *cqe)
{
    const auto found = outstanding_.find(cqe[61]);
    EPH_CHECK(found != outstanding_.end(), "queue %u: completion of tag %08x, which is not in flight", queue_, cqe[61]);
    const Request &request = found->second;
    for (unsigned i = 0; i < 58; i++)
        EPH_CHECK(cqe[i] == (request.sqe[i] ^ (0x5a5a0000 + i)), "queue %u tag %08x: word %u is %08x", queue_, cqe[61],
                  i, cqe[i]);
    EPH_CHECK(cqe[58] == request.sqe[2] && cqe[59] == request.sqe[3], "queue %u: generation of another request",
              queue_);
    EPH_CHECK(cqe[62] >> 16 == queue_, "queue %u: completion says queue %u", queue_, cqe[62] >> 16);
    EPH_CHECK((cqe[63] & 0xffff) == request.sqe[0] >> 16, "queue %u: status %u", queue_, cqe[63] & 0xffff);
    // sq_head is behind the request itself and not beyond the tail.
    const unsigned sq_head = cqe[62] & 0xffff;
    const unsigned since = static_cast<unsigned>(submitted_ - request.number); // entries from the request to the tail
    EPH_CHECK(sq_head < depth(), "queue %u: sq_head %u", queue_, sq_head);
    EPH_CHECK((tail_ - sq_head) % depth() < since, "queue %u: sq_head %u, tail %u, request %u before it", queue_,
              sq_head, tail_, since);
    if (cqe[63] & 0xffff)
        refused_++;
    completed_++;
    outstanding_.erase(found);
}

unsigned QueueHost::poll()
{
    unsigned taken = 0;
    for (;;) {
        uint32_t cqe[64];
        uint8_t *slot = rig_.memory(cq_address(head_), EPH_ENTRY_BYTES);
        memcpy(cqe, slot, sizeof cqe);
        if (cqe[63] >> 16 != phase_)
            return taken;
        check(cqe);
        memset(slot, 0, EPH_ENTRY_BYTES - 2); // the phase stays
        head_ = (head_ + 1) % depth();
        if (head_ == 0)
            phase_ ^= 1;
        taken++;
    }
}

void QueueHost::drain_all(uint64_t limit)
{
    const uint64_t end = rig_.cycle() + limit;
    while (in_flight()) {
        EPH_CHECK(rig_.cycle() < end, "queue %u: %u requests never answered", queue_, in_flight());
        if (poll())
            consume();
        rig_.run(20);
    }
}

} // namespace eph
