// SPDX-License-Identifier: Apache-2.0
// Unit 0 of the fixed-base ROM: the comb of 2^255 - 19 on the Edwards curve -x^2 + y^2 = 1 + d*x^2*y^2 (RFC 8032
// section 5.1) with base 8B, and the constants of isa.def. Window w of index i holds (2i + 1) * 2^(6w) * 8B as
// ((y+x)/2, (y-x)/2, d*x*y), three words at (w * 32 + i) * 3; the top window needs index 0 alone, because no prepared
// scalar reaches 2^(6*42 + 1): its digit there is always 1.
#include "base_table.h"
#include "wide.h"
#include <string.h>

enum { WINDOW_BITS = 6, WINDOWS = 43, ROW_WORDS = 3, COFACTOR_DOUBLINGS = 3 };

struct point { // affine
    struct number x, y;
};

struct curve {
    struct modulus m;
    struct number d;
};

// The base point of RFC 7748 section 4.1: y = 4/5, x even.
static const char base_x[] = "216936d3cd6e53fec0a4e231fdd6dc5c692cc7609525a7b2c9562d608f25d51a";
static const char base_y[] = "6666666666666666666666666666666666666666666666666666666666666658";

const char *const eph_primes[EPH_FIELD_COUNT] = {
#define EPH_FIELD(name, row, pieces, beats, prime, radix, rounds) [row] = prime,
#include "isa.def"
};

static void curve_init(struct curve *curve)
{
    struct modulus *m = &curve->m;
    eph_modulus_init(m, eph_primes[EPH_FIELD_F25519]);
    struct number quotient = eph_mod_mul(m, eph_mod_small(m, 121665), eph_mod_inverse(m, eph_mod_small(m, 121666)));
    curve->d = eph_mod_sub(m, eph_mod_small(m, 0), quotient); // d = -121665/121666
}

// RFC 8032 section 5.1.4, affine; complete.
static struct point add_points(const struct curve *curve, struct point p, struct point q)
{
    const struct modulus *m = &curve->m;
    struct number one = eph_mod_small(m, 1);
    struct number xx = eph_mod_mul(m, p.x, q.x), yy = eph_mod_mul(m, p.y, q.y);
    struct number cross = eph_mod_add(m, eph_mod_mul(m, p.x, q.y), eph_mod_mul(m, q.x, p.y));
    struct number t = eph_mod_mul(m, curve->d, eph_mod_mul(m, xx, yy));
    struct number inverse_x = eph_mod_inverse(m, eph_mod_add(m, one, t));
    struct number inverse_y = eph_mod_inverse(m, eph_mod_sub(m, one, t));
    return (struct point){eph_mod_mul(m, cross, inverse_x), eph_mod_mul(m, eph_mod_add(m, yy, xx), inverse_y)};
}

static void store_row(const struct curve *curve, struct point p, struct number half, uint64_t row[ROW_WORDS][4])
{
    const struct modulus *m = &curve->m;
    eph_mod_store(m, eph_mod_mul(m, eph_mod_add(m, p.y, p.x), half), row[0]);
    eph_mod_store(m, eph_mod_mul(m, eph_mod_sub(m, p.y, p.x), half), row[1]);
    eph_mod_store(m, eph_mod_mul(m, curve->d, eph_mod_mul(m, p.x, p.y)), row[2]);
}

static void store_comb(uint64_t words[EPH_BASE_WORDS][4])
{
    struct curve curve;
    curve_init(&curve);
    struct number half = eph_mod_inverse(&curve.m, eph_mod_small(&curve.m, 2));
    struct point base = {eph_mod_parse(&curve.m, base_x), eph_mod_parse(&curve.m, base_y)};
    for (int i = 0; i < COFACTOR_DOUBLINGS; i++)
        base = add_points(&curve, base, base);
    for (unsigned window = 0; window < WINDOWS; window++) {
        struct point twice = add_points(&curve, base, base), odd = base;
        unsigned rows = window == WINDOWS - 1 ? 1 : EPH_COMB_ROWS;
        for (unsigned index = 0; index < rows; index++) {
            store_row(&curve, odd, half, &words[(window * EPH_COMB_ROWS + index) * ROW_WORDS]);
            odd = add_points(&curve, odd, twice);
        }
        for (int i = 0; i < WINDOW_BITS; i++)
            base = add_points(&curve, base, base);
    }
}

static void store_constant(uint64_t words[EPH_BASE_WORDS][4], unsigned index, const char *hex)
{
    struct wide value = eph_wide_parse(hex);
    memcpy(words[EPH_BASE_CONSTANTS + index], value.limb, 4 * sizeof *value.limb);
}

void eph_base_25519(uint64_t words[EPH_BASE_WORDS][4])
{
    memset(words, 0, EPH_BASE_WORDS * sizeof *words);
    store_comb(words);
#define EPH_CONST(name, index, value) store_constant(words, index, value);
#include "isa.def"
}
