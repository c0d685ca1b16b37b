// SPDX-License-Identifier: Apache-2.0
// The model's fused multiply-add against big integers: exactly the integers of rtl/README.md, both fields, the whole
// operand range.
#include "rig.h"
#include <criterion/criterion.h>
#include <datapath.h>
#include <isa.h>
#include <string.h>

static const char p256_hex[] = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";

struct numbers {
    BN_CTX *context;
    BIGNUM *p, *x, *y, *e, *v, *t, *u;
};

static void open_numbers(struct numbers *n, const char *prime)
{
    n->context = BN_CTX_new();
    BN_CTX_start(n->context);
    BIGNUM **all[] = {&n->p, &n->x, &n->y, &n->e, &n->v, &n->t, &n->u};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        cr_assert_not_null(*all[i] = BN_CTX_get(n->context));
    cr_assert_gt(BN_hex2bn(&n->p, prime), 0);
}

static void close_numbers(struct numbers *n)
{
    BN_CTX_end(n->context);
    BN_CTX_free(n->context);
}

// A signed operand of up to `bits` bits: random, or an extreme.
static void operand(BIGNUM *number, struct eph_value *value, unsigned bits, bool may_be_negative)
{
    uint8_t bytes[40] = {0}, choice[2];
    rig_random(choice, 2);
    if (choice[0] % 8 == 0)
        memset(bytes, choice[1] % 2 ? 0xff : 0, sizeof bytes); // 2^bits - 1 or 0
    else
        rig_random(bytes, sizeof bytes);
    if (choice[0] % 8 == 1)
        memset(bytes + 8, 0, sizeof bytes - 8);
    for (unsigned i = bits; i < 320; i++)
        bytes[i / 8] &= (uint8_t) ~(1 << i % 8);
    BN_lebin2bn(bytes, sizeof bytes, number);
    struct eph_value zero = {{0}}, plain = zero;
    for (int i = 39; i >= 0; i--)
        plain.limb[i / 8] = plain.limb[i / 8] << 8 | bytes[i];
    bool negative = may_be_negative && choice[1] % 4 >= 2;
    *value = eph_value_combine(zero, 0, plain, 0, negative);
    BN_set_negative(number, negative);
}

static void check_value(const BIGNUM *expected, struct eph_value value)
{
    uint8_t bytes[40], model[40];
    cr_assert(!BN_is_negative(expected));
    cr_assert_eq(BN_bn2lebinpad(expected, bytes, sizeof bytes), (int)sizeof bytes);
    for (int i = 0; i < 40; i++)
        model[i] = (uint8_t)(value.limb[i / 8] >> (i % 8 * 8));
    cr_assert_arr_eq(model, bytes, sizeof bytes);
}

// Floor division by a power of two, for negative numbers too.
static void floor_shift(BIGNUM *result, const BIGNUM *number, int bits, BN_CTX *context)
{
    BIGNUM *remainder = BN_new(), *divisor = BN_new();
    BN_one(divisor);
    BN_lshift(divisor, divisor, bits);
    BN_nnmod(remainder, number, divisor, context);
    BN_sub(result, number, remainder);
    BN_div(result, NULL, result, divisor, context);
    BN_free(remainder);
    BN_free(divisor);
}

Test(datapath, stores_the_integers_of_the_contract_in_field_25519)
{
    for (int i = 0; i < 20000; i++) {
        struct numbers n;
        struct eph_value x, y, e;
        open_numbers(&n, rig_prime_25519);
        operand(n.x, &x, 259, true);
        operand(n.y, &y, 256, true);
        operand(n.e, &e, 259, true);
        BN_mul(n.v, n.x, n.y, n.context);
        floor_shift(n.t, n.v, 264, n.context); // t = floor(V / 2^264), v = V mod 2^264
        BN_lshift(n.u, n.t, 264);
        BN_sub(n.v, n.v, n.u);
        BN_mul_word(n.t, 9728);
        BN_add(n.v, n.v, n.t);
        BN_add(n.v, n.v, n.e);
        BN_lshift(n.t, n.p, 10);
        BN_add(n.v, n.v, n.t); // r
        floor_shift(n.t, n.v, 255, n.context);
        BN_lshift(n.u, n.t, 255);
        BN_sub(n.v, n.v, n.u);
        BN_mul_word(n.t, 19);
        BN_add(n.v, n.v, n.t);
        check_value(n.v, eph_fma_25519(x, y, e));
        close_numbers(&n);
    }
}

Test(datapath, stores_the_integers_of_the_contract_in_field_p256)
{
    for (int i = 0; i < 20000; i++) {
        struct numbers n;
        struct eph_value x, y, e;
        open_numbers(&n, p256_hex);
        operand(n.x, &x, 264, true);
        operand(n.y, &y, 260, true);
        operand(n.e, &e, 259, false);
        BN_mul(n.v, n.x, n.y, n.context);
        BN_one(n.t);
        BN_lshift(n.t, n.t, 264); // R
        BN_mod_inverse(n.u, n.p, n.t, n.context);
        BN_sub(n.u, n.t, n.u); // -1/p mod R
        BN_mul(n.u, n.u, n.v, n.context);
        BN_nnmod(n.u, n.u, n.t, n.context); // m
        BN_mul(n.u, n.u, n.p, n.context);
        BN_add(n.v, n.v, n.u);
        floor_shift(n.v, n.v, 264, n.context);
        BN_add(n.v, n.v, n.e);
        BN_lshift(n.t, n.p, 5);
        BN_add(n.v, n.v, n.t);
        if (!BN_is_negative(n.v)) // the bias covers what programs do, not every corner of this range
            check_value(n.v, eph_fma_p256(x, y, e, 5));
        close_numbers(&n);
    }
}

Test(datapath, brings_stored_values_below_the_prime)
{
    static const struct {
        unsigned field, multiples;
        const char *prime;
    } fields[] = {{EPH_FIELD_F25519, EPH_FIELD_ROUNDS_F25519, rig_prime_25519},
                  {EPH_FIELD_FP256, EPH_FIELD_ROUNDS_FP256, p256_hex}};
    for (int f = 0; f < 2; f++)
        for (unsigned multiple = 0; multiple <= fields[f].multiples; multiple++)
            for (uint64_t excess = 0; excess < 3; excess++) {
                struct numbers n;
                uint8_t bytes[40];
                struct eph_value value = {{0}}, expected = {{excess}};
                open_numbers(&n, fields[f].prime);
                BN_mul_word(n.p, multiple);
                BN_add_word(n.p, excess);
                cr_assert_eq(BN_bn2lebinpad(n.p, bytes, sizeof bytes), (int)sizeof bytes);
                for (int i = 39; i >= 0; i--)
                    value.limb[i / 8] = value.limb[i / 8] << 8 | bytes[i];
                cr_assert_eq(eph_value_canonical(&value, fields[f].field), excess == 0);
                cr_assert_arr_eq(value.limb, expected.limb, sizeof value.limb);
                close_numbers(&n);
            }
}
