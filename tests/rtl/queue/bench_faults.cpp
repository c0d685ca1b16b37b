// SPDX-License-Identifier: Apache-2.0
// What goes wrong stays where it belongs: bad doorbells, bus errors, a dead bus, resets; and nothing secret stays
// behind.
#include <cstring>

#include "bench.h"

namespace eph
{
namespace
{

constexpr unsigned kVictim = kQueues / 2;

void expect_error(QueueRig &rig, QueueHost &host, uint32_t code, const char *what)
{
    rig.run_until([&] { return host.reg(EPH_QREG_STATE) == EPH_QSTATE_ERROR; }, 20000, what);
    EPH_CHECK(rig.read32(EPH_REG_ERR_CODE) == code, "%s: ERR_CODE %u", what, rig.read32(EPH_REG_ERR_CODE));
    EPH_CHECK(rig.read32(EPH_REG_ERR_QID) == host.queue(), "%s: ERR_QID %u", what, rig.read32(EPH_REG_ERR_QID));
    EPH_CHECK(rig.read32(EPH_REG_STATUS) == EPH_STATUS_READY, "%s: STATUS", what);
}

uint64_t error_address(QueueRig &rig)
{
    const uint64_t low = rig.read32(EPH_REG_ERR_ADDR_LO);
    return low | static_cast<uint64_t>(rig.read32(EPH_REG_ERR_ADDR_HI)) << 32;
}

void clear_errors(QueueRig &rig)
{
    rig.write32(EPH_REG_CTRL, EPH_CTRL_RESET);
    rig.wait_ready();
    EPH_CHECK(rig.read32(EPH_REG_ERR_CODE) == EPH_ERR_NONE, "ERR_CODE survives a reset");
    rig.interrupts.fill(0);
}

// A queue beside the victim that must not notice anything.
struct Bystander {
    QueueHost host;
    explicit Bystander(QueueRig &rig) : host(rig, (kVictim + 1) % kQueues, 3) { host.enable(); }
    void work()
    {
        while (host.can_submit())
            host.submit(40);
        host.ring();
        host.drain_all();
    }
};

void bad_doorbells_stop_their_queue(QueueRig &rig)
{
    const struct {
        const char *what;
        bool kick;
        uint32_t tail, head,
            code; // of a queue of 8: 4 SQEs fetched, 2 CQEs visible, 1 consumed; ~0: leave alone
    } bad[] = {
        {"tail beyond the ring", false, 8, ~0u, EPH_ERR_SQ_TAIL},
        {"huge tail", false, 0x80000006, ~0u, EPH_ERR_SQ_TAIL},
        {"more than depth - 1 in flight", false, 2, ~0u, EPH_ERR_SQ_TAIL},
        {"head beyond the ring", false, ~0u, 9, EPH_ERR_CQ_HEAD},
        {"head beyond visible", false, ~0u, 5, EPH_ERR_CQ_HEAD},
        {"head moved back", false, ~0u, 0, EPH_ERR_CQ_HEAD},
        {"huge head", false, ~0u, 0x40000002, EPH_ERR_CQ_HEAD},
        {"tail beyond, by KICK", true, 64, 2, EPH_ERR_SQ_TAIL},
        {"head beyond, by KICK", true, 4, 0x80000007, EPH_ERR_CQ_HEAD},
    };
    for (const auto &b : bad) {
        clear_errors(rig);
        Bystander bystander(rig);
        QueueHost host(rig, kVictim, 3);
        host.enable();
        for (unsigned i = 0; i < 4; i++)
            host.submit(i < 2 ? 10 : 3000);
        host.ring();
        rig.run_until([&] { return host.poll(), host.completed() == 2; }, 5000, "two completions");
        rig.run(600); // until all are fetched, and the device knows that two are visible
        host.doorbell(EPH_DB_CQ_HEAD, 1);
        if (b.kick) {
            const uint32_t page[2] = {b.tail, b.head};
            memcpy(rig.memory(host.shadow_base_, 8), page, 8);
            host.doorbell(EPH_DB_KICK, 0);
        } else {
            host.doorbell(b.tail != ~0u ? EPH_DB_SQ_TAIL : EPH_DB_CQ_HEAD, b.tail != ~0u ? b.tail : b.head);
        }
        expect_error(rig, host, b.code, b.what);
        EPH_CHECK(error_address(rig) == 0, "%s: ERR_ADDR", b.what);
        bystander.work();
        rig.run(4000); // its own requests end meanwhile, and are dropped
        EPH_CHECK(host.poll() == 0, "%s: a completion of a queue in error was written", b.what);
        EPH_CHECK(rig.interrupts[0] == 1, "%s: %u interrupts on vector 0", b.what, rig.interrupts[0]);
        host.disable();
        host.enable();
        host.submit(10);
        host.ring();
        host.drain_all();
        bystander.work();
    }
}

// SQEs that were rung may be fetched at any time: they can not be taken back.
void tail_never_moves_back(QueueRig &rig)
{
    QueueHost host(rig, kVictim, 3);
    host.enable();
    rig.latency_min = rig.latency_max = 1000;
    for (unsigned i = 0; i < 4; i++)
        host.submit(5);
    host.ring();
    host.doorbell(EPH_DB_SQ_TAIL, 4); // again is fine
    host.doorbell(EPH_DB_SQ_TAIL, 2);
    expect_error(rig, host, EPH_ERR_SQ_TAIL, "tail moved back");
    rig.run_until_quiet();
    EPH_CHECK(host.poll() == 0, "an SQE read in state error was run");
}

void bus_errors_stop_their_queue(QueueRig &rig)
{
    for (unsigned kind = 0; kind < 4; kind++) { // SQE read, shadow read, CQE write, SQE without RLAST
        clear_errors(rig);
        rig.fault = nullptr;
        Bystander bystander(rig);
        QueueHost host(rig, kVictim, 3);
        host.enable();
        host.submit(2000);
        for (unsigned i = 1; i < 6; i++)
            host.submit(100);
        const uint64_t at = kind % 3 == 0 ? host.sq_address(3) : kind == 1 ? host.shadow_base_ : host.cq_address(2);
        const uint64_t mask = kind == 1 ? ~uint64_t{EPH_BENCH_DATA_BITS / 8 - 1} : ~uint64_t{0};
        rig.fault = [=](bool write, uint64_t address) {
            return write == (kind == 2) && address == (at & mask)
                       ? (kind == 3 ? BusFault::kNoLast : BusFault::kSlaveError)
                       : BusFault::kNone;
        };
        if (kind == 1)
            host.kick();
        else
            host.ring();
        bystander.work();
        expect_error(rig, host, kind == 2 ? EPH_ERR_AXI_WRITE : EPH_ERR_AXI_READ, "bus error");
        EPH_CHECK(error_address(rig) == (at & mask), "bus error: ERR_ADDR %llx",
                  (unsigned long long)error_address(rig));
        const unsigned seen = host.poll();
        EPH_CHECK(seen <= (kind % 3 == 0 ? 3u : kind == 1 ? 0u : 2u), "%u completions around a bus error", seen);
        rig.bursts.clear();
        bystander.work();
        rig.run(4000);
        for (const BusEvent &burst : rig.bursts)
            EPH_CHECK(burst.queue != kVictim, "a queue in error uses the bus");
        EPH_CHECK(host.poll() == 0, "completion written in state error");
        EPH_CHECK(rig.interrupts[0] == 1, "%u interrupts on vector 0", rig.interrupts[0]);
        rig.fault = nullptr;
        // Only the first error is kept.
        QueueHost late(rig, (kVictim + 2) % kQueues, 2);
        if (late.queue() != kVictim && late.queue() != bystander.host.queue()) {
            late.enable();
            late.doorbell(EPH_DB_SQ_TAIL, 99);
            EPH_CHECK(late.reg(EPH_QREG_STATE) == EPH_QSTATE_ERROR && rig.read32(EPH_REG_ERR_QID) == kVictim,
                      "first error overwritten");
        }
        host.disable();
        host.enable();
        for (unsigned i = 0; i < 5; i++)
            host.submit(50);
        host.ring();
        host.drain_all();
    }
}

// An error during a drain: the drain ends all the same.
void drain_survives_a_write_error(QueueRig &rig)
{
    QueueHost host(rig, kVictim, 3);
    host.enable();
    for (unsigned i = 0; i < 5; i++)
        host.submit(800);
    host.ring();
    rig.run(900);
    rig.fault = [](bool write, uint64_t) { return write ? BusFault::kSlaveError : BusFault::kNone; };
    host.disable();
    EPH_CHECK(rig.read32(EPH_REG_ERR_CODE) == EPH_ERR_AXI_WRITE, "error during a drain not latched");
}

void dead_bus_is_fatal(QueueRig &rig)
{
    for (unsigned kind = 0; kind < 5; kind++) { // AR, R, AW, W, B never answered
        QueueHost host(rig, kVictim, 3), other(rig, (kVictim + 1) % kQueues, 3);
        host.enable();
        rig.interrupts.fill(0);
        host.submit(500);
        host.submit(500);
        if (kind == 1)
            rig.fault = [](bool write, uint64_t) { return write ? BusFault::kNone : BusFault::kHangData; };
        if (kind >= 3)
            rig.fault = [=](bool write, uint64_t) {
                return !write ? BusFault::kNone : kind == 3 ? BusFault::kHangData : BusFault::kHangAnswer;
            };
        rig.refuse_addresses = kind == 0;
        host.ring();
        if (kind == 2) {
            rig.run(450);
            rig.refuse_addresses = true;
        }
        rig.run(kWatchdog - 100);
        EPH_CHECK(rig.read32(EPH_REG_STATUS) == EPH_STATUS_READY, "fatal too early");
        rig.run_until([&] { return rig.read32(EPH_REG_STATUS) & EPH_STATUS_FATAL; }, 2000, "FATAL");
        EPH_CHECK(rig.read32(EPH_REG_STATUS) == EPH_STATUS_FATAL, "ready although fatal");
        EPH_CHECK(rig.read32(EPH_REG_ERR_CODE) == EPH_ERR_WATCHDOG && rig.read32(EPH_REG_ERR_QID) == kVictim,
                  "ERR_* of the watchdog");
        EPH_CHECK(error_address(rig) == (kind < 2 ? host.sq_address(0) : host.cq_address(0)), "kind %u: ERR_ADDR %llx",
                  kind, (unsigned long long)error_address(rig));
        rig.run_until([&] { return !rig.busy(); }, 1000, "busy_o to fall in state fatal");
        EPH_CHECK(rig.interrupts[0] == 1, "%u interrupts on vector 0", rig.interrupts[0]);
        rig.revive_bus();
        rig.bursts.clear();
        if (other.queue() != kVictim) { // nothing new starts
            other.enable();
            other.submit(1);
            other.ring();
        }
        rig.run(3000);
        EPH_CHECK(rig.bursts.empty(), "bus access in state fatal");
        clear_errors(rig);
        EPH_CHECK(rig.left_in_buffers().empty(), "%s holds data after reset", rig.left_in_buffers().c_str());
        host.enable();
        host.submit(5);
        host.ring();
        host.drain_all();
        clear_errors(rig);
    }
}

// Slower in all than the watchdog allows, but never silent for so long.
void slow_bus_is_not_dead(QueueRig &rig)
{
    QueueHost host(rig, kVictim, 2);
    host.enable();
    rig.pause = 254;
    rig.latency_min = rig.latency_max = kWatchdog / 2;
    for (unsigned i = 0; i < 3; i++)
        host.submit(5);
    host.ring();
    host.drain_all();
    EPH_CHECK(rig.read32(EPH_REG_STATUS) == EPH_STATUS_READY, "fatal on a slow bus");
}

void reset_in_flight(QueueRig &rig)
{
    for (unsigned after = 0; after < 2400; after += 7) {
        rig.pause = after % 3 * 120;
        rig.latency_max = after % 5 * 200; // longer than the wipe, too
        std::vector<std::unique_ptr<QueueHost>> hosts;
        for (unsigned q = 0; q < kQueues; q += 3) {
            hosts.emplace_back(new QueueHost(rig, q, 3));
            hosts.back()->enable();
            for (unsigned i = 0; i < 6; i++)
                hosts.back()->submit(rig.random_below(400));
            hosts.back()->consume(true);
            hosts.back()->ring();
        }
        rig.run(after);
        const bool hard = after % 4 == 3;
        if (hard)
            rig.hard_reset();
        else
            clear_errors(rig);
        EPH_CHECK(rig.left_in_buffers().empty(), "%s holds data after reset", rig.left_in_buffers().c_str());
        EPH_CHECK(rig.irq_request() == 0, "interrupt survives a reset");
        rig.bursts.clear();
        for (auto &host : hosts)
            EPH_CHECK(host->reg(EPH_QREG_STATE) == EPH_QSTATE_OFF && host->reg(EPH_QREG_SQ_BASE_LO) == 0,
                      "queue survives a reset");
        rig.run_until_quiet();
        rig.run(500);
        EPH_CHECK(rig.bursts.empty(), "bus access after reset");
        hosts[0]->enable();
        hosts[0]->submit(1);
        hosts[0]->ring();
        hosts[0]->drain_all();
    }
}

// After its use every word of a request and of a completion is gone from the front end.
void secrets_do_not_stay(QueueRig &rig)
{
    QueueHost host(rig, kVictim, 4);
    for (unsigned kind = 0; kind < 4; kind++) { // good work, read error, write error, dropped in state error
        host.enable();
        for (unsigned i = 0; i < 10; i++)
            host.submit(100);
        rig.fault = [=](bool write, uint64_t) {
            return (kind == 1 && !write) || (kind == 2 && write) ? BusFault::kSlaveError : BusFault::kNone;
        };
        host.ring();
        bool seen = false;
        for (unsigned i = 0; i < 400; i++, rig.run(1))
            seen |= !rig.left_in_buffers().empty();
        EPH_CHECK(seen, "the bench sees nothing in the buffers at any time");
        if (kind == 3)
            host.doorbell(EPH_DB_SQ_TAIL, 77);
        rig.run_until_quiet();
        EPH_CHECK(rig.left_in_buffers().empty(), "%s still holds data, case %u", rig.left_in_buffers().c_str(), kind);
        if (kind == 0)
            host.drain_all();
        rig.fault = nullptr;
        host.disable();
    }
}

} // namespace

const Behaviour kFaults[] = {
    {"bad-doorbells-stop-their-queue", bad_doorbells_stop_their_queue},
    {"tail-never-moves-back", tail_never_moves_back},
    {"bus-errors-stop-their-queue", bus_errors_stop_their_queue},
    {"drain-survives-a-write-error", drain_survives_a_write_error},
    {"dead-bus-is-fatal", dead_bus_is_fatal},
    {"slow-bus-is-not-dead", slow_bus_is_not_dead},
    {"reset-in-flight", reset_in_flight},
    {"secrets-do-not-stay", secrets_do_not_stay},
    {nullptr, nullptr},
};

} // namespace eph
