// SPDX-License-Identifier: Apache-2.0
#include "wide.h"

struct wide eph_wide_small(uint64_t value)
{
    return (struct wide){{value}};
}

struct wide eph_wide_power(unsigned exponent)
{
    return eph_wide_shl(eph_wide_small(1), exponent);
}

struct wide eph_wide_parse(const char *digits)
{
    struct wide value = {{0}};
    for (; *digits; digits++) {
        unsigned c = (unsigned char)*digits;
        value = eph_wide_add(eph_wide_shl(value, 4), eph_wide_small(c <= '9' ? c - '0' : (c | 32) - 'a' + 10));
    }
    return value;
}

struct wide eph_wide_limbs(const uint64_t limbs[4])
{
    return (struct wide){{limbs[0], limbs[1], limbs[2], limbs[3]}};
}

struct wide eph_wide_add(struct wide a, struct wide b)
{
    unsigned __int128 carry = 0;
    for (int i = 0; i < WIDE_LIMBS; i++) {
        carry += (unsigned __int128)a.limb[i] + b.limb[i];
        a.limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return a;
}

struct wide eph_wide_sub(struct wide a, struct wide b)
{
    for (int i = 0; i < WIDE_LIMBS; i++)
        b.limb[i] = ~b.limb[i];
    return eph_wide_add(eph_wide_add(a, b), eph_wide_small(1));
}

struct wide eph_wide_mul(struct wide a, struct wide b)
{
    struct wide product = {{0}};
    for (int i = 0; i < WIDE_LIMBS; i++) {
        uint64_t carry = 0;
        for (int j = 0; i + j < WIDE_LIMBS; j++) {
            unsigned __int128 sum = (unsigned __int128)a.limb[i] * b.limb[j] + product.limb[i + j] + carry;
            product.limb[i + j] = (uint64_t)sum;
            carry = (uint64_t)(sum >> 64);
        }
    }
    return product;
}

struct wide eph_wide_shl(struct wide a, unsigned bits)
{
    struct wide shifted = {{0}};
    unsigned limbs = bits / 64, rest = bits % 64;
    for (unsigned i = limbs; i < WIDE_LIMBS; i++) {
        shifted.limb[i] = a.limb[i - limbs] << rest;
        if (rest && i > limbs)
            shifted.limb[i] |= a.limb[i - limbs - 1] >> (64 - rest);
    }
    return shifted;
}

struct wide eph_wide_asr(struct wide a, unsigned bits)
{
    uint64_t sign = eph_wide_negative(a) ? UINT64_MAX : 0;
    unsigned limbs = bits / 64, rest = bits % 64;
    struct wide shifted;
    for (unsigned i = 0; i < WIDE_LIMBS; i++) {
        uint64_t low = i + limbs < WIDE_LIMBS ? a.limb[i + limbs] : sign;
        uint64_t high = i + limbs + 1 < WIDE_LIMBS ? a.limb[i + limbs + 1] : sign;
        shifted.limb[i] = rest ? low >> rest | high << (64 - rest) : low;
    }
    return shifted;
}

bool eph_wide_negative(struct wide a)
{
    return a.limb[WIDE_LIMBS - 1] >> 63;
}

int eph_wide_compare(struct wide a, struct wide b)
{
    struct wide difference = eph_wide_sub(a, b);
    if (eph_wide_negative(difference))
        return -1;
    return eph_wide_bits(difference) != 0;
}

unsigned eph_wide_bits(struct wide a)
{
    if (eph_wide_negative(a))
        a = eph_wide_sub((struct wide){{0}}, a);
    for (unsigned i = WIDE_LIMBS; i-- > 0;)
        if (a.limb[i])
            return 64 * i + 64 - (unsigned)__builtin_clzll(a.limb[i]);
    return 0;
}
