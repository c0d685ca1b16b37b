// SPDX-License-Identifier: Apache-2.0
// Arithmetic modulo p = 2^255 - 19 for results at speed: five limbs of 51 bits, products by 128-bit integers.
// Bounds: mul, mul_small and square take limbs below 2^54 and give limbs below 2^51 + 2^18; add of two such is below
// 2^53, sub (which adds 4p) below 2^54. CT: all of it.
#ifndef EPH_TIMED_FIELD51_H
#define EPH_TIMED_FIELD51_H

#include <stdint.h>

enum { EPH_FIELD51_LIMB_BITS = 51 };
#define EPH_FIELD51_LIMB_MASK ((UINT64_C(1) << EPH_FIELD51_LIMB_BITS) - 1)

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

// Products are inlined wherever they are used: a ladder of calls takes 1.4 times as long, measured.
#define EPH_FIELD51_INLINE static inline __attribute__((always_inline))

__extension__ typedef unsigned __int128 eph_wide;

// Columns are below 2^115: five products of 54-bit limbs, four of them times 19; so a carry fits 64 bits. 2^255 = 19.
// Written out, and the columns by value: kept in registers that way, half the time.
EPH_FIELD51_INLINE struct eph_field51 eph_field51_carry(eph_wide c0, eph_wide c1, eph_wide c2, eph_wide c3, eph_wide c4)
{
    const uint64_t mask = EPH_FIELD51_LIMB_MASK;
    c1 += (uint64_t)(c0 >> EPH_FIELD51_LIMB_BITS);
    c2 += (uint64_t)(c1 >> EPH_FIELD51_LIMB_BITS);
    c3 += (uint64_t)(c2 >> EPH_FIELD51_LIMB_BITS);
    c4 += (uint64_t)(c3 >> EPH_FIELD51_LIMB_BITS);
    // below 2^69: up to 2^18 remain for limb 1
    eph_wide low = ((uint64_t)c0 & mask) + (eph_wide)19 * (uint64_t)(c4 >> EPH_FIELD51_LIMB_BITS);
    return (struct eph_field51){{(uint64_t)low & mask, ((uint64_t)c1 & mask) + (uint64_t)(low >> EPH_FIELD51_LIMB_BITS),
                                 (uint64_t)c2 & mask, (uint64_t)c3 & mask, (uint64_t)c4 & mask}};
}

EPH_FIELD51_INLINE struct eph_field51 eph_field51_mul(const struct eph_field51 *a, const struct eph_field51 *b)
{
    const uint64_t *x = a->limb, *y = b->limb;
    const uint64_t y1 = 19 * y[1], y2 = 19 * y[2], y3 = 19 * y[3], y4 = 19 * y[4];
    return eph_field51_carry(
        (eph_wide)x[0] * y[0] + (eph_wide)x[1] * y4 + (eph_wide)x[2] * y3 + (eph_wide)x[3] * y2 + (eph_wide)x[4] * y1,
        (eph_wide)x[0] * y[1] + (eph_wide)x[1] * y[0] + (eph_wide)x[2] * y4 + (eph_wide)x[3] * y3 + (eph_wide)x[4] * y2,
        (eph_wide)x[0] * y[2] + (eph_wide)x[1] * y[1] + (eph_wide)x[2] * y[0] + (eph_wide)x[3] * y4 +
            (eph_wide)x[4] * y3,
        (eph_wide)x[0] * y[3] + (eph_wide)x[1] * y[2] + (eph_wide)x[2] * y[1] + (eph_wide)x[3] * y[0] +
            (eph_wide)x[4] * y4,
        (eph_wide)x[0] * y[4] + (eph_wide)x[1] * y[3] + (eph_wide)x[2] * y[2] + (eph_wide)x[3] * y[1] +
            (eph_wide)x[4] * y[0]);
}

EPH_FIELD51_INLINE struct eph_field51 eph_field51_mul_small(const struct eph_field51 *a, uint32_t factor)
{
    const uint64_t *x = a->limb;
    return eph_field51_carry((eph_wide)x[0] * factor, (eph_wide)x[1] * factor, (eph_wide)x[2] * factor,
                             (eph_wide)x[3] * factor, (eph_wide)x[4] * factor);
}

EPH_FIELD51_INLINE struct eph_field51 eph_field51_square(const struct eph_field51 *a)
{
    const uint64_t *x = a->limb;
    const uint64_t two0 = 2 * x[0], two1 = 2 * x[1], two2 = 2 * x[2], x3 = 19 * x[3], x4 = 19 * x[4];
    return eph_field51_carry((eph_wide)x[0] * x[0] + (eph_wide)two1 * x4 + (eph_wide)two2 * x3,
                             (eph_wide)two0 * x[1] + (eph_wide)two2 * x4 + (eph_wide)x[3] * x3,
                             (eph_wide)two0 * x[2] + (eph_wide)x[1] * x[1] + (eph_wide)(2 * x[3]) * x4,
                             (eph_wide)two0 * x[3] + (eph_wide)two1 * x[2] + (eph_wide)x[4] * x4,
                             (eph_wide)two0 * x[4] + (eph_wide)two1 * x[3] + (eph_wide)x[2] * x[2]);
}

struct eph_field51 eph_field51_square_times(const struct eph_field51 *a, unsigned times); // a^(2^times)
struct eph_field51 eph_field51_inverse(const struct eph_field51 *a);                      // 0 for 0

struct eph_field51 eph_field51_from_words(const uint64_t words[4]); // little-endian, bit 255 ignored
struct eph_field51 eph_field51_from_bytes(const uint8_t bytes[32]);
void eph_field51_to_bytes(uint8_t bytes[32], const struct eph_field51 *a); // canonical: below p

#endif
