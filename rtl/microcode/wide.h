// SPDX-License-Identifier: Apache-2.0
// Signed integers of 640 bits, two's complement, for the bounds pass: exact as long as no value reaches 2^639. Not for
// secrets.
#ifndef EPH_WIDE_H
#define EPH_WIDE_H

#include <stdbool.h>
#include <stdint.h>

enum { WIDE_LIMBS = 10 };

struct wide {
    uint64_t limb[WIDE_LIMBS];
};

struct wide eph_wide_small(uint64_t value);
struct wide eph_wide_power(unsigned exponent);  // 2^exponent
struct wide eph_wide_parse(const char *digits); // hexadecimal
struct wide eph_wide_limbs(const uint64_t limbs[4]);
struct wide eph_wide_add(struct wide a, struct wide b);
struct wide eph_wide_sub(struct wide a, struct wide b);
struct wide eph_wide_mul(struct wide a, struct wide b); // product modulo 2^640
struct wide eph_wide_shl(struct wide a, unsigned bits);
struct wide eph_wide_asr(struct wide a, unsigned bits); // rounds towards minus infinity
int eph_wide_compare(struct wide a, struct wide b);     // -1, 0, 1
bool eph_wide_negative(struct wide a);
unsigned eph_wide_bits(struct wide a); // of the magnitude

#endif
