// SPDX-License-Identifier: Apache-2.0
#include "datapath.h"
#include <isa.h>

typedef unsigned __int128 wide;

static const struct eph_value p25519 = {
    {0xffffffffffffffed, 0xffffffffffffffff, 0xffffffffffffffff, 0x7fffffffffffffff}};
static const struct eph_value p256 = {{0xffffffffffffffff, 0x00000000ffffffff, 0, 0xffffffff00000001}};

static struct eph_value add(struct eph_value a, struct eph_value b, uint64_t carry)
{
    wide sum = carry;
    for (int i = 0; i < EPH_VALUE_LIMBS; i++) {
        sum += (wide)a.limb[i] + b.limb[i];
        a.limb[i] = (uint64_t)sum;
        sum >>= 64;
    }
    return a;
}

static struct eph_value shift_left(struct eph_value a, unsigned bits) // bits < 64, public
{
    if (bits == 0)
        return a;
    for (int i = EPH_VALUE_LIMBS - 1; i > 0; i--)
        a.limb[i] = a.limb[i] << bits | a.limb[i - 1] >> (64 - bits);
    a.limb[0] <<= bits;
    return a;
}

// a + b, or a - b when negate is 1
static struct eph_value add_signed(struct eph_value a, struct eph_value b, uint64_t negate)
{
    uint64_t mask = -negate;
    for (int i = 0; i < EPH_VALUE_LIMBS; i++)
        b.limb[i] ^= mask;
    return add(a, b, negate);
}

struct eph_value eph_value_combine(struct eph_value a, unsigned shift_a, struct eph_value b, unsigned shift_b,
                                   uint64_t negate)
{
    return add_signed(shift_left(a, shift_a), shift_left(b, shift_b), negate);
}

struct eph_value eph_value_select(struct eph_value a, struct eph_value b, uint64_t choose)
{
    uint64_t mask = -choose;
    for (int i = 0; i < EPH_VALUE_LIMBS; i++)
        a.limb[i] ^= mask & (a.limb[i] ^ b.limb[i]);
    return a;
}

static void multiply_unsigned(uint64_t product[EPH_PRODUCT_LIMBS], const uint64_t *x, const uint64_t *y)
{
    for (int i = 0; i < EPH_PRODUCT_LIMBS; i++)
        product[i] = 0;
    for (int i = 0; i < EPH_VALUE_LIMBS; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < EPH_VALUE_LIMBS; j++) {
            wide sum = (wide)x[i] * y[j] + product[i + j] + carry;
            product[i + j] = (uint64_t)sum;
            carry = (uint64_t)(sum >> 64);
        }
        product[i + EPH_VALUE_LIMBS] = carry;
    }
}

// Subtracts y * 2^320 when x is negative: what the unsigned product counts too much.
static void correct_sign(uint64_t product[EPH_PRODUCT_LIMBS], const struct eph_value *x, const struct eph_value *y)
{
    uint64_t mask = -(x->limb[EPH_VALUE_LIMBS - 1] >> 63), borrow = 0;
    for (int i = 0; i < EPH_VALUE_LIMBS; i++) {
        wide d = (wide)product[EPH_VALUE_LIMBS + i] - (y->limb[i] & mask) - borrow;
        product[EPH_VALUE_LIMBS + i] = (uint64_t)d;
        borrow = (uint64_t)(d >> 64) & 1;
    }
}

// V = x * y: low = V mod 2^264, high = floor(V / 2^264)
static void multiply(struct eph_value x, struct eph_value y, struct eph_value *low, struct eph_value *high)
{
    uint64_t v[EPH_PRODUCT_LIMBS];
    multiply_unsigned(v, x.limb, y.limb);
    correct_sign(v, &x, &y);
    correct_sign(v, &y, &x);
    for (int i = 0; i < EPH_VALUE_LIMBS; i++) {
        low->limb[i] = v[i];
        high->limb[i] = v[i + 4] >> 8 | v[i + 5] << 56; // floor(V / 2^264) fits five limbs: |V| < 2^538
    }
    low->limb[4] &= 0xff;
}

static struct eph_value multiply_small(struct eph_value a, uint64_t factor) // modulo 2^320, right for negative a too
{
    uint64_t carry = 0;
    for (int i = 0; i < EPH_VALUE_LIMBS; i++) {
        wide sum = (wide)a.limb[i] * factor + carry;
        a.limb[i] = (uint64_t)sum;
        carry = (uint64_t)(sum >> 64);
    }
    return a;
}

struct eph_value eph_fma_25519(struct eph_value x, struct eph_value y, struct eph_value e)
{
    struct eph_value low, high;
    multiply(x, y, &low, &high);
    struct eph_value r = add(low, multiply_small(high, 9728), 0); // 2^264 = 19 * 2^9 mod p
    r = add(add(r, e, 0), shift_left(p25519, 10), 0);
    uint64_t top = r.limb[3] >> 63 | r.limb[4] << 1; // r >= 0: the interval pass proves it
    r.limb[3] &= UINT64_MAX >> 1;
    r.limb[4] = 0;
    return add(r, (struct eph_value){{19 * top}}, 0);
}

struct eph_value eph_fma_p256(struct eph_value x, struct eph_value y, struct eph_value e, unsigned bias_shift)
{
    // -1/p mod 2^264
    static const struct eph_value inverse = {{1, 0x0000000100000000, 0, 0xffffffff00000002, 0}};
    struct eph_value low, high, m, carry, multiple;
    multiply(x, y, &low, &high);
    multiply(low, inverse, &m, &carry);
    multiply(m, p256, &multiple, &carry);
    // low + (m * p mod 2^264) is 0 or 2^264
    uint64_t nonzero = 0;
    for (int i = 0; i < EPH_VALUE_LIMBS; i++)
        nonzero |= low.limb[i];
    nonzero = (nonzero | -nonzero) >> 63;
    struct eph_value r = add(high, carry, nonzero);
    return add(add(r, e, 0), shift_left(p256, bias_shift), 0);
}

uint64_t eph_value_canonical(struct eph_value *value, unsigned field)
{
    static const unsigned rounds[EPH_FIELD_COUNT] = {EPH_FIELD_ROUNDS_F25519, EPH_FIELD_ROUNDS_FP256};
    const struct eph_value *prime = field == EPH_FIELD_F25519 ? &p25519 : &p256;
    for (unsigned i = 0; i < rounds[field]; i++) {
        struct eph_value reduced = add_signed(*value, *prime, 1);
        *value = eph_value_select(reduced, *value, reduced.limb[EPH_VALUE_LIMBS - 1] >> 63);
    }
    uint64_t any = 0;
    for (int i = 0; i < EPH_VALUE_LIMBS; i++)
        any |= value->limb[i];
    return 1 ^ ((any | -any) >> 63);
}
