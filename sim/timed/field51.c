// SPDX-License-Identifier: Apache-2.0
#include "field51.h"

enum { LIMB_BITS = 51 };
static const uint64_t limb_mask = (UINT64_C(1) << LIMB_BITS) - 1;

__extension__ typedef unsigned __int128 wide;

// Columns are below 2^115: five products of 54-bit limbs, four of them times 19. 2^255 = 19. Written out, and the
// columns by value: kept in registers that way, half the time.
static inline struct eph_field51 carry(wide c0, wide c1, wide c2, wide c3, wide c4)
{
    c1 += c0 >> LIMB_BITS;
    c2 += c1 >> LIMB_BITS;
    c3 += c2 >> LIMB_BITS;
    c4 += c3 >> LIMB_BITS;
    wide low = ((uint64_t)c0 & limb_mask) + 19 * (c4 >> LIMB_BITS); // below 2^69: up to 2^18 remain for limb 1
    return (struct eph_field51){{(uint64_t)low & limb_mask, ((uint64_t)c1 & limb_mask) + (uint64_t)(low >> LIMB_BITS),
                                 (uint64_t)c2 & limb_mask, (uint64_t)c3 & limb_mask, (uint64_t)c4 & limb_mask}};
}

struct eph_field51 eph_field51_mul(const struct eph_field51 *a, const struct eph_field51 *b)
{
    const uint64_t *x = a->limb, *y = b->limb;
    const uint64_t y1 = 19 * y[1], y2 = 19 * y[2], y3 = 19 * y[3], y4 = 19 * y[4];
    return carry((wide)x[0] * y[0] + (wide)x[1] * y4 + (wide)x[2] * y3 + (wide)x[3] * y2 + (wide)x[4] * y1,
                 (wide)x[0] * y[1] + (wide)x[1] * y[0] + (wide)x[2] * y4 + (wide)x[3] * y3 + (wide)x[4] * y2,
                 (wide)x[0] * y[2] + (wide)x[1] * y[1] + (wide)x[2] * y[0] + (wide)x[3] * y4 + (wide)x[4] * y3,
                 (wide)x[0] * y[3] + (wide)x[1] * y[2] + (wide)x[2] * y[1] + (wide)x[3] * y[0] + (wide)x[4] * y4,
                 (wide)x[0] * y[4] + (wide)x[1] * y[3] + (wide)x[2] * y[2] + (wide)x[3] * y[1] + (wide)x[4] * y[0]);
}

struct eph_field51 eph_field51_square(const struct eph_field51 *a, unsigned times)
{
    struct eph_field51 r = *a;
    for (; times > 0; times--) {
        const uint64_t x[5] = {r.limb[0], r.limb[1], r.limb[2], r.limb[3], r.limb[4]};
        const uint64_t two0 = 2 * x[0], two1 = 2 * x[1], two2 = 2 * x[2], x3 = 19 * x[3], x4 = 19 * x[4];
        r = carry((wide)x[0] * x[0] + (wide)two1 * x4 + (wide)two2 * x3,
                  (wide)two0 * x[1] + (wide)two2 * x4 + (wide)x[3] * x3,
                  (wide)two0 * x[2] + (wide)x[1] * x[1] + (wide)(2 * x[3]) * x4,
                  (wide)two0 * x[3] + (wide)two1 * x[2] + (wide)x[4] * x4,
                  (wide)two0 * x[4] + (wide)two1 * x[3] + (wide)x[2] * x[2]);
    }
    return r;
}

// a^(p-2); comments give exponents of a.
struct eph_field51 eph_field51_inverse(const struct eph_field51 *a)
{
    struct eph_field51 t, e11, e5, e10, e50, e100;
    t = eph_field51_square(a, 1); // 2
    e5 = eph_field51_square(&t, 2);
    e5 = eph_field51_mul(&e5, a);    // 9
    e11 = eph_field51_mul(&e5, &t);  // 11
    t = eph_field51_square(&e11, 1); // 22
    e5 = eph_field51_mul(&t, &e5);   // 2^5 - 1
    t = eph_field51_square(&e5, 5);
    e10 = eph_field51_mul(&t, &e5); // 2^10 - 1
    t = eph_field51_square(&e10, 10);
    e50 = eph_field51_mul(&t, &e10); // 2^20 - 1
    t = eph_field51_square(&e50, 20);
    t = eph_field51_mul(&t, &e50); // 2^40 - 1
    t = eph_field51_square(&t, 10);
    e50 = eph_field51_mul(&t, &e10); // 2^50 - 1
    t = eph_field51_square(&e50, 50);
    e100 = eph_field51_mul(&t, &e50); // 2^100 - 1
    t = eph_field51_square(&e100, 100);
    t = eph_field51_mul(&t, &e100); // 2^200 - 1
    t = eph_field51_square(&t, 50);
    t = eph_field51_mul(&t, &e50); // 2^250 - 1
    t = eph_field51_square(&t, 5);
    return eph_field51_mul(&t, &e11); // 2^255 - 21
}

struct eph_field51 eph_field51_from_words(const uint64_t w[4])
{
    return (struct eph_field51){{
        w[0] & limb_mask,
        (w[0] >> 51 | w[1] << 13) & limb_mask,
        (w[1] >> 38 | w[2] << 26) & limb_mask,
        (w[2] >> 25 | w[3] << 39) & limb_mask,
        w[3] >> 12 & limb_mask,
    }};
}

struct eph_field51 eph_field51_from_bytes(const uint8_t bytes[32])
{
    uint64_t words[4] = {0};
    for (int i = 31; i >= 0; i--)
        words[i / 8] = words[i / 8] << 8 | bytes[i];
    return eph_field51_from_words(words);
}

// Carries once round; returns what left at the top.
static uint64_t pass(uint64_t limb[5])
{
    for (int i = 0; i < 4; i++) {
        limb[i + 1] += limb[i] >> LIMB_BITS;
        limb[i] &= limb_mask;
    }
    uint64_t top = limb[4] >> LIMB_BITS;
    limb[4] &= limb_mask;
    return top;
}

void eph_field51_to_bytes(uint8_t bytes[32], const struct eph_field51 *a)
{
    struct eph_field51 r = *a;
    r.limb[0] += 19 * pass(r.limb);
    r.limb[0] += 19 * pass(r.limb); // below 2^255 + 19 now
    // Adding 19 carries out of bit 255 exactly when the value is at least p; what remains is then the value minus p.
    struct eph_field51 sum = r;
    sum.limb[0] += 19;
    uint64_t reduce = pass(sum.limb);
    (void)pass(r.limb); // no carry can leave unless reduce is 1, and then r is not taken
    eph_field51_swap(&r, &sum, reduce);
    const uint64_t *limb = r.limb;
    const uint64_t words[4] = {limb[0] | limb[1] << 51, limb[1] >> 13 | limb[2] << 38, limb[2] >> 26 | limb[3] << 25,
                               limb[3] >> 39 | limb[4] << 12};
    for (int i = 0; i < 32; i++)
        bytes[i] = (uint8_t)(words[i / 8] >> (8 * (i % 8)));
}
