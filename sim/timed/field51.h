// SPDX-License-Identifier: Apache-2.0
// Arithmetic modulo p = 2^255 - 19 for results at speed: five limbs of 51 bits, products by 128-bit integers.
// Bounds: mul and square take limbs below 2^54 and give limbs below 2^51 + 2^18; add of two such is below 2^53, sub
// (which adds 4p) below 2^54. CT: all of it.
#ifndef EPH_TIMED_FIELD51_H
#define EPH_TIMED_FIELD51_H

#include <stdint.h>

struct eph_field51 {
    uint64_t limb[5];
};

static inline struct eph_field51 eph_field51_add(const struct eph_field51 *a, const struct eph_field51 *b)
{
    const uint64_t *x = a->limb, *y = b->limb;
    return (struct eph_field51){{x[0] + y[0], x[1] + y[1], x[2] + y[2], x[3] + y[3], x[4] + y[4]}};
}

static inline struct eph_field51 eph_field51_sub(const struct eph_field51 *a, const struct eph_field51 *b)
{
    const uint64_t *x = a->limb, *y = b->limb, bias = (UINT64_C(1) << 53) - 4;
    return (struct eph_field51){
        {x[0] + (bias - 72) - y[0], x[1] + bias - y[1], x[2] + bias - y[2], x[3] + bias - y[3], x[4] + bias - y[4]}};
}

// Exchanges when swap is 1, keeps when it is 0.
static inline void eph_field51_swap(struct eph_field51 *a, struct eph_field51 *b, uint64_t swap)
{
    for (int i = 0; i < 5; i++) {
        uint64_t difference = (a->limb[i] ^ b->limb[i]) & -swap;
        a->limb[i] ^= difference;
        b->limb[i] ^= difference;
    }
}

struct eph_field51 eph_field51_mul(const struct eph_field51 *a, const struct eph_field51 *b);
struct eph_field51 eph_field51_square(const struct eph_field51 *a, unsigned times); // a^(2^times), times >= 1
struct eph_field51 eph_field51_inverse(const struct eph_field51 *a);                // 0 for 0

struct eph_field51 eph_field51_from_words(const uint64_t words[4]); // little-endian, bit 255 ignored
struct eph_field51 eph_field51_from_bytes(const uint8_t bytes[32]);
void eph_field51_to_bytes(uint8_t bytes[32], const struct eph_field51 *a); // canonical: below p

#endif
