// SPDX-License-Identifier: Apache-2.0
// The scalar path of the engine on its own: program shapes, scalars in, digits out.
#pragma once
#include <cstdint>
#include <memory>
#include <openssl/bn.h>
#include <random>

#include "Veph_engine_units.h"

namespace eph
{

extern std::mt19937_64 rng; // fixed seed
extern Veph_engine_units top;

struct FreeBn {
    void operator()(BIGNUM *n) const { BN_free(n); }
};
using Bn = std::unique_ptr<BIGNUM, FreeBn>;
Bn from_hex(const char *hex);

void tick();
void reset();

struct Shape {
    const char *name;
    unsigned form, windows, width, count, lowest; // windows = 0: ladder of `count` bits
    const char *order;

    unsigned bits(unsigned position) const { return position ? width : lowest; }
    unsigned offset(unsigned position) const { return position ? lowest + width * (position - 1) : 0; }
};
extern const Shape shapes[5];

// Number `i` of the scalars tried: 1 .. 20, order - 20 .. order - 1, then random ones below the order.
void scalar_number(const Shape &shape, unsigned i, uint8_t k[32]);
void load_scalar(const uint8_t bytes[32], unsigned form);
// Leaves the digit of this offset on sign_o and index_o, at its stage 4.
void read_digit(const Shape &shape, unsigned offset, unsigned position, bool ended);
// The integer that the program's form makes of k, and whether it was replaced by its negative.
Bn form_of(const Shape &shape, const uint8_t bytes[32], bool *negated);
// Appends a digit from the top down: sum = sum * 2^bits + digit; bit: the ladder's last one.
void append_digit(const Shape &shape, BIGNUM *sum, unsigned bits, unsigned sign, unsigned index, bool *bit);

} // namespace eph
