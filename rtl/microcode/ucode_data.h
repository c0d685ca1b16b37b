// SPDX-License-Identifier: Apache-2.0
// What eph-asm writes for C: the very ROM words that the RTL gets.
#ifndef EPH_UCODE_DATA_H
#define EPH_UCODE_DATA_H

#include <stdint.h>

struct eph_ucode_program {
    const char *name;
    uint8_t opcode;        // enum eph_opcode
    uint8_t curve;         // enum eph_curve
    uint16_t instructions; // words in the ROM
    uint16_t slots;        // executed turns
    uint16_t live;         // registers live at once, at most
    uint64_t word[2];      // program descriptor
};

struct eph_ucode_image {
    const uint64_t (*rom)[2];  // EPH_UCODE_WORDS instructions
    const uint64_t (*base)[4]; // units of EPH_BASE_WORDS table rows and constants, little-endian limbs, below p
    const struct eph_ucode_program *programs;
    unsigned program_count;
};

// The image of the device, as built.
extern const struct eph_ucode_image eph_ucode;

#endif
