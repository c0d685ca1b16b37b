// SPDX-License-Identifier: Apache-2.0
// Work that goes well: every request answered exactly once, whatever the depth, the pauses and the order of completion.
#include <algorithm>

#include "bench.h"

namespace eph
{
namespace
{

using Hosts = std::vector<std::unique_ptr<QueueHost>>;

Hosts make_hosts(QueueRig &rig, unsigned queues, unsigned log2_depth)
{
    Hosts hosts;
    for (unsigned q = 0; q < queues; q++) {
        hosts.emplace_back(new QueueHost(rig, q, log2_depth));
        hosts.back()->enable();
    }
    return hosts;
}

// Random submissions, doorbells and polls until each queue has had `requests`.
void exchange(QueueRig &rig, Hosts &hosts, unsigned requests, unsigned engine_cycles)
{
    const uint64_t end = rig.cycle() + 4000000;
    for (bool more = true; more;) {
        EPH_CHECK(rig.cycle() < end, "traffic stands still");
        more = false;
        for (auto &host : hosts) {
            const unsigned batch = rig.random_below(host->depth());
            bool rung = false;
            for (unsigned i = 0; i < batch && host->can_submit() && host->submitted() < requests; i++, rung = true)
                host->submit(rig.random_below(engine_cycles), rig.chance(64) ? EPH_ST_BAD_POINT : EPH_ST_OK);
            if (rung)
                host->ring();
            if (host->poll() && rig.chance(192))
                host->consume();
            else if (rig.chance(16))
                host->consume(); // again, the same value or a later one
            more |= host->submitted() < requests || host->in_flight();
        }
        rig.run(rig.random_below(100));
    }
}

void check_counters(Hosts &hosts)
{
    for (auto &host : hosts) {
        const unsigned q = host->queue();
        EPH_CHECK(host->reg(EPH_QREG_STATE) == EPH_QSTATE_ON, "queue %u ended in state %u", q,
                  host->reg(EPH_QREG_STATE));
        EPH_CHECK(host->reg(EPH_QREG_DONE) == host->completed(), "queue %u: DONE", q);
        EPH_CHECK(host->reg(EPH_QREG_ERRORS) == host->refused(), "queue %u: ERRORS", q);
        EPH_CHECK(host->reg(EPH_QREG_SQ_HEAD) == host->tail() && host->reg(EPH_QREG_CQ_TAIL) == host->head(),
                  "queue %u: indices", q);
    }
}

void every_depth(QueueRig &rig)
{
    for (unsigned log2_depth = EPH_MIN_LOG2_DEPTH; log2_depth <= EPH_MAX_LOG2_DEPTH; log2_depth++) {
        Hosts hosts = make_hosts(rig, kQueues, log2_depth);
        exchange(rig, hosts, std::max(5u << log2_depth, 24u) / 2 + 5, 300); // more than two laps: both phases
        rig.run_until_quiet();
        check_counters(hosts);
        for (auto &host : hosts)
            host->disable();
    }
}

void pauses_and_latency(QueueRig &rig)
{
    for (unsigned pause : {0u, 30u, 128u, 230u}) {
        rig.pause = pause;
        rig.latency_min = pause / 4;
        rig.latency_max = pause * 2;
        Hosts hosts = make_hosts(rig, kQueues, 3);
        exchange(rig, hosts, 20, 1000);
        rig.run_until_quiet();
        check_counters(hosts);
        for (auto &host : hosts)
            host->disable();
    }
}

// With no CQE free the device fetches nothing, sleeps, and goes on as soon as the host has consumed.
void full_ring_holds_commands(QueueRig &rig)
{
    QueueHost host(rig, kQueues - 1, 2);
    host.enable();
    for (unsigned lap = 0; lap < 9; lap++) {
        const uint64_t before = host.completed();
        while (host.can_submit())
            host.submit(50);
        host.ring();
        rig.run_until([&] { return host.poll(), host.in_flight() == 0; }, 20000, "three completions");
        while (host.can_submit())
            host.submit(50); // the device does not know yet that they were consumed
        host.ring();
        rig.run_until_quiet();
        rig.run(1000);
        EPH_CHECK(host.reg(EPH_QREG_SQ_HEAD) == (host.tail() + host.depth() - 3) % host.depth(),
                  "fetched without a free CQE");
        EPH_CHECK(host.poll() == 0 && host.completed() == before + 3, "completed without a free CQE");
        host.consume();
        host.drain_all();
        rig.run_until_quiet();
    }
}

// Every queue has more work than the engines can take: all are served at the same rate.
void queues_take_turns(QueueRig &rig)
{
    Hosts hosts = make_hosts(rig, kQueues, 5);
    for (unsigned round = 0; round < 20000; round++) {
        for (auto &host : hosts) {
            bool rung = false;
            for (; host->can_submit(); rung = true)
                host->submit(300);
            if (rung)
                host->ring();
            if (host->poll())
                host->consume();
        }
        rig.run(20);
        uint64_t least = UINT64_MAX, most = 0;
        for (auto &host : hosts) {
            least = std::min(least, host->completed());
            most = std::max(most, host->completed());
        }
        const uint64_t inside = kEngines * kContexts + 2; // completions overtake each other in the engines only
        EPH_CHECK(most - least <= inside, "served between %llu and %llu", (unsigned long long)least,
                  (unsigned long long)most);
        if (least >= 40)
            break;
        EPH_CHECK(round < 19999, "only %llu served", (unsigned long long)least);
    }
    for (auto &host : hosts)
        host->drain_all();
}

// All contexts of all engines work at the same time, and no more are started.
void fills_every_context(QueueRig &rig)
{
    QueueHost host(rig, 0, 6);
    host.enable();
    for (unsigned i = 0; i < host.depth() - 1; i++)
        host.submit(20000);
    host.ring();
    rig.run(15000);
    EPH_CHECK(host.reg(EPH_QREG_SQ_HEAD) == std::min(kEngines * kContexts, host.depth() - 1), "%u fetched, %u contexts",
              host.reg(EPH_QREG_SQ_HEAD), kEngines * kContexts);
    host.drain_all(800000);
    for (unsigned e = 0; e < kEngines; e++)
        EPH_CHECK(rig.read32(EPH_BUSY_BASE + 8 * e) >= 20000, "engine %u was busy for %u cycles", e,
                  rig.read32(EPH_BUSY_BASE + 8 * e));
}

// The fetch unit's and the completion unit's Throughput lines, with a bus that never waits: a stream of short requests.
void keeps_its_rate(QueueRig &rig)
{
    const unsigned beats = 2048 / EPH_BENCH_DATA_BITS;
    QueueHost host(rig, 0, 6);
    host.enable();
    for (unsigned i = 0; i < 63; i++)
        host.submit(0);
    host.ring();
    host.drain_all();
    uint64_t last[2] = {0, 0}, gap[2] = {~0ull, ~0ull};
    for (const BusEvent &burst : rig.bursts) {
        if (last[burst.write])
            gap[burst.write] = std::min(gap[burst.write], burst.cycle - last[burst.write]);
        last[burst.write] = burst.cycle;
    }
    // The fake engine pauses about every second word in, every fourth word out: fetches follow each other in 64 * 2
    // cycles or so.
    EPH_CHECK(gap[0] <= beats + 2 * 64 + 30, "a fetch every %llu cycles", (unsigned long long)gap[0]);
    EPH_CHECK(gap[1] <= beats + 2 * 64 + 30, "a completion every %llu cycles", (unsigned long long)gap[1]);
}

} // namespace

const Behaviour kTraffic[] = {
    {"every-depth", every_depth},
    {"pauses-and-latency", pauses_and_latency},
    {"full-ring-holds-commands", full_ring_holds_commands},
    {"queues-take-turns", queues_take_turns},
    {"fills-every-context", fills_every_context},
    {"keeps-its-rate", keeps_its_rate},
    {nullptr, nullptr},
};

} // namespace eph
