// SPDX-License-Identifier: Apache-2.0
// engine_bench NAME: one behaviour of eph_engine, checked against OpenSSL and against the program descriptors.
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine_rig.h"
#include "requests.h"

namespace
{

using namespace eph;

constexpr uint64_t kResetTurns = 33;                       // 32 clear, one lets the last write land
constexpr uint64_t kRoundCycles = 64 * 3300 + 64 * 64 * 8; // one request in every context, roughly

uint64_t limit_for(size_t requests)
{
    return (requests / kContexts + 2) * kRoundCycles;
}

void from_hex(uint8_t *bytes, const char *hex)
{
    for (unsigned value; sscanf(hex, "%2x", &value) == 1; hex += 2)
        *bytes++ = static_cast<uint8_t>(value);
}

// ---- the behaviours

bool known_answers(EngineRig &rig)
{
    static const struct {
        const char *scalar, *peer, *u;
    } rfc7748[] = {// section 5.2
                   {"a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                    "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
                    "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"},
                   {"4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                    "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
                    "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"},
                   {"0900000000000000000000000000000000000000000000000000000000000000",
                    "0900000000000000000000000000000000000000000000000000000000000000",
                    "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"}};
    static const char *const edges[] = {
        // low order: 0, 1, p-1, p, p+1, two of order 8; not canonical: p+9, 2^255-1; bit 255 set
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "f6ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "09000000000000000000000000000000000000000000000000000000000000ff"};
    static const char *const scalars[] = {"0000000000000000000000000000000000000000000000000000000000000000",
                                          "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                                          "0800000000000000000000000000000000000000000000000000000000000000",
                                          "f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"};
    Batch batch(rig);
    std::map<uint32_t, const char *> answers;
    for (const auto &vector : rfc7748) {
        eph_sqe sqe = derive_request();
        from_hex(sqe.scalar, vector.scalar);
        from_hex(sqe.peer_x, vector.peer);
        answers[sqe.tag] = vector.u;
        batch.add(sqe);
    }
    for (const char *edge : edges) {
        eph_sqe sqe = derive_request();
        from_hex(sqe.peer_x, edge);
        batch.add(sqe);
    }
    for (const char *scalar : scalars)
        for (eph_sqe sqe : {derive_request(), keygen_request()}) {
            from_hex(sqe.scalar, scalar);
            batch.add(sqe);
        }
    if (!batch.finish(limit_for(64)))
        return false;
    for (const Completion &done : rig.completions())
        if (answers.count(done.cqe.tag)) {
            uint8_t u[32];
            from_hex(u, answers[done.cqe.tag]);
            if (memcmp(u, done.cqe.result, 32))
                return printf("RFC 7748 vector differs\n"), false;
        }
    return true;
}

bool any_number_at_once(EngineRig &rig)
{
    for (unsigned count : {1u, 2u, kContexts - 1, kContexts, 2 * kContexts + 3}) {
        Batch batch(rig);
        for (unsigned i = 0; i < count; i++)
            batch.add((count < 3 || i % 2) ? derive_request() : keygen_request());
        if (!batch.finish(limit_for(count)))
            return printf("with %u requests\n", count), false;
        if (!rig.idle() || rig.busy())
            return printf("not idle after %u requests\n", count), false;
    }
    return true;
}

// Both fields, with a table in RAM, in one pipeline: small and large scalars, even and odd, points on and off the
// curve.
bool two_fields_side_by_side(EngineRig &rig)
{
    Batch batch(rig);
    for (unsigned i = 0; i < kContexts; i++) {
        eph_sqe sqe = p256_derive_request();
        if (i < 24) { // k = 1 .. 12 and n - 12 .. n - 1
            from_hex(sqe.scalar, "512563fcc2cab9f3849e17a7adfae6bcffffffffffffffff00000000ffffffff");
            unsigned distance = i % 12 + 1;
            if (i < 12) {
                memset(sqe.scalar, 0, sizeof sqe.scalar);
                sqe.scalar[0] = static_cast<uint8_t>(distance);
            } else {
                sqe.scalar[0] = static_cast<uint8_t>(sqe.scalar[0] - distance);
            }
        } else if (i < 40) {
            sqe.peer_y[i % 32] ^= 1u << i % 8;
        }
        batch.add(sqe);
        batch.add(i % 2 ? derive_request() : keygen_request());
    }
    return batch.finish(limit_for(3 * kContexts));
}

eph_sqe random_request()
{
    static const uint8_t bad_opcodes[] = {0, 3, 0x41, 0x42, 0x81, 0xff}, bad_curves[] = {0, 3, 4, 5, 9, 0x81, 0xff};
    switch (rng() % 10) {
    case 0:
        return request(bad_opcodes[rng() % 6], EPH_CURVE_X25519);
    case 1:
        return request(EPH_OP_KEYGEN + rng() % 2, bad_curves[rng() % 7]);
    case 2:
    case 3: {
        eph_sqe sqe = derive_request();
        if (rng() % 4 == 0)
            memset(sqe.peer_x, 0, 32);
        return sqe;
    }
    case 4:
        return rng() % 4 ? p256_derive_request() : request(EPH_OP_DERIVE, EPH_CURVE_P256);
    default:
        return keygen_request();
    }
}

bool interleaved_kinds(EngineRig &rig)
{
    Batch batch(rig);
    for (unsigned i = 0; i < 250; i++)
        batch.add(random_request());
    return batch.finish(limit_for(250));
}

bool back_pressure(EngineRig &rig)
{
    rig.command_gap = 100;
    rig.completion_gap = 150;
    rig.long_stall_every = 4000;
    rig.long_stall_cycles = 6000;
    Batch batch(rig);
    for (unsigned i = 0; i < 180; i++)
        batch.add(random_request());
    return batch.finish(4 * limit_for(180));
}

// The same controls in every cycle whatever the operands are, and the same count in every completion of a kind.
bool timing_without_secrets(EngineRig &)
{
    eph_sqe (*const kinds[])() = {derive_request, keygen_request, p256_derive_request};
    uint64_t hash[2];
    std::set<uint32_t> cycles;
    for (int run = 0; run < 2; run++) {
        EngineRig rig(1);
        rig.wait_ready(5000);
        Batch batch(rig);
        for (unsigned i = 0; i < 3 * kContexts; i++) {
            eph_sqe sqe = kinds[i % 3]();
            if (run == 1 && i < 24) {
                if (sqe.curve == EPH_CURVE_X25519) // the most different scalars
                    memset(sqe.scalar, i & 4 ? 0xff : 0, sizeof sqe.scalar);
                if (i >= 12) // results that end as ZERO and BAD_POINT
                    memset(sqe.peer_x, 0, sizeof sqe.peer_x);
            }
            batch.add(sqe);
        }
        if (!batch.finish(limit_for(3 * kContexts)))
            return false;
        for (const Completion &done : rig.completions())
            cycles.insert(done.cqe.cycles);
        hash[run] = rig.trace_hash();
    }
    printf("cycles:");
    for (uint32_t count : cycles)
        printf(" %u", count);
    printf(" (x25519 keygen, x25519 derive, p256 derive)\n");
    if (cycles.size() != 3)
        return printf("cycles depend on the operands\n"), false;
    if (hash[0] != hash[1])
        return printf("control outputs depend on the operands\n"), false;
    return true;
}

bool wiped_before_visible(EngineRig &rig)
{
    rig.check_clear = true;
    Batch batch(rig);
    for (unsigned i = 0; i < kContexts; i++)
        batch.add(i % 4 == 0 ? p256_derive_request() : i % 2 ? derive_request() : keygen_request());
    rig.run_cycles(24000); // all loaded, none done
    if (rig.unsent() || !rig.completions().empty())
        return printf("unsent %zu, completions %zu\n", rig.unsent(), rig.completions().size()), false;
    for (unsigned context = 0; context < kContexts; context++)
        if (rig.left_in_context(context).empty())
            return printf("context %u holds nothing while it runs: the check sees nothing\n", context), false;
    if (!batch.finish(limit_for(kContexts)))
        return false;
    std::string left = rig.left_anywhere();
    return left.empty() || (printf("%s\n", left.c_str()), false);
}

// Bits of scalars in RAM flip while their programs run: those requests are refused, their neighbours are right.
bool upset_scalar_is_told(EngineRig &rig)
{
    eph_sqe (*const kinds[])() = {derive_request, keygen_request, p256_derive_request};
    for (unsigned round = 0; round < 3; round++) {
        Batch batch(rig);
        std::vector<uint32_t> upset;
        for (unsigned i = 0; i < 12; i++) {
            eph_sqe sqe = kinds[i % 3]();
            sqe.scalar[31] &= 0x7f; // P-256 wants it below n
            if (i >= 6)
                upset.push_back(sqe.tag);
            if (i == 9)
                memset(sqe.peer_x, 0, 32); // would end as ZERO
            if (i == 11)
                sqe.peer_y[0] ^= 1; // would end as BAD_POINT
            batch.add(sqe, i >= 6);
        }
        rig.run_cycles(5000); // loaded, and some digits are consumed
        for (uint32_t tag : upset)
            rig.flip_scalar_bit(tag, 3 + static_cast<unsigned>(rng() % 150));
        if (!batch.finish(limit_for(12)))
            return false;
    }
    return true;
}

// A device with planted faults in the scalar's path: contexts 0 to 15 misread a bit, 16 to 31 skip a digit, 32 to 47
// never swap and read the wrong row; the others are sound. What it answers is right or status CHECK.
bool faulty_path_is_told(EngineRig &rig)
{
    std::map<uint32_t, eph_sqe> sent;
    for (unsigned i = 0; i < kContexts; i++) {
        eph_sqe sqe = i % 2 ? derive_request() : keygen_request();
        sent[sqe.tag] = sqe;
        rig.send(sqe, 3);
    }
    if (!rig.run_until(kContexts, limit_for(kContexts)))
        return printf("%s\n", rig.error().c_str()), false;
    unsigned told[4] = {0};
    for (const Completion &done : rig.completions()) {
        const eph_sqe &sqe = sent[done.cqe.tag];
        std::string wrong = done.cqe.status == EPH_ST_CHECK ? check_refused(sqe, 3, done) : check(sqe, 3, done);
        if (!wrong.empty())
            return printf("context %u: %s\n", rig.context_of(done.cqe.tag), wrong.c_str()), false;
        told[rig.context_of(done.cqe.tag) / 16] += done.cqe.status == EPH_ST_CHECK;
    }
    printf("status CHECK from contexts 0-15 %u, 16-31 %u, 32-47 %u, 48-63 %u\n", told[0], told[1], told[2], told[3]);
    return told[0] == 16 && told[1] == 16 && told[2] == 16 && told[3] == 0;
}

bool reset_wipes_work_in_flight(EngineRig &rig)
{
    for (uint64_t cycles : {1500u, 9000u, 60037u}) { // while loading; while running; keygens unloading
        for (unsigned i = 0; i < kContexts; i++)
            rig.send(i % 4 == 0 ? p256_derive_request() : i % 2 ? derive_request() : keygen_request(), 0);
        rig.run_cycles(cycles);
        if (rig.left_anywhere().empty())
            return printf("nothing in flight: the check sees nothing\n"), false;
        rig.reset(1);
        uint64_t start = rig.cycle();
        if (!rig.wait_ready(5000))
            return printf("not ready\n"), false;
        if (rig.cycle() - start != kResetTurns * kContexts)
            return printf("ready after %llu cycles\n", static_cast<unsigned long long>(rig.cycle() - start)), false;
        std::string left = rig.left_anywhere();
        if (!left.empty())
            return printf("after reset: %s\n", left.c_str()), false;
        Batch batch(rig);
        for (unsigned i = 0; i < 3; i++)
            batch.add(keygen_request());
        if (!batch.finish(limit_for(3)))
            return false;
    }
    return true;
}

double saturated(EngineRig &rig, eph_sqe (*make)(), unsigned rounds, uint64_t *cycles_each)
{
    Batch batch(rig);
    for (unsigned i = 0; i < (rounds + 2) * kContexts; i++)
        batch.add(make());
    size_t first = rig.completions().size();
    rig.run_until(first + kContexts, limit_for(2 * kContexts)); // past the start
    uint64_t issued = rig.issued(), cycle = rig.cycle();
    rig.run_until(first + (rounds + 1) * kContexts, limit_for(rounds * kContexts)); // all contexts still supplied
    double share = double(rig.issued() - issued) / double(rig.cycle() - cycle);
    *cycles_each = (rig.cycle() - cycle) / (rounds * kContexts);
    return batch.finish(limit_for(2 * kContexts)) ? share : 0;
}

// Cycles in which the load unit takes one request, contexts being free: what a dispatcher sees.
uint64_t load_cycles(EngineRig &rig, eph_sqe (*make)())
{
    Batch batch(rig);
    for (unsigned i = 0; i < kContexts; i++)
        batch.add(make());
    uint64_t cycle = rig.cycle();
    while (rig.unsent())
        rig.run_cycles(1);
    cycle = rig.cycle() - cycle;
    return batch.finish(limit_for(kContexts)) ? cycle / kContexts : UINT64_MAX;
}

// Requests are taken as fast as eph_load says.
bool load_is_quick(EngineRig &rig)
{
    uint64_t derive = load_cycles(rig, derive_request), keygen = load_cycles(rig, keygen_request),
             p256 = load_cycles(rig, p256_derive_request);
    printf("one request taken each: x25519 keygen %llu, x25519 derive %llu, p256 derive %llu cycles\n",
           static_cast<unsigned long long>(keygen), static_cast<unsigned long long>(derive),
           static_cast<unsigned long long>(p256));
    return keygen <= 105 && derive <= 210 && p256 <= 340;
}

// Multiplier slots used when requests never run short.
bool multiplier_is_busy(EngineRig &rig)
{
    uint64_t derive_each, keygen_each;
    auto start = std::chrono::steady_clock::now();
    double cpu = double(clock());
    uint64_t cycle = rig.cycle();
    double derive = saturated(rig, derive_request, 1, &derive_each);
    double keygen = saturated(rig, keygen_request, 6, &keygen_each);
    cpu = (double(clock()) - cpu) / CLOCKS_PER_SEC;
    std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    printf("multiplier busy: derives %.2f %%, one each %llu cycles; keygens %.2f %%, one each %llu cycles\n",
           100 * derive, static_cast<unsigned long long>(derive_each), 100 * keygen,
           static_cast<unsigned long long>(keygen_each));
    printf("SIMULATED %.0f cycles/s of CPU time (%.1f s wall)\n", double(rig.cycle() - cycle) / cpu, wall.count());
    return derive >= 0.97 && keygen >= 0.90;
}

const struct {
    const char *name;
    bool (*run)(EngineRig &);
} behaviours[] = {{"known-answers", known_answers},
                  {"any-number-at-once", any_number_at_once},
                  {"two-fields-side-by-side", two_fields_side_by_side},
                  {"interleaved-kinds", interleaved_kinds},
                  {"back-pressure", back_pressure},
                  {"timing-without-secrets", timing_without_secrets},
                  {"wiped-before-visible", wiped_before_visible},
                  {"upset-scalar-is-told", upset_scalar_is_told},
                  {"faulty-path-is-told", faulty_path_is_told},
                  {"reset-wipes-work-in-flight", reset_wipes_work_in_flight},
                  {"load-is-quick", load_is_quick},
                  {"multiplier-is-busy", multiplier_is_busy}};

} // namespace

int main(int argc, char **argv)
{
    for (const auto &behaviour : behaviours)
        if (argc == 2 && !strcmp(argv[1], behaviour.name)) {
            EngineRig rig(7);
            if (!rig.wait_ready(5000))
                return printf("not ready after reset\n"), 1;
            bool right = behaviour.run(rig) && rig.error().empty();
            if (!rig.error().empty())
                printf("%s\n", rig.error().c_str());
            printf("%s: %s\n", behaviour.name, right ? "ok" : "FAILED");
            return right ? 0 : 1;
        }
    fprintf(stderr, "usage: engine_bench NAME, one of:\n");
    for (const auto &behaviour : behaviours)
        fprintf(stderr, "  %s\n", behaviour.name);
    return 2;
}
