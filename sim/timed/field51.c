// SPDX-License-Identifier: Apache-2.0
#include "field51.h"

static const uint64_t limb_mask = EPH_FIELD51_LIMB_MASK;

struct eph_field51 eph_field51_square_times(const struct eph_field51 *a, unsigned times)
{
    struct eph_field51 r = *a;
    for (; times > 0; times--)
        r = eph_field51_square(&r);
    return r;
}

// a^(p-2); comments give exponents of a.
struct eph_field51 eph_field51_inverse(const struct eph_field51 *a)
{
    struct eph_field51 t, e11, e5, e10, e50, e100;
    t = eph_field51_square(a); // 2
    e5 = eph_field51_square_times(&t, 2);
    e5 = eph_field51_mul(&e5, a);   // 9
    e11 = eph_field51_mul(&e5, &t); // 11
    t = eph_field51_square(&e11);   // 22
    e5 = eph_field51_mul(&t, &e5);  // 2^5 - 1
    t = eph_field51_square_times(&e5, 5);
    e10 = eph_field51_mul(&t, &e5); // 2^10 - 1
    t = eph_field51_square_times(&e10, 10);
    e50 = eph_field51_mul(&t, &e10); // 2^20 - 1
    t = eph_field51_square_times(&e50, 20);
    t = eph_field51_mul(&t, &e50); // 2^40 - 1
    t = eph_field51_square_times(&t, 10);
    e50 = eph_field51_mul(&t, &e10); // 2^50 - 1
    t = eph_field51_square_times(&e50, 50);
    e100 = eph_field51_mul(&t, &e50); // 2^100 - 1
    t = eph_field51_square_times(&e100, 100);
    t = eph_field51_mul(&t, &e100); // 2^200 - 1
    t = eph_field51_square_times(&t, 50);
    t = eph_field51_mul(&t, &e50); // 2^250 - 1
    t = eph_field51_square_times(&t, 5);
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
        limb[i + 1] += limb[i] >> EPH_FIELD51_LIMB_BITS;
        limb[i] &= limb_mask;
    }
    uint64_t top = limb[4] >> EPH_FIELD51_LIMB_BITS;
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
