// SPDX-License-Identifier: Apache-2.0
#include "field25519.h"

#include <endian.h>
#include <string.h>

#define LIMB_MASK ((UINT64_C(1) << 51) - 1)

__extension__ typedef unsigned __int128 uint128;

static uint64_t load64(const uint8_t bytes[8])
{
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return le64toh(value);
}

void eph_field25519_from_bytes(struct eph_field25519 *r, const uint8_t bytes[32])
{
    uint64_t w0 = load64(bytes), w1 = load64(bytes + 8), w2 = load64(bytes + 16), w3 = load64(bytes + 24);
    r->limb[0] = w0 & LIMB_MASK;
    r->limb[1] = (w0 >> 51 | w1 << 13) & LIMB_MASK;
    r->limb[2] = (w1 >> 38 | w2 << 26) & LIMB_MASK;
    r->limb[3] = (w2 >> 25 | w3 << 39) & LIMB_MASK;
    r->limb[4] = w3 >> 12 & LIMB_MASK;
}

// One round of carries; 2^255 = 19. Limbs below 2^63 come out below 2^51, but for limb 0, which may exceed it by 19 *
// 2^12.
static inline void carry(uint64_t limb[5])
{
    for (int i = 0; i < 4; i++) {
        limb[i + 1] += limb[i] >> 51;
        limb[i] &= LIMB_MASK;
    }
    limb[0] += 19 * (limb[4] >> 51);
    limb[4] &= LIMB_MASK;
}

// The one representative below p, in limbs below 2^51.
static inline void freeze(uint64_t limb[5], const struct eph_field25519 *a)
{
    memcpy(limb, a->limb, 5 * sizeof limb[0]);
    carry(limb);
    carry(limb);
    // Now below 2^255 + small. Add 19: bit 255 of the sum tells whether the value is at least p; then take p away by
    // adding 19 and dropping that bit.
    uint64_t quotient = (limb[0] + 19) >> 51;
    for (int i = 1; i < 5; i++)
        quotient = (limb[i] + quotient) >> 51;
    limb[0] += 19 * quotient;
    for (int i = 0; i < 4; i++) {
        limb[i + 1] += limb[i] >> 51;
        limb[i] &= LIMB_MASK;
    }
    limb[4] &= LIMB_MASK;
}

void eph_field25519_to_bytes(uint8_t bytes[32], const struct eph_field25519 *a)
{
    uint64_t limb[5];
    freeze(limb, a);
    const uint64_t words[4] = {
        htole64(limb[0] | limb[1] << 51),
        htole64(limb[1] >> 13 | limb[2] << 38),
        htole64(limb[2] >> 26 | limb[3] << 25),
        htole64(limb[3] >> 39 | limb[4] << 12),
    };
    memcpy(bytes, words, sizeof words);
}

void eph_field25519_add(struct eph_field25519 *r, const struct eph_field25519 *a, const struct eph_field25519 *b)
{
    for (int i = 0; i < 5; i++)
        r->limb[i] = a->limb[i] + b->limb[i];
}

void eph_field25519_sub(struct eph_field25519 *r, const struct eph_field25519 *a, const struct eph_field25519 *b)
{
    // 4p, limb by limb: every limb stays positive for b below 2^53 - 76.
    r->limb[0] = a->limb[0] + 4 * (LIMB_MASK - 18) - b->limb[0];
    for (int i = 1; i < 5; i++)
        r->limb[i] = a->limb[i] + 4 * LIMB_MASK - b->limb[i];
}

// Column sums below 2^114: five products of two 54-bit limbs, one of them times 19.
static inline void reduce(struct eph_field25519 *r, uint128 column[5])
{
    for (int i = 0; i < 4; i++) {
        column[i + 1] += column[i] >> 51;
        r->limb[i] = (uint64_t)column[i] & LIMB_MASK;
    }
    uint128 low = r->limb[0] + 19 * (column[4] >> 51);
    r->limb[4] = (uint64_t)column[4] & LIMB_MASK;
    r->limb[0] = (uint64_t)low & LIMB_MASK;
    r->limb[1] += (uint64_t)(low >> 51);
}

void eph_field25519_mul(struct eph_field25519 *r, const struct eph_field25519 *a, const struct eph_field25519 *b)
{
    const uint64_t *x = a->limb, *y = b->limb;
    const uint64_t y1 = 19 * y[1], y2 = 19 * y[2], y3 = 19 * y[3], y4 = 19 * y[4];
    uint128 column[5] = {
        (uint128)x[0] * y[0] + (uint128)x[1] * y4 + (uint128)x[2] * y3 + (uint128)x[3] * y2 + (uint128)x[4] * y1,
        (uint128)x[0] * y[1] + (uint128)x[1] * y[0] + (uint128)x[2] * y4 + (uint128)x[3] * y3 + (uint128)x[4] * y2,
        (uint128)x[0] * y[2] + (uint128)x[1] * y[1] + (uint128)x[2] * y[0] + (uint128)x[3] * y4 + (uint128)x[4] * y3,
        (uint128)x[0] * y[3] + (uint128)x[1] * y[2] + (uint128)x[2] * y[1] + (uint128)x[3] * y[0] + (uint128)x[4] * y4,
        (uint128)x[0] * y[4] + (uint128)x[1] * y[3] + (uint128)x[2] * y[2] + (uint128)x[3] * y[1] +
            (uint128)x[4] * y[0],
    };
    reduce(r, column);
}

void eph_field25519_mul_small(struct eph_field25519 *r, const struct eph_field25519 *a, uint32_t b)
{
    uint128 column[5];
    for (int i = 0; i < 5; i++)
        column[i] = (uint128)a->limb[i] * b;
    reduce(r, column);
}

bool eph_field25519_is_zero(const struct eph_field25519 *a)
{
    uint64_t limb[5];
    freeze(limb, a);
    return (limb[0] | limb[1] | limb[2] | limb[3] | limb[4]) == 0;
}

bool eph_field25519_is_canonical(const uint8_t bytes[32])
{
    struct eph_field25519 value;
    uint8_t canonical[32], difference = 0;
    eph_field25519_from_bytes(&value, bytes);
    eph_field25519_to_bytes(canonical, &value);
    for (int i = 0; i < 32; i++)
        difference |= bytes[i] ^ canonical[i];
    return difference == 0;
}
