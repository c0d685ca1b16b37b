// SPDX-License-Identifier: Apache-2.0
// Status CHECK in the model: programs that consume another scalar than the one that arrived are refused. The faults are
// planted in the microcode; the digits themselves and single bits are the RTL benches' business (tests/rtl/engine).
#include "rig.h"
#include <criterion/criterion.h>
#include <isa.h>
#include <string.h>

static uint64_t faulty_rom[EPH_UCODE_WORDS][2];
static const uint8_t zeros[232];

static const struct eph_ucode_program *find(uint8_t opcode)
{
    const struct eph_ucode_program *program = eph_ucode.programs;
    while (program->opcode != opcode || program->curve != EPH_CURVE_X25519)
        program++;
    return program;
}

// Runs X25519 with what is now in faulty_rom.
static struct eph_cqe run(uint8_t opcode, const uint8_t scalar[32], const uint8_t peer[32])
{
    struct eph_ucode_image image = eph_ucode;
    image.rom = faulty_rom;
    struct eph_sqe sqe = {.opcode = opcode, .curve = EPH_CURVE_X25519, .tag = 7, .blind = {1}};
    struct eph_cqe cqe;
    memcpy(sqe.scalar, scalar, 32);
    memcpy(sqe.peer_x, peer, 32);
    eph_model_execute_image(&image, RIG_CONTEXTS, &sqe, &cqe);
    return cqe;
}

// The word of the program whose field has this value; the first one.
static uint64_t *word_with(const struct eph_ucode_program *program, unsigned field, uint32_t value)
{
    uint32_t entry = eph_word_get(program->word, EPH_P_ENTRY);
    uint32_t i = 0;
    while (i < program->instructions && eph_word_get(faulty_rom[entry + i], field) != value)
        i++;
    cr_assert_lt(i, program->instructions, "the program has no such word");
    return faulty_rom[entry + i];
}

// Adds to a field that keeps its width.
static void change(uint64_t word[2], unsigned field, uint32_t by)
{
    uint32_t value = eph_word_get(word, field) + by;
    unsigned lsb = field & 0xff, width = field >> 8;
    cr_assert(lsb / 64 == (lsb + width - 1) / 64);
    word[lsb / 64] &= ~(((UINT64_C(1) << width) - 1) << lsb % 64);
    word[lsb / 64] |= (uint64_t)(value & ((1u << width) - 1)) << lsb % 64;
}

static void expect_all(uint8_t opcode, enum eph_wire_status status)
{
    for (int i = 0; i < 50; i++) {
        uint8_t scalar[32], peer[32];
        rig_random(scalar, sizeof scalar);
        rig_random(peer, sizeof peer);
        struct eph_cqe cqe = run(opcode, scalar, peer);
        cr_assert_eq(cqe.status, status, "scalar %d: status %u", i, cqe.status);
        cr_assert_eq(memcmp(cqe.result, zeros, sizeof zeros) == 0, status != EPH_ST_OK);
    }
}

static void restore(void)
{
    memcpy(faulty_rom, eph_ucode.rom, sizeof faulty_rom);
}

TestSuite(record, .init = restore);

Test(record, is_silent_about_the_programs_as_they_are)
{
    expect_all(EPH_OP_DERIVE, EPH_ST_OK);
    expect_all(EPH_OP_KEYGEN, EPH_ST_OK);
}

Test(record, tells_of_a_last_digit_that_is_skipped)
{
    for (uint8_t opcode = EPH_OP_KEYGEN; opcode <= EPH_OP_DERIVE; opcode++) {
        const struct eph_ucode_program *program = find(opcode);
        uint32_t windows = eph_word_get(program->word, EPH_P_WINDOWS);
        change(word_with(program, EPH_U_COUNT, windows - 1), EPH_U_COUNT, UINT32_MAX);
        expect_all(opcode, EPH_ST_CHECK);
    }
}

Test(record, tells_of_a_digit_counter_that_stands_still)
{
    for (uint8_t opcode = EPH_OP_KEYGEN; opcode <= EPH_OP_DERIVE; opcode++) {
        change(word_with(find(opcode), EPH_U_DIGIT, 1), EPH_U_DIGIT, 1);
        expect_all(opcode, EPH_ST_CHECK);
    }
}

Test(record, wins_over_a_result_that_is_zero)
{
    uint8_t scalar[32] = {8}, peer[32] = {0};
    cr_assert_eq(run(EPH_OP_DERIVE, scalar, peer).status, EPH_ST_ZERO);
    change(word_with(find(EPH_OP_DERIVE), EPH_U_DIGIT, 1), EPH_U_DIGIT, 1);
    cr_assert_eq(run(EPH_OP_DERIVE, scalar, peer).status, EPH_ST_CHECK);
}
