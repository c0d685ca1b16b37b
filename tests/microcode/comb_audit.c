// SPDX-License-Identifier: Apache-2.0
// No scalar is exceptional for the X25519 comb. The argument, each step checked here:
//  1. The addition law of -x^2 + y^2 = 1 + d x^2 y^2 is complete when -1 is a square and d is not: no pair of points
//  fails.
//  2. The prepared scalar is odd and below 2^(6*42 + 1) with its top window's digit 1, so only row 0 of the top window
//  is read, and
//     the 43 odd signed digits sum to it. Recoding is also checked exhaustively on small combs.
//  3. The result is +-k' * 8B with 0 < k' < l, never the neutral element, and of odd order, never (0, -1): Z - Y and Z
//  + Y are not 0.
//  4. The ROM holds what the digits select: each row is (2i + 1) * 2^(6w) * 8B on the curve.
#include "rig.h"
#include <criterion/criterion.h>
#include <isa.h>
#include <scalar.h>
#include <string.h>

static const char order_hex[] = "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed";

static const uint64_t *keygen_descriptor(void)
{
    for (unsigned i = 0; i < eph_ucode.program_count; i++)
        if (eph_ucode.programs[i].opcode == EPH_OP_KEYGEN && eph_ucode.programs[i].curve == EPH_CURVE_X25519)
            return eph_ucode.programs[i].word;
    cr_assert_fail("no key generation program");
    return NULL;
}

static bool is_square(struct rig_field *f, const BIGNUM *a)
{
    return BN_kronecker(a, f->prime, f->context) == 1;
}

static BIGNUM *edwards_d(struct rig_field *f)
{
    return rig_sub(f, rig_small(f, 0), rig_div(f, rig_small(f, 121665), rig_small(f, 121666)));
}

Test(comb_audit, the_addition_law_is_complete)
{
    struct rig_field f;
    rig_open(&f, rig_prime_25519);
    BIGNUM *zero = rig_small(&f, 0), *one = rig_small(&f, 1);
    cr_assert(is_square(&f, rig_sub(&f, zero, one)));
    cr_assert(!is_square(&f, edwards_d(&f)));
    cr_assert(is_square(&f, rig_small(&f, 4))); // the test can say yes
    rig_close(&f);
}

// Sum of digit * 2^position over all windows, as an integer; also checks the index of the top window.
static void sum_digits(BIGNUM *sum, struct eph_digits *digits, unsigned top_indices)
{
    BN_zero(sum);
    for (int position = (int)digits->windows - 1; position >= 0; position--) {
        struct eph_digit digit = eph_digits_current(digits);
        cr_assert_eq(digit.row, (unsigned)position);
        cr_assert_lt(digit.index, position == (int)digits->windows - 1 ? top_indices : 1u << (digits->window - 1));
        BN_lshift(sum, sum, (int)(position ? digits->window : digits->lowest));
        if (digit.sign)
            BN_sub_word(sum, 2 * digit.index + 1);
        else
            BN_add_word(sum, 2 * digit.index + 1);
        eph_digits_advance(digits);
    }
}

// k' of the clamped scalar and what the device makes of it: odd, congruent to +-k', below l, digits summing to it.
static void audit_scalar(const uint8_t scalar[32])
{
    struct eph_digits digits;
    BN_CTX *context = BN_CTX_new();
    BIGNUM *prepared = BN_new(), *sum = BN_new(), *order = NULL, *k = BN_new();
    BN_hex2bn(&order, order_hex);
    uint8_t clamped[32];
    memcpy(clamped, scalar, 32);
    clamped[0] &= 248;
    clamped[31] = (uint8_t)((clamped[31] & 127) | 64);
    BN_lebin2bn(clamped, 32, k);
    BN_rshift(k, k, 3);
    eph_digits_init(&digits, keygen_descriptor(), scalar);
    BN_lebin2bn((const uint8_t *)digits.scalar, 40, prepared);
    if (!BN_is_odd(k))
        BN_sub(k, order, k);
    cr_assert_eq(BN_cmp(prepared, k), 0);
    cr_assert(BN_is_odd(prepared) && !BN_is_negative(prepared) && BN_cmp(prepared, order) < 0);
    sum_digits(sum, &digits, 1);
    cr_assert_eq(BN_cmp(sum, prepared), 0);
    BN_free(prepared);
    BN_free(sum);
    BN_free(order);
    BN_free(k);
    BN_CTX_free(context);
}

Test(comb_audit, digits_of_any_clamped_scalar_sum_to_it_and_fit_the_table)
{
    uint8_t scalar[32];
    for (int i = 0; i < 256; i++) { // both ends of the range, even and odd k'
        memset(scalar, 0, 32);
        scalar[0] = (uint8_t)(i << 3);
        scalar[1] = (uint8_t)(i >> 5);
        audit_scalar(scalar);
        memset(scalar, 0xff, 32);
        scalar[0] = (uint8_t)(i << 3);
        audit_scalar(scalar);
    }
    for (int i = 0; i < 5000; i++) {
        rig_random(scalar, 32);
        audit_scalar(scalar);
    }
}

// Descriptor of a small comb: plain scalar, windows of `window` bits.
static void small_comb(uint64_t word[2], unsigned window, unsigned windows)
{
    word[0] = word[1] = 0;
    eph_word_put(word, EPH_P_VALID, 1);
    eph_word_put(word, EPH_P_DIGITS, EPH_DIGITS_ODD);
    eph_word_put(word, EPH_P_WINDOW, window);
    eph_word_put(word, EPH_P_WINDOWS, windows);
    eph_word_put(word, EPH_P_LOWEST, window);
    eph_word_put(word, EPH_P_SCALAR, EPH_SCALAR_PLAIN);
}

static long small_sum(const uint64_t word[2], unsigned k)
{
    struct eph_digits digits;
    uint8_t scalar[32] = {(uint8_t)k, (uint8_t)(k >> 8), (uint8_t)(k >> 16)};
    long sum = 0;
    eph_digits_init(&digits, word, scalar);
    for (unsigned i = digits.windows; i-- > 0; eph_digits_advance(&digits)) {
        struct eph_digit digit = eph_digits_current(&digits);
        sum = (sum << digits.window) + (digit.sign ? -1 : 1) * (long)(2 * digit.index + 1);
    }
    return sum;
}

Test(comb_audit, recoding_is_right_for_every_odd_scalar_of_small_combs)
{
    for (unsigned window = 2; window <= 6; window++) {
        uint64_t word[2];
        small_comb(word, window, 3);
        for (unsigned k = 1; k < 1u << (2 * window + 1); k += 2)
            cr_assert_eq(small_sum(word, k), (long)k);
        cr_assert_neq(small_sum(word, 2), 2); // an even scalar has no odd digits: why k' is made odd
    }
}

struct affine {
    BIGNUM *x, *y;
};

static struct affine add_points(struct rig_field *f, struct affine p, struct affine q)
{
    BIGNUM *one = rig_small(f, 1), *xx = rig_mul(f, p.x, q.x), *yy = rig_mul(f, p.y, q.y);
    BIGNUM *t = rig_mul(f, edwards_d(f), rig_mul(f, xx, yy));
    BIGNUM *cross = rig_add(f, rig_mul(f, p.x, q.y), rig_mul(f, q.x, p.y));
    return (struct affine){rig_div(f, cross, rig_add(f, one, t)), rig_div(f, rig_add(f, yy, xx), rig_sub(f, one, t))};
}

static BIGNUM *rom_word(struct rig_field *f, unsigned address)
{
    uint8_t bytes[32];
    for (int i = 0; i < 32; i++)
        bytes[i] = (uint8_t)(eph_ucode.base[address][i / 8] >> (i % 8 * 8));
    BIGNUM *number = rig_bytes(f, bytes);
    BIGNUM *raw = BN_lebin2bn(bytes, 32, NULL);
    cr_assert_eq(BN_cmp(raw, number), 0, "word %u is not below p", address);
    BN_free(raw);
    return number;
}

static struct affine rom_point(struct rig_field *f, unsigned window, unsigned index)
{
    unsigned address = (window * EPH_COMB_ROWS + index) * 3;
    BIGNUM *sum = rom_word(f, address), *difference = rom_word(f, address + 1), *product = rom_word(f, address + 2);
    struct affine point = {rig_sub(f, sum, difference), rig_add(f, sum, difference)};
    cr_assert_eq(BN_cmp(product, rig_mul(f, edwards_d(f), rig_mul(f, point.x, point.y))), 0);
    return point;
}

static void assert_same(struct affine p, struct affine q)
{
    cr_assert(BN_cmp(p.x, q.x) == 0 && BN_cmp(p.y, q.y) == 0);
}

Test(comb_audit, the_rom_holds_the_points_that_digits_select)
{
    for (unsigned window = 0; window < 43; window++) {
        struct rig_field f;
        rig_open(&f, rig_prime_25519);
        struct affine first = rom_point(&f, window, 0), twice = add_points(&f, first, first), odd = first;
        for (unsigned index = 0; index < (window == 42 ? 1u : 32u); index++) {
            assert_same(rom_point(&f, window, index), odd);
            odd = add_points(&f, odd, twice);
        }
        if (window < 42) {
            struct affine next = first;
            for (int i = 0; i < 6; i++)
                next = add_points(&f, next, next);
            assert_same(rom_point(&f, window + 1, 0), next);
        }
        rig_close(&f);
    }
}

Test(comb_audit, the_first_row_is_eight_times_the_base_point)
{
    struct rig_field f;
    uint8_t y_bytes[32], x_bytes[32], reversed[32];
    rig_open(&f, rig_prime_25519);
    rig_hex(reversed, "216936d3cd6e53fec0a4e231fdd6dc5c692cc7609525a7b2c9562d608f25d51a"); // RFC 7748 section 4.1
    rig_reverse(x_bytes, reversed);
    rig_hex(reversed, "6666666666666666666666666666666666666666666666666666666666666658");
    rig_reverse(y_bytes, reversed);
    struct affine point = {rig_bytes(&f, x_bytes), rig_bytes(&f, y_bytes)};
    for (int i = 0; i < 3; i++)
        point = add_points(&f, point, point);
    assert_same(rom_point(&f, 0, 0), point);
    rig_close(&f);
}

Test(comb_audit, the_constants_are_those_of_the_isa)
{
    static const char *const values[EPH_CONST_COUNT] = {
#define EPH_CONST(name, index, value) [index] = value,
#include <isa.def>
    };
    for (unsigned i = 0; i < EPH_CONST_COUNT; i++) {
        uint8_t bytes[32];
        BIGNUM *expected = NULL;
        BN_hex2bn(&expected, values[i]);
        for (int j = 0; j < 32; j++)
            bytes[j] = (uint8_t)(eph_ucode.base[EPH_CONST_BASE + i][j / 8] >> (j % 8 * 8));
        BIGNUM *stored = BN_lebin2bn(bytes, 32, NULL);
        cr_assert_eq(BN_cmp(expected, stored), 0);
        BN_free(expected);
        BN_free(stored);
    }
}
