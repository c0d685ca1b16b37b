// SPDX-License-Identifier: Apache-2.0
// The comb of P-256 (SP 800-186 section 3.2.1.3): row w * 32 + i holds (2i + 1) * 2^offset(w) * G as (x, y) in
// Montgomery form with R = 2^264, two words. Window 0 has 5 bits, the others 6.
#include "base_table.h"

enum { WINDOW_BITS = 6, LOWEST_BITS = 5, WINDOWS = 43, ROW_WORDS = 2 };

struct point { // affine
    struct number x, y;
};

static const char base_x[] = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
static const char base_y[] = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

static struct point line(const struct modulus *m, struct point p, struct number other_x, struct number slope)
{
    struct number x = eph_mod_sub(m, eph_mod_sub(m, eph_mod_mul(m, slope, slope), p.x), other_x);
    return (struct point){x, eph_mod_sub(m, eph_mod_mul(m, slope, eph_mod_sub(m, p.x, x)), p.y)};
}

static struct point double_point(const struct modulus *m, struct point p)
{
    struct number one = eph_mod_small(m, 1), three = eph_mod_small(m, 3);
    struct number numerator = eph_mod_mul(m, three, eph_mod_sub(m, eph_mod_mul(m, p.x, p.x), one)); // 3 x^2 - 3
    return line(m, p, p.x, eph_mod_mul(m, numerator, eph_mod_inverse(m, eph_mod_add(m, p.y, p.y))));
}

static struct point add_points(const struct modulus *m, struct point p, struct point q) // p != +-q
{
    struct number inverse = eph_mod_inverse(m, eph_mod_sub(m, q.x, p.x));
    return line(m, p, q.x, eph_mod_mul(m, eph_mod_sub(m, q.y, p.y), inverse));
}

void eph_base_p256(uint64_t words[EPH_BASE_WORDS][4])
{
    struct modulus m;
    eph_modulus_init(&m, eph_primes[EPH_FIELD_FP256]);
    struct number radix = eph_mod_small(&m, 1);
    for (int i = 0; i < 264; i++)
        radix = eph_mod_add(&m, radix, radix);
    struct point base = {eph_mod_parse(&m, base_x), eph_mod_parse(&m, base_y)};
    for (unsigned window = 0; window < WINDOWS; window++) {
        struct point twice = double_point(&m, base), odd = base;
        for (unsigned index = 0; index < EPH_COMB_ROWS; index++) {
            uint64_t(*row)[4] = &words[(window * EPH_COMB_ROWS + index) * ROW_WORDS];
            eph_mod_store(&m, eph_mod_mul(&m, odd.x, radix), row[0]);
            eph_mod_store(&m, eph_mod_mul(&m, odd.y, radix), row[1]);
            odd = add_points(&m, odd, twice);
        }
        for (int i = 0; i < (window ? WINDOW_BITS : LOWEST_BITS); i++)
            base = double_point(&m, base);
    }
}
