// SPDX-License-Identifier: Apache-2.0
#include "requests.h"

#include <cstring>

#include "reference.h"
extern "C" {
#include <isa.h>
#include <ucode_data.h>
}

namespace eph
{

std::mt19937_64 rng(20261124);

namespace
{

const eph_ucode_program *find_program(unsigned opcode, unsigned curve)
{
    for (unsigned i = 0; i < eph_ucode.program_count; i++)
        if (eph_ucode.programs[i].opcode == opcode && eph_ucode.programs[i].curve == curve)
            return &eph_ucode.programs[i];
    return nullptr;
}

// isa.def: contexts * (load + program + wipe + unload turns) + FIXED_CYCLES
uint32_t expected_cycles(unsigned opcode, unsigned curve)
{
    const eph_ucode_program *program = find_program(opcode, curve);
    if (!program)
        return EPH_FIXED_CYCLES;
    auto get = [&](unsigned field) { return eph_word_get(program->word, field); };
    unsigned results = get(EPH_P_RESULTS), temporaries = get(EPH_P_REGS) - results, table = get(EPH_P_TABLE);
    unsigned turns = get(EPH_P_LOAD_X) + get(EPH_P_LOAD_Y) + get(EPH_P_LOAD_R) + program->slots +
                     (table > temporaries ? table : temporaries) + results;
    return kContexts * turns + EPH_FIXED_CYCLES;
}

void fill(uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = static_cast<uint8_t>(rng());
}

} // namespace

eph_sqe request(unsigned opcode, unsigned curve)
{
    static uint32_t tag = 1;
    eph_sqe sqe;
    fill(reinterpret_cast<uint8_t *>(&sqe), sizeof sqe); // what the device must ignore is noise
    sqe.opcode = static_cast<uint8_t>(opcode);
    sqe.curve = static_cast<uint8_t>(curve);
    sqe.tag = tag++;
    return sqe;
}

eph_sqe derive_request()
{
    return request(EPH_OP_DERIVE, EPH_CURVE_X25519);
}
eph_sqe keygen_request()
{
    return request(EPH_OP_KEYGEN, EPH_CURVE_X25519);
}

eph_sqe p256_derive_request()
{
    eph_sqe sqe = request(EPH_OP_DERIVE, EPH_CURVE_P256);
    reference_p256_point(sqe.peer_x, sqe.peer_y);
    return sqe;
}

namespace
{

std::string check_frame(const eph_sqe &sqe, unsigned qid, const Completion &done)
{
    const eph_cqe &cqe = done.cqe;
    if (done.qid != qid || cqe.qid != qid || cqe.generation != sqe.generation || cqe.sq_head || cqe.phase)
        return "identity wrong";
    if (cqe.cycles != expected_cycles(sqe.opcode, sqe.curve))
        return "cycles " + std::to_string(cqe.cycles) + ", expected " +
               std::to_string(expected_cycles(sqe.opcode, sqe.curve));
    return "";
}

std::string check_status(const eph_cqe &cqe, unsigned status, size_t results)
{
    if (cqe.status != status)
        return "status " + std::to_string(cqe.status) + ", expected " + std::to_string(status);
    for (size_t i = 32 * results; i < sizeof cqe.result; i++)
        if (cqe.result[i])
            return "result byte " + std::to_string(i) + " not zero";
    return "";
}

} // namespace

std::string check_refused(const eph_sqe &sqe, unsigned qid, const Completion &done)
{
    std::string wrong = check_frame(sqe, qid, done);
    return wrong.empty() ? check_status(done.cqe, EPH_ST_CHECK, 0) : wrong;
}

std::string check(const eph_sqe &sqe, unsigned qid, const Completion &done)
{
    const eph_cqe &cqe = done.cqe;
    std::string wrong = check_frame(sqe, qid, done);
    if (!wrong.empty())
        return wrong;

    unsigned status = EPH_ST_OK, results = 0;
    uint8_t u[32] = {0};
    const uint8_t zero[32] = {0};
    std::string fields;
    if (!find_program(sqe.opcode, sqe.curve)) {
        status = (sqe.opcode == EPH_OP_KEYGEN || sqe.opcode == EPH_OP_DERIVE) ? EPH_ST_BAD_CURVE : EPH_ST_BAD_OP;
    } else if (sqe.curve == EPH_CURVE_P256) {
        results = 1;
        if (!reference_p256_derive(sqe.scalar, sqe.peer_x, sqe.peer_y, u))
            status = EPH_ST_BAD_POINT;
    } else if (sqe.opcode == EPH_OP_DERIVE) {
        results = 4;
        reference_derive(sqe.scalar, sqe.peer_x, u);
        if (!memcmp(u, zero, 32))
            status = EPH_ST_ZERO;
        else
            fields = check_derive_fields(sqe.scalar, sqe.peer_x, cqe.result);
    } else {
        results = 5;
        reference_keygen(sqe.scalar, u);
        fields = check_keygen_fields(cqe.result);
    }
    if (status != EPH_ST_OK)
        results = 0;
    wrong = check_status(cqe, status, results);
    if (!wrong.empty())
        return wrong;
    if (results && memcmp(u, cqe.result, 32))
        return "result 0 differs from OpenSSL";
    return results ? fields : "";
}

} // namespace eph
