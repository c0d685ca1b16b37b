// SPDX-License-Identifier: Apache-2.0
// isa.def for C, the microcode half: bit fields of the instruction word and of the program descriptor, fields,
// constants. A word is two 64-bit halves, low half first; a field name is its lowest bit with its width in bits 8 and
// up.
#ifndef EPH_ISA_H
#define EPH_ISA_H

#include <stdint.h>

enum eph_ufield {
#define EPH_UFIELD(name, lsb, width, text) EPH_U_##name = (lsb) | (width) << 8,
#include "isa.def"
};

enum eph_pfield {
#define EPH_PFIELD(name, lsb, width, text) EPH_P_##name = (lsb) | (width) << 8,
#include "isa.def"
};

enum eph_field_row {
#define EPH_FIELD(name, row, pieces, beats, prime, radix, rounds) EPH_FIELD_##name = row,
#include "isa.def"
    EPH_FIELD_COUNT = 2
};

enum eph_field_rounds {
#define EPH_FIELD(name, row, pieces, beats, prime, radix, rounds) EPH_FIELD_ROUNDS_##name = rounds,
#include "isa.def"
};

enum eph_constant {
#define EPH_CONST(name, index, value) EPH_CONST_##name = index,
#include "isa.def"
    EPH_CONST_COUNT = 6
};

// Values of multi-bit instruction fields (meaning: isa.def).
enum eph_operator { EPH_OPERATOR_PLUS, EPH_OPERATOR_MINUS, EPH_OPERATOR_SIGN, EPH_OPERATOR_INVERSE };
enum eph_exchange { EPH_XCH_NONE, EPH_XCH_SQUARE, EPH_XCH_LADDER };
enum eph_sequence { EPH_SEQ_NEXT, EPH_SEQ_LOOP, EPH_SEQ_COUNT, EPH_SEQ_HALT };
enum eph_table_part { EPH_TB_NONE, EPH_TB_TABLE, EPH_TB_ROM };
enum eph_g_source { EPH_TG_ZERO, EPH_TG_PORT, EPH_TG_TABLE, EPH_TG_ROM };
enum eph_table_mode { EPH_TMODE_ENTRY = 0, EPH_TMODE_X = 2, EPH_TMODE_Y = 3 };
enum eph_rom_word { EPH_ROM_F0, EPH_ROM_F1, EPH_ROM_F2, EPH_ROM_CONSTANT, EPH_ROM_F0_SIGN, EPH_ROM_F1_SIGN };
enum eph_digits_kind { EPH_DIGITS_LADDER, EPH_DIGITS_ODD };
enum eph_scalar_form { EPH_SCALAR_PLAIN, EPH_SCALAR_CLAMP, EPH_SCALAR_COMB25519, EPH_SCALAR_ODD };

// Shape of the memories that the word addresses.
enum {
    EPH_UCODE_WORDS = 1024,    // instruction ROM
    EPH_BASE_WORDS = 4096,     // fixed-base ROM
    EPH_BASE_CONSTANTS = 4064, // its first constant: CONST_BASE
    EPH_REGISTERS = 16,        // of a context
    EPH_TABLE_ENTRIES = 32,    // of a context
    EPH_COMB_ROWS = 32,        // rows of one comb window
    EPH_MAX_BIAS_SHIFT = 5     // largest KSH
};

static inline uint32_t eph_word_get(const uint64_t word[2], unsigned field)
{
    unsigned lsb = field & 0xff, width = field >> 8;
    uint64_t bits = word[lsb / 64] >> (lsb % 64);
    if (lsb / 64 == 0 && lsb + width > 64)
        bits |= word[1] << (64 - lsb);
    return (uint32_t)(bits & ((UINT64_C(1) << width) - 1));
}

// The field must still be zero; value must fit (the caller has checked it).
static inline void eph_word_put(uint64_t word[2], unsigned field, uint32_t value)
{
    unsigned lsb = field & 0xff, width = field >> 8;
    word[lsb / 64] |= (uint64_t)value << (lsb % 64);
    if (lsb / 64 == 0 && lsb + width > 64)
        word[1] |= (uint64_t)value >> (64 - lsb);
}

#endif
