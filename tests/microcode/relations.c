// SPDX-License-Identifier: Apache-2.0
// The relations between the result fields that a host checks (rtl/microcode/README.md): they hold for every answer with
// status OK, and a single flipped bit breaks them.
#include "rig.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <wycheproof.h>

static const uint8_t *field_of(const struct eph_cqe *cqe, unsigned index)
{
    return cqe->result + 32 * index;
}

// u = x(kP), (X3 : Z3) = x((k+1)P), x1 = x(P): with A = 486662
// (u - x1)^2 X3^2 - 2 [(u x1 + 1)(u + x1) + 2 A u x1] X3 Z3 + (u x1 - 1)^2 Z3^2 = 0; Z2 != 0; (X3, Z3) != (0, 0).
static bool derive_relation_holds(const struct eph_cqe *cqe, const uint8_t peer[32])
{
    struct rig_field f;
    uint8_t masked[32];
    memcpy(masked, peer, 32);
    masked[31] &= 0x7f;
    rig_open(&f, rig_prime_25519);
    BIGNUM *x1 = rig_bytes(&f, masked), *u = rig_bytes(&f, field_of(cqe, 0)), *z2 = rig_bytes(&f, field_of(cqe, 1)),
           *x3 = rig_bytes(&f, field_of(cqe, 2)), *z3 = rig_bytes(&f, field_of(cqe, 3)), *one = rig_small(&f, 1);
    BIGNUM *product = rig_mul(&f, u, x1), *difference = rig_sub(&f, u, x1), *minus = rig_sub(&f, product, one);
    BIGNUM *square = rig_mul(&f, rig_mul(&f, difference, x3), rig_mul(&f, difference, x3));
    BIGNUM *last = rig_mul(&f, rig_mul(&f, minus, z3), rig_mul(&f, minus, z3));
    BIGNUM *middle = rig_mul(&f, rig_add(&f, product, one), rig_add(&f, u, x1));
    middle = rig_add(&f, middle, rig_mul(&f, rig_small(&f, 2 * 486662), product));
    middle = rig_mul(&f, rig_mul(&f, middle, rig_small(&f, 2)), rig_mul(&f, x3, z3));
    bool holds = BN_cmp(rig_add(&f, square, last), middle) == 0;
    holds = holds && !BN_is_zero(z2) && !(BN_is_zero(x3) && BN_is_zero(z3));
    rig_close(&f);
    return holds;
}

// (X : Y : Z : T) on -x^2 + y^2 = 1 + d x^2 y^2: -X^2 + Y^2 = Z^2 + d T^2, X Y = Z T, u (Z - Y) = Z + Y, Z != 0.
static bool keygen_relation_holds(const struct eph_cqe *cqe)
{
    struct rig_field f;
    rig_open(&f, rig_prime_25519);
    BIGNUM *u = rig_bytes(&f, field_of(cqe, 0)), *x = rig_bytes(&f, field_of(cqe, 1)),
           *y = rig_bytes(&f, field_of(cqe, 2)), *z = rig_bytes(&f, field_of(cqe, 3)),
           *t = rig_bytes(&f, field_of(cqe, 4)), *zero = rig_small(&f, 0);
    BIGNUM *d = rig_sub(&f, zero, rig_div(&f, rig_small(&f, 121665), rig_small(&f, 121666)));
    BIGNUM *left = rig_sub(&f, rig_mul(&f, y, y), rig_mul(&f, x, x));
    BIGNUM *right = rig_add(&f, rig_mul(&f, z, z), rig_mul(&f, d, rig_mul(&f, t, t)));
    bool holds = BN_cmp(left, right) == 0 && BN_cmp(rig_mul(&f, x, y), rig_mul(&f, z, t)) == 0;
    holds = holds && BN_cmp(rig_mul(&f, u, rig_sub(&f, z, y)), rig_add(&f, z, y)) == 0 && !BN_is_zero(z);
    rig_close(&f);
    return holds;
}

Test(relations, hold_for_random_derives_and_break_with_any_flipped_bit)
{
    uint8_t scalar[32], peer[32];
    for (int i = 0; i < 100; i++) {
        rig_random(scalar, 32);
        rig_random(peer, 32);
        struct eph_cqe cqe = rig_request(EPH_OP_DERIVE, scalar, peer);
        cr_assert_eq(cqe.status, EPH_ST_OK);
        cr_assert(derive_relation_holds(&cqe, peer));
        for (int field = 0; field < 4; field++) {
            struct eph_cqe bad = cqe;
            bad.result[32 * field + i % 32] ^= (uint8_t)(1 << i % 7);
            // Z2 takes part only by Z2 != 0: u = X2/Z2 is what the application gets, and the relation ties u to (X3 :
            // Z3)
            cr_assert_eq(derive_relation_holds(&bad, peer), field == 1);
        }
    }
}

Test(relations, hold_for_every_wycheproof_derive_with_status_ok)
{
    struct eph_x25519_vector *vectors;
    size_t count = eph_wycheproof_x25519(&vectors);
    cr_assert_eq(count, EPH_X25519_VECTORS);
    for (size_t i = 0; i < count; i++) {
        struct eph_cqe cqe = rig_request(EPH_OP_DERIVE, vectors[i].scalar, vectors[i].peer);
        cr_assert_eq(cqe.status == EPH_ST_OK && derive_relation_holds(&cqe, vectors[i].peer), !vectors[i].zero_shared,
                     "tcId %u", vectors[i].id);
    }
    free(vectors);
}

// All u of order 1, 2, 4 or 8 on the curve and its twist, canonical and not: the only inputs without an answer.
Test(relations, low_order_peers_are_the_only_ones_without_an_answer)
{
    static const char *const low_order[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p - 1
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p + 1
    };
    for (size_t i = 0; i < sizeof low_order / sizeof *low_order; i++)
        for (int top = 0; top < 2; top++)
            for (int j = 0; j < 20; j++) {
                uint8_t scalar[32], peer[32];
                rig_random(scalar, 32);
                rig_hex(peer, low_order[i]);
                peer[31] |= (uint8_t)(top << 7);
                cr_assert_eq(rig_request(EPH_OP_DERIVE, scalar, peer).status, EPH_ST_ZERO);
            }
}

// 5l - 1 is a clamped scalar; with the base point P of order l it gives kP = -P and (k+1)P = O: Z3 = 0, and the
// relation says u = x1.
Test(relations, hold_when_the_second_point_is_the_neutral_element)
{
    static const uint8_t base[32] = {9}, zero[32];
    uint8_t scalar[32], big_endian[32];
    rig_hex(big_endian, "50000000000000000000000000000000685ae1592ed6102fb85bef83d0cd23a0");
    rig_reverse(scalar, big_endian);
    struct eph_cqe cqe = rig_request(EPH_OP_DERIVE, scalar, base);
    cr_assert_eq(cqe.status, EPH_ST_OK);
    cr_assert_arr_eq(field_of(&cqe, 0), base, 32);
    cr_assert_arr_eq(field_of(&cqe, 3), zero, 32);
    cr_assert_arr_neq(field_of(&cqe, 2), zero, 32);
    cr_assert(derive_relation_holds(&cqe, base));
    cqe.result[0] ^= 1;
    cr_assert(!derive_relation_holds(&cqe, base));
}

Test(relations, hold_for_random_key_generations_and_break_with_any_flipped_bit)
{
    uint8_t scalar[32];
    for (int i = 0; i < 100; i++) {
        rig_random(scalar, 32);
        struct eph_cqe cqe = rig_request(EPH_OP_KEYGEN, scalar, NULL);
        cr_assert_eq(cqe.status, EPH_ST_OK);
        cr_assert(keygen_relation_holds(&cqe));
        for (int field = 0; field < 5; field++) {
            struct eph_cqe bad = cqe;
            bad.result[32 * field + i % 32] ^= (uint8_t)(1 << i % 7);
            cr_assert(!keygen_relation_holds(&bad));
        }
    }
}

// A blind that is 0 modulo p makes every coordinate 0: a derive says ZERO, a key generation fails Z != 0. Hosts never
// send one.
Test(relations, zero_blinds_never_pass)
{
    struct eph_sqe sqe = {.opcode = EPH_OP_DERIVE, .curve = EPH_CURVE_X25519, .peer_x = {9}};
    struct eph_cqe cqe;
    eph_model_execute(RIG_CONTEXTS, &sqe, &cqe);
    cr_assert_eq(cqe.status, EPH_ST_ZERO);
    sqe.opcode = EPH_OP_KEYGEN;
    eph_model_execute(RIG_CONTEXTS, &sqe, &cqe);
    cr_assert_eq(cqe.status, EPH_ST_OK);
    cr_assert(!keygen_relation_holds(&cqe));
}
