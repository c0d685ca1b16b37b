// SPDX-License-Identifier: Apache-2.0
// The whole device with its real engines: RFC 7748 known answers through rings in memory, then all contexts at once,
// and how many clock cycles a second the simulation reaches on one core (printed, not judged: the machine may be busy).
#include <cstring>
#include <ctime>

#include "queue_host.h"

namespace
{

using Bytes = std::array<uint8_t, 32>;

Bytes bytes(const char *hex)
{
    Bytes out{};
    for (size_t i = 0; i < out.size(); i++) {
        unsigned byte = 0;
        sscanf(hex + 2 * i, "%2x", &byte);
        out[i] = static_cast<uint8_t>(byte);
    }
    return out;
}

struct Vector {
    const char *what;
    unsigned opcode, curve, status;
    Bytes scalar, peer, result;
};

// RFC 7748 section 5.2, first vector; section 6.1, Alice and the shared secret; a low-order point; a curve without a
// program.
const Bytes kAlice = bytes("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
const Vector kVectors[] = {
    {"derive, RFC 7748 5.2", EPH_OP_DERIVE, EPH_CURVE_X25519, EPH_ST_OK,
     bytes("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
     bytes("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
     bytes("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552")},
    {"keygen, RFC 7748 6.1", EPH_OP_KEYGEN, EPH_CURVE_X25519, EPH_ST_OK, kAlice, Bytes{},
     bytes("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")},
    {"derive, RFC 7748 6.1", EPH_OP_DERIVE, EPH_CURVE_X25519, EPH_ST_OK, kAlice,
     bytes("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"),
     bytes("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")},
    {"derive, u = 0", EPH_OP_DERIVE, EPH_CURVE_X25519, EPH_ST_ZERO, kAlice, Bytes{}, Bytes{}},
    {"keygen on X448", EPH_OP_KEYGEN, EPH_CURVE_X448, EPH_ST_BAD_CURVE, kAlice, Bytes{}, Bytes{}},
};
constexpr unsigned kVectorCount = sizeof kVectors / sizeof *kVectors;

void put_request(eph::QueueRig &rig, const eph::QueueHost &host, unsigned index, const Vector &vector)
{
    eph_sqe sqe = {};
    sqe.opcode = static_cast<uint8_t>(vector.opcode);
    sqe.curve = static_cast<uint8_t>(vector.curve);
    sqe.tag = index;
    sqe.generation = 0x1122334455667788u + index;
    memcpy(sqe.scalar, vector.scalar.data(), vector.scalar.size());
    memcpy(sqe.peer_x, vector.peer.data(), vector.peer.size());
    for (uint8_t &byte : sqe.blind)
        byte = static_cast<uint8_t>(rig.random() | 1);
    memcpy(rig.memory(host.sq_address(index), sizeof sqe), &sqe, sizeof sqe);
}

// Every completion once, right, in whatever order; returns the longest.
uint32_t check_completions(eph::QueueRig &rig, const eph::QueueHost &host, unsigned count)
{
    std::vector<bool> seen(count);
    uint32_t longest = 0;
    for (unsigned i = 0; i < count; i++) {
        eph_cqe cqe;
        memcpy(&cqe, rig.memory(host.cq_address(i), sizeof cqe), sizeof cqe);
        EPH_CHECK(cqe.phase == 1 && cqe.qid == host.queue() && cqe.tag < count && !seen[cqe.tag],
                  "completion %u: tag %u, queue %u", i, cqe.tag, cqe.qid);
        seen[cqe.tag] = true;
        const Vector &vector = kVectors[cqe.tag % kVectorCount];
        EPH_CHECK(cqe.status == vector.status, "%s: status %u", vector.what, cqe.status);
        EPH_CHECK(cqe.generation == 0x1122334455667788u + cqe.tag, "%s: generation", vector.what);
        EPH_CHECK(memcmp(cqe.result, vector.result.data(), vector.result.size()) == 0, "%s: wrong result", vector.what);
        longest = std::max(longest, cqe.cycles);
    }
    return longest;
}

double cpu_seconds()
{
    timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

void run(eph::QueueRig &rig, unsigned queue, unsigned count)
{
    eph::QueueHost host(rig, queue, EPH_MAX_LOG2_DEPTH);
    host.enable();
    for (unsigned i = 0; i < count; i++)
        put_request(rig, host, i, kVectors[i % kVectorCount]);
    host.consume(true);
    const double start = cpu_seconds();
    const uint64_t start_cycle = rig.cycle();
    host.doorbell(EPH_DB_SQ_TAIL, count);
    rig.run_until([&] { return host.reg(EPH_QREG_DONE) == count; }, 2000000, "all completions");
    const double seconds = cpu_seconds() - start;
    const double cycles = static_cast<double>(rig.cycle() - start_cycle);
    const uint32_t longest = check_completions(rig, host, count);
    printf("%2u requests: %.0f cycles, longest command %u; SIMULATED %.0f k cycles/s of one core\n", count, cycles,
           longest, cycles / seconds / 1000);
    EPH_CHECK(rig.interrupts[host.vector_] == 1, "%u interrupts", rig.interrupts[host.vector_]);
    host.disable();
}

} // namespace

int main()
{
    try {
        eph::QueueRig rig(1);
        run(rig, 0, kVectorCount);
        rig.pause = 100;
        rig.latency_max = 200;
        run(rig, 15, 63);
        rig.run_until_quiet();
    } catch (const eph::Failure &failure) {
        printf("FAILED: %s\n", failure.what());
        return 1;
    }
    return 0;
}
