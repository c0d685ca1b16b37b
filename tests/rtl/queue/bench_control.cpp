// SPDX-License-Identifier: Apache-2.0
// Registers, doorbells, interrupts, drain.
#include <algorithm>
#include <cstring>

#include "bench.h"

namespace eph
{
namespace
{

void registers_read_as_documented(QueueRig &rig)
{
    const struct {
        uint32_t offset, value;
    } expected[] = {
        {EPH_REG_MAGIC, EPH_MAGIC},
        {EPH_REG_IF_VERSION, EPH_IF_VERSION},
        {EPH_REG_FEATURES, EPH_FEATURE_SIMULATED},
        {EPH_REG_QUEUES, kQueues | EPH_MAX_LOG2_DEPTH << 8 | kContexts << 16},
        {EPH_REG_ENGINES, kEngines},
        {EPH_REG_CTRL, 0},
        {EPH_REG_STATUS, EPH_STATUS_READY},
        {EPH_REG_ERR_CODE, EPH_ERR_NONE},
        {0x3c, 0},
        {0x48, 0},
        {0xffc, 0},
        {EPH_BUSY_BASE + 8 * kEngines, 0},
        {EPH_QUEUE_REGS_BASE + 0x38, 0},
        {EPH_DOORBELL_BASE + EPH_DB_SQ_TAIL, 0},
        {EPH_DOORBELL_BASE + 0xffc, 0},
        {EPH_DOORBELL_BASE + 16 * EPH_DOORBELL_STRIDE, 0},
        {EPH_BAR0_BYTES - 4, 0},
    };
    for (const auto &e : expected)
        EPH_CHECK(rig.read32(e.offset) == e.value, "register %05x reads %08x", e.offset, rig.read32(e.offset));
    for (uint32_t a = 0; a < 0x200; a += 4)
        rig.read32(a); // the rig refuses all ones
    const uint32_t before = rig.read32(EPH_REG_CYCLES_LO);
    rig.run(100);
    const uint32_t gone = rig.read32(EPH_REG_CYCLES_LO) - before;
    EPH_CHECK(gone >= 100 && gone < 120, "CYCLES went on by %u in 100", gone);
}

void queue_registers_hold_and_freeze(QueueRig &rig)
{
    QueueHost host(rig, 1 % kQueues, 3);
    for (uint32_t value : {0xffffffffu, 0x12345678u, 0u}) {
        for (uint32_t offset = 0; offset <= EPH_QREG_SHADOW_BASE_HI; offset += 4)
            host.set(offset, value);
        for (uint32_t offset = 0; offset <= EPH_QREG_SHADOW_BASE_HI; offset += 4)
            EPH_CHECK(host.reg(offset) == (value == 0xffffffff ? 0xfffffffe : value), "register %x reads %08x", offset,
                      host.reg(offset));
    }
    host.set(EPH_QREG_LOG2_DEPTH, 16);
    host.set(EPH_QREG_VECTOR, 0x101);
    EPH_CHECK(host.reg(EPH_QREG_LOG2_DEPTH) == 15 && host.reg(EPH_QREG_VECTOR) == 31, "out of range values wrap");
    host.enable();
    for (uint32_t offset = 0; offset <= EPH_QREG_VECTOR; offset += 4)
        host.set(offset, 0x100);
    EPH_CHECK(host.reg(EPH_QREG_SQ_BASE_LO) == static_cast<uint32_t>(host.sq_base_), "base not frozen while on");
    EPH_CHECK(host.reg(EPH_QREG_LOG2_DEPTH) == 3 && host.reg(EPH_QREG_VECTOR) == host.vector_,
              "depth or vector not frozen while on");
    rig.write32(EPH_QUEUE_REGS_BASE + host.queue() * EPH_QUEUE_REGS_STRIDE + EPH_QREG_ENABLE, 0,
                7); // incomplete strobes
    EPH_CHECK(host.reg(EPH_QREG_STATE) == EPH_QSTATE_ON && host.reg(EPH_QREG_ENABLE) == 1, "a partial write was taken");
    host.disable();
    EPH_CHECK(host.reg(EPH_QREG_ENABLE) == 0, "ENABLE after the drain");
}

void refuses_bad_configuration(QueueRig &rig)
{
    const struct {
        const char *what;
        uint32_t offset, value;
    } bad[] = {
        {"SQ base", EPH_QREG_SQ_BASE_LO, 0x80},
        {"CQ base", EPH_QREG_CQ_BASE_LO, 1},
        {"shadow base", EPH_QREG_SHADOW_BASE_LO, 4},
        {"depth 1", EPH_QREG_LOG2_DEPTH, 0},
        {"depth 128", EPH_QREG_LOG2_DEPTH, 7},
        {"huge depth", EPH_QREG_LOG2_DEPTH, 0x13},
        {"vector 0", EPH_QREG_VECTOR, 0},
        {"vector 17", EPH_QREG_VECTOR, 17},
        {"huge vector", EPH_QREG_VECTOR, 0x21},
    };
    for (const auto &b : bad) {
        rig.write32(EPH_REG_CTRL, EPH_CTRL_RESET);
        rig.wait_ready();
        rig.interrupts.fill(0);
        QueueHost host(rig, kQueues - 1, 3);
        host.configure();
        host.set(b.offset, b.value);
        host.set(EPH_QREG_ENABLE, 1);
        EPH_CHECK(host.reg(EPH_QREG_STATE) == EPH_QSTATE_ERROR, "%s accepted", b.what);
        EPH_CHECK(rig.read32(EPH_REG_ERR_CODE) == EPH_ERR_CONFIG && rig.read32(EPH_REG_ERR_QID) == host.queue(),
                  "%s: ERR_*", b.what);
        rig.run_until_quiet();
        EPH_CHECK(rig.interrupts[0] == 1, "%s: %u interrupts on vector 0", b.what, rig.interrupts[0]);
        host.set(EPH_QREG_ENABLE, 1); // not a way out
        EPH_CHECK(host.reg(EPH_QREG_STATE) == EPH_QSTATE_ERROR, "ENABLE = 1 left the error state");
        host.disable();
        host.enable();
    }
}

void arming_is_exact(QueueRig &rig)
{
    QueueHost host(rig, kQueues / 2, 4, 7);
    host.enable();
    // Armed around the moment of completion, cycle by cycle: always exactly one interrupt. A slow answer to the write
    // makes the completion visible long before the device knows that it is.
    for (unsigned answer : {0u, 40u}) {
        rig.latency_min = rig.latency_max = answer;
        for (unsigned when = 0; when < 420; when += 3) {
            rig.interrupts.fill(0);
            host.submit(10);
            host.ring();
            rig.run(when);
            host.consume(true);
            rig.run_until([&] { return host.poll() != 0; }, 5000, "a completion");
            rig.run_until_quiet();
            EPH_CHECK(rig.interrupts[7] == 1, "armed after %u cycles: %u interrupts", when, rig.interrupts[7]);
            rig.run(50);
            host.consume();
        }
    }
    rig.latency_min = rig.latency_max = 0;
    // Armed once, two completions: one interrupt. Unarmed: none.
    rig.interrupts.fill(0);
    host.consume(true);
    for (unsigned i = 0; i < 5; i++)
        host.submit(100 * i);
    host.ring();
    host.drain_all();
    rig.run_until_quiet();
    EPH_CHECK(rig.interrupts[7] == 1, "%u interrupts for one arming", rig.interrupts[7]);
    // Armed with nothing to wait for: silence, and the arming survives a CQ_HEAD without ARM.
    host.consume(true);
    host.consume(false);
    rig.run_until_quiet();
    EPH_CHECK(rig.interrupts[7] == 1, "interrupt without a completion");
    host.submit(10);
    host.ring();
    rig.run_until_quiet();
    EPH_CHECK(rig.interrupts[7] == 2, "arming lost");
    EPH_CHECK(std::count_if(rig.interrupts.begin(), rig.interrupts.end(), [](unsigned n) { return n != 0; }) == 1,
              "wrong vector");
    host.drain_all();
}

// The host may consume, and arm, before the bus has answered the write of the completion it has seen.
void consumes_before_the_write_is_answered(QueueRig &rig)
{
    QueueHost host(rig, 0, 1);
    host.enable();
    rig.latency_min = rig.latency_max = 200;
    for (unsigned lap = 0; lap < 8; lap++) {
        rig.interrupts.fill(0);
        host.submit(5);
        host.ring();
        rig.run_until([&] { return host.poll() != 0; }, 5000, "a completion");
        host.consume(true);
        EPH_CHECK(host.reg(EPH_QREG_STATE) == EPH_QSTATE_ON, "consuming a visible completion is an error");
        rig.run_until_quiet();
        EPH_CHECK(rig.interrupts[1] == 0, "interrupt for a completion that is consumed");
        host.submit(5);
        host.ring();
        rig.run_until_quiet();
        EPH_CHECK(rig.interrupts[1] == 1, "%u interrupts", rig.interrupts[1]);
        host.drain_all();
    }
}

// Queues that share a vector: an event while the request is up raises it again after the acknowledge.
void no_interrupt_is_lost(QueueRig &rig)
{
    if (kQueues < 2)
        return;
    QueueHost a(rig, 0, 3, 9), b(rig, 1, 3, 9);
    a.enable();
    b.enable();
    rig.hold_acks = true;
    for (QueueHost *host : {&a, &b}) {
        host->consume(true);
        host->submit(10);
        host->ring();
        rig.run(1000);
        EPH_CHECK(rig.irq_request() == 1u << 9, "request %x", rig.irq_request());
    }
    EPH_CHECK(rig.busy(), "busy_o is low while a request is up");
    rig.hold_acks = false;
    rig.run_until_quiet();
    EPH_CHECK(rig.interrupts[9] == 2, "%u interrupts for two events", rig.interrupts[9]);
    a.drain_all();
    b.drain_all();
}

void kick_reads_the_shadow_page(QueueRig &rig)
{
    for (unsigned q = 0; q < kQueues; q++) { // shadow pages on every lane of the bus
        QueueHost host(rig, q, 2);
        host.enable();
        rig.interrupts.fill(0);
        for (unsigned lap = 0; lap < 9; lap++) {
            host.submit(30);
            host.kick(true);
            rig.run_until([&] { return host.poll() != 0; }, 5000, "a completion after KICK");
        }
        rig.run_until_quiet();
        EPH_CHECK(rig.interrupts[host.vector_] >= 1 && host.in_flight() == 0, "queue %u: kicks", q);
        host.kick(); // CQ_HEAD too is taken
        rig.run_until_quiet();
        host.submit(30);
        host.submit(30);
        host.submit(30); // needs every CQE free
        host.kick();
        host.kick();
        rig.run_until([&] { return host.poll(), host.in_flight() == 0; }, 5000, "three completions after KICK");
        rig.run_until_quiet();
        EPH_CHECK(host.reg(EPH_QREG_STATE) == EPH_QSTATE_ON, "queue %u: state after kicks", q);
        host.disable();
    }
}

void drain_ends_when_nothing_is_under_way(QueueRig &rig)
{
    QueueHost host(rig, 0, 5), other(rig, kQueues - 1, 3);
    other.enable();
    for (unsigned after = 0; after < 1500; after += 41) {
        rig.latency_min = 0;
        rig.latency_max = after % 3 * 20;
        host.enable();
        for (unsigned i = 0; i < 20; i++)
            host.submit(rig.random_below(700));
        host.ring();
        rig.run(after);
        rig.bursts.clear();
        host.set(EPH_QREG_ENABLE, 0);
        unsigned state = EPH_QSTATE_DRAINING;
        while (state == EPH_QSTATE_DRAINING)
            state = host.reg(EPH_QREG_STATE);
        EPH_CHECK(state == EPH_QSTATE_OFF, "drain ended in state %u", state);
        const uint64_t off = rig.cycle();
        host.poll();
        EPH_CHECK(host.reg(EPH_QREG_SQ_HEAD) == host.completed(), "%u fetched, %u completed",
                  host.reg(EPH_QREG_SQ_HEAD), static_cast<unsigned>(host.completed()));
        rig.run(2500);
        EPH_CHECK(rig.bursts.empty() || rig.bursts.back().cycle < off, "bus access after state off");
        host.ring(); // ignored
        host.doorbell(EPH_DB_KICK, 1);
        host.consume(true);
        rig.run_until_quiet();
        EPH_CHECK(rig.bursts.empty() || rig.bursts.back().cycle < off,
                  "a doorbell of a queue that is off did something");
        other.submit(3);
        other.ring();
        other.drain_all();
    }
}

// ENABLE = 0 while the only SQE is being read: not off before its completion is written.
void drain_waits_for_a_read(QueueRig &rig)
{
    QueueHost host(rig, 0, 1);
    for (unsigned after = 0; after < 60; after++) {
        host.enable();
        rig.latency_min = rig.latency_max = 100;
        host.submit(10);
        host.ring();
        rig.run(after);
        host.disable();
        const uint64_t off = rig.cycle();
        host.poll();
        EPH_CHECK(host.reg(EPH_QREG_SQ_HEAD) == host.completed(), "SQE fetched, not answered");
        rig.run(500);
        EPH_CHECK(rig.bursts.empty() || rig.bursts.back().cycle < off, "bus access after state off");
        EPH_CHECK(after < 40 || host.completed() == 1, "%u cycles after the doorbell: not fetched yet", after);
    }
}

// Neither an arming nor a KICK outlives the queue's time in state on.
void new_life_forgets(QueueRig &rig)
{
    QueueHost host(rig, 0, 3);
    host.enable();
    host.consume(true);
    host.disable();
    host.enable();
    host.submit(5);
    host.ring();
    rig.run_until_quiet();
    EPH_CHECK(rig.interrupts[1] == 0, "armed before it was enabled");
    host.drain_all();
    rig.latency_min = rig.latency_max = 300;
    host.submit(5);
    host.ring();
    rig.run(30);
    host.kick(); // waits for the read under way
    host.disable();
    rig.bursts.clear();
    host.enable();
    rig.run(2000);
    EPH_CHECK(rig.bursts.empty(), "a KICK before ENABLE = 0 was served");
}

} // namespace

const Behaviour kControl[] = {
    {"registers-read-as-documented", registers_read_as_documented},
    {"queue-registers-hold-and-freeze", queue_registers_hold_and_freeze},
    {"refuses-bad-configuration", refuses_bad_configuration},
    {"arming-is-exact", arming_is_exact},
    {"consumes-before-the-write-is-answered", consumes_before_the_write_is_answered},
    {"no-interrupt-is-lost", no_interrupt_is_lost},
    {"kick-reads-the-shadow-page", kick_reads_the_shadow_page},
    {"drain-ends-when-nothing-is-under-way", drain_ends_when_nothing_is_under_way},
    {"new-life-forgets", new_life_forgets},
    {"drain-waits-for-a-read", drain_waits_for_a_read},
    {nullptr, nullptr},
};

} // namespace eph
