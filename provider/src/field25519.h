// SPDX-License-Identifier: Apache-2.0
// Arithmetic modulo p = 2^255 - 19, enough to check results: five limbs of 51 bits.
// Bounds: a reduced value has limbs below 2^51 + 2^18; mul and mul_small accept limbs below 2^54 and return reduced
// values; add returns below 2^53 from two reduced ones; sub adds 4p and returns below 2^54 from reduced ones. CT: every
// function; nothing leaks but the answers of is_zero and is_canonical.
#ifndef EPH_FIELD25519_H
#define EPH_FIELD25519_H

#include <stdbool.h>
#include <stdint.h>

struct eph_field25519 {
    uint64_t limb[5];
};

void eph_field25519_from_bytes(struct eph_field25519 *r, const uint8_t bytes[32]); // little-endian, bit 255 ignored
void eph_field25519_to_bytes(uint8_t bytes[32], const struct eph_field25519 *a);   // canonical
void eph_field25519_add(struct eph_field25519 *r, const struct eph_field25519 *a, const struct eph_field25519 *b);
void eph_field25519_sub(struct eph_field25519 *r, const struct eph_field25519 *a, const struct eph_field25519 *b);
void eph_field25519_mul(struct eph_field25519 *r, const struct eph_field25519 *a, const struct eph_field25519 *b);
void eph_field25519_mul_small(struct eph_field25519 *r, const struct eph_field25519 *a, uint32_t b);
bool eph_field25519_is_zero(const struct eph_field25519 *a); // modulo p
bool eph_field25519_is_canonical(const uint8_t bytes[32]);   // below p

#endif
