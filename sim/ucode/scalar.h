// SPDX-License-Identifier: Apache-2.0
// Scalar preparation and the stream of secret digits (isa.def: SCALAR, DIGITS, WINDOW, WINDOWS, LOWEST).
// CT: positions are public; the scalar only passes through masks. The digit's index leaves as a table address, as in
// the RTL.
#ifndef EPH_SCALAR_H
#define EPH_SCALAR_H

#include <isa.h>

struct eph_digits {
    uint64_t scalar[5];        // secret, prepared
    uint64_t parity;           // secret, sign of the digit after the last one
    enum eph_digits_kind kind; // public, as the rest
    unsigned window, windows, lowest;
    int position; // windows - 1 .. 0, then -1
};

struct eph_digit {
    uint64_t sign;  // secret: 1 when negative; the swap bit of a ladder
    uint32_t index; // secret: (|digit| - 1) / 2
    uint32_t row;   // public: window number
};

void eph_digits_init(struct eph_digits *digits, const uint64_t program[2], const uint8_t scalar[32]);
struct eph_digit eph_digits_current(const struct eph_digits *digits);
void eph_digits_advance(struct eph_digits *digits);

#endif
