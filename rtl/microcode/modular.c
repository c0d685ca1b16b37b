// SPDX-License-Identifier: Apache-2.0
#include "modular.h"
#include "wide.h"
#include <string.h>

static uint64_t add_limbs(uint64_t sum[4], const uint64_t a[4], const uint64_t b[4])
{
    unsigned __int128 carry = 0;
    for (int i = 0; i < 4; i++) {
        carry += (unsigned __int128)a[i] + b[i];
        sum[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return (uint64_t)carry;
}

static uint64_t subtract_limbs(uint64_t difference[4], const uint64_t a[4], const uint64_t b[4])
{
    uint64_t borrow = 0;
    for (int i = 0; i < 4; i++) {
        unsigned __int128 d = (unsigned __int128)a[i] - b[i] - borrow;
        difference[i] = (uint64_t)d;
        borrow = (uint64_t)(d >> 64) & 1;
    }
    return borrow;
}

// carry:a below 2 * prime
static struct number reduce_once(const struct modulus *m, struct number a, uint64_t carry)
{
    struct number reduced;
    uint64_t borrow = subtract_limbs(reduced.limb, a.limb, m->prime.limb);
    return carry || !borrow ? reduced : a;
}

struct number eph_mod_add(const struct modulus *m, struct number a, struct number b)
{
    uint64_t carry = add_limbs(a.limb, a.limb, b.limb);
    return reduce_once(m, a, carry);
}

struct number eph_mod_sub(const struct modulus *m, struct number a, struct number b)
{
    if (subtract_limbs(a.limb, a.limb, b.limb))
        add_limbs(a.limb, a.limb, m->prime.limb);
    return a;
}

// Montgomery product a * b / 2^256, word by word.
struct number eph_mod_mul(const struct modulus *m, struct number a, struct number b)
{
    uint64_t t[6] = {0};
    for (int i = 0; i < 4; i++) {
        unsigned __int128 sum = 0;
        for (int j = 0; j < 4; j++) {
            sum += (unsigned __int128)a.limb[j] * b.limb[i] + t[j];
            t[j] = (uint64_t)sum;
            sum >>= 64;
        }
        sum += t[4];
        t[4] = (uint64_t)sum;
        t[5] = (uint64_t)(sum >> 64);
        uint64_t q = t[0] * m->inverse;
        sum = ((unsigned __int128)q * m->prime.limb[0] + t[0]) >> 64;
        for (int j = 1; j < 4; j++) {
            sum += (unsigned __int128)q * m->prime.limb[j] + t[j];
            t[j - 1] = (uint64_t)sum;
            sum >>= 64;
        }
        sum += t[4];
        t[3] = (uint64_t)sum;
        t[4] = t[5] + (uint64_t)(sum >> 64);
    }
    return reduce_once(m, (struct number){{t[0], t[1], t[2], t[3]}}, t[4]);
}

static struct number plain_hex(const char *hex)
{
    struct wide value = eph_wide_parse(hex);
    return (struct number){{value.limb[0], value.limb[1], value.limb[2], value.limb[3]}};
}

void eph_modulus_init(struct modulus *m, const char *prime_hex)
{
    m->prime = plain_hex(prime_hex);
    m->inverse = 1; // Newton: each step doubles the correct low bits of 1 / prime
    for (int i = 0; i < 6; i++)
        m->inverse *= 2 - m->prime.limb[0] * m->inverse;
    m->inverse = -m->inverse;
    m->square = (struct number){{1}};
    for (int i = 0; i < 512; i++)
        m->square = eph_mod_add(m, m->square, m->square);
}

struct number eph_mod_parse(const struct modulus *m, const char *hex)
{
    return eph_mod_mul(m, plain_hex(hex), m->square);
}

struct number eph_mod_small(const struct modulus *m, uint64_t value)
{
    return eph_mod_mul(m, (struct number){{value}}, m->square);
}

void eph_mod_store(const struct modulus *m, struct number a, uint64_t limbs[4])
{
    struct number plain = eph_mod_mul(m, a, (struct number){{1}});
    memcpy(limbs, plain.limb, sizeof plain.limb);
}

struct number eph_mod_inverse(const struct modulus *m, struct number a) // Fermat: a^(prime - 2)
{
    struct number power = eph_mod_small(m, 1), two = {{2}}, exponent;
    subtract_limbs(exponent.limb, m->prime.limb, two.limb);
    for (int i = 255; i >= 0; i--) {
        power = eph_mod_mul(m, power, power);
        if (exponent.limb[i / 64] >> (i % 64) & 1)
            power = eph_mod_mul(m, power, a);
    }
    return power;
}

bool eph_mod_equal(struct number a, struct number b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}
