// SPDX-License-Identifier: Apache-2.0
// The ROMs that the RTL gets hold the words that the model interprets: every word of both, every descriptor.
#include "Vroms.h"
#include <cinttypes>
#include <cstdio>
extern "C" {
#include <isa.h>
#include <ucode_data.h>
}

static unsigned failures;

static void expect(bool condition, const char *what, unsigned index)
{
    if (condition)
        return;
    if (failures++ < 10)
        std::printf("%s %u differs\n", what, index);
}

template <class Words> static uint64_t bits(const Words &words, unsigned lsb, unsigned width)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < width; i++)
        value |= static_cast<uint64_t>(words[(lsb + i) / 32] >> ((lsb + i) % 32) & 1) << i;
    return value;
}

static void clock(Vroms &top)
{
    top.clk_i = 1;
    top.eval();
    top.clk_i = 0;
    top.eval();
}

// Digit i of a word, 33 bits, at 36 * i; the bits above it must be zero.
static bool same_digits(Vroms &top, const uint64_t limbs[4])
{
    for (unsigned digit = 0; digit < 8; digit++) {
        uint64_t expected = 0;
        for (unsigned i = 0; i < 33 && 33 * digit + i < 256; i++)
            expected |= (limbs[(33 * digit + i) / 64] >> ((33 * digit + i) % 64) & 1) << i;
        if (bits(top.base_o, 36 * digit, 36) != expected)
            return false;
    }
    return true;
}

int main()
{
    Vroms top;
    top.clk_i = 0;
    top.eval(); // Verilator takes the clock of the first evaluation for its past: no edge
    for (unsigned address = 0; address < EPH_BASE_WORDS; address++) {
        top.addr_i = static_cast<uint16_t>(address);
        clock(top);
        expect(same_digits(top, eph_ucode.base[address]), "fixed-base word", address);
        const uint64_t *word = eph_ucode.rom[address % EPH_UCODE_WORDS];
        expect(bits(top.ucode_o, 0, 64) == word[0] && bits(top.ucode_o, 64, 32) == word[1], "instruction", address);
    }
    uint32_t curves = 0, operations = 0;
    for (unsigned opcode = 0; opcode < 256; opcode++)
        for (unsigned curve = 0; curve < 256; curve++) {
            uint64_t expected[2] = {0, 0};
            for (unsigned i = 0; i < eph_ucode.program_count; i++)
                if (eph_ucode.programs[i].opcode == opcode && eph_ucode.programs[i].curve == curve) {
                    expected[0] = eph_ucode.programs[i].word[0];
                    expected[1] = eph_ucode.programs[i].word[1];
                    curves |= 1u << curve;
                    operations |= 1u << opcode;
                }
            top.opcode_i = static_cast<uint8_t>(opcode);
            top.curve_i = static_cast<uint8_t>(curve);
            top.eval();
            expect(bits(top.program_o, 0, 64) == expected[0] && bits(top.program_o, 64, 64) == expected[1],
                   "descriptor", opcode << 8 | curve);
        }
    expect(top.curves_o == curves && top.operations_o == operations, "mask", 0);
    std::printf("%u instructions, %u fixed-base words, %u descriptors; %u differ\n", EPH_UCODE_WORDS, EPH_BASE_WORDS,
                65536, failures);
    return failures != 0;
}
