// SPDX-License-Identifier: Apache-2.0
// The P-256 programs, run from their ROM words by the model, against OpenSSL.
#include "rig.h"
#include <criterion/criterion.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <string.h>

extern const struct eph_ucode_image ucode_p256;
static const char order_hex[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

struct curve {
    EC_GROUP *group;
    EC_POINT *point;
    BN_CTX *context;
    BIGNUM *order, *k, *x, *y;
};

static void open_curve(struct curve *c)
{
    memset(c, 0, sizeof *c);
    c->group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    c->point = EC_POINT_new(c->group);
    c->context = BN_CTX_new();
    c->k = BN_new();
    c->x = BN_new();
    c->y = BN_new();
    cr_assert(c->point && c->context && c->k && c->x && c->y && BN_hex2bn(&c->order, order_hex) == 64);
}

static void close_curve(struct curve *c)
{
    EC_POINT_free(c->point);
    EC_GROUP_free(c->group);
    BN_CTX_free(c->context);
    BN_free(c->order);
    BN_free(c->k);
    BN_free(c->x);
    BN_free(c->y);
}

static struct eph_cqe request(enum eph_opcode opcode, const BIGNUM *k, const uint8_t x[32], const uint8_t y[32])
{
    struct eph_sqe sqe = {.opcode = (uint8_t)opcode, .curve = EPH_CURVE_P256};
    struct eph_cqe cqe;
    cr_assert_eq(BN_bn2lebinpad(k, sqe.scalar, 32), 32);
    if (opcode == EPH_OP_DERIVE) {
        memcpy(sqe.peer_x, x, 32);
        memcpy(sqe.peer_y, y, 32);
    }
    rig_random(sqe.blind, sizeof sqe.blind);
    eph_model_execute_image(&ucode_p256, RIG_CONTEXTS, &sqe, &cqe);
    return cqe;
}

// Both programs: k * G, then k * (peer), against OpenSSL. peer: coordinates of a point, little-endian.
static void check_scalar(struct curve *c, const uint8_t peer_x[32], const uint8_t peer_y[32])
{
    uint8_t x[32], y[32];
    cr_assert(EC_POINT_mul(c->group, c->point, c->k, NULL, NULL, c->context) &&
              EC_POINT_get_affine_coordinates(c->group, c->point, c->x, c->y, c->context));
    BN_bn2lebinpad(c->x, x, 32);
    BN_bn2lebinpad(c->y, y, 32);
    struct eph_cqe cqe = request(EPH_OP_KEYGEN, c->k, NULL, NULL);
    cr_assert_eq(cqe.status, EPH_ST_OK);
    cr_assert_arr_eq(cqe.result, x, 32);
    cr_assert_arr_eq(cqe.result + 32, y, 32);

    BN_lebin2bn(peer_x, 32, c->x);
    BN_lebin2bn(peer_y, 32, c->y);
    cr_assert(EC_POINT_set_affine_coordinates(c->group, c->point, c->x, c->y, c->context) &&
              EC_POINT_mul(c->group, c->point, NULL, c->point, c->k, c->context) &&
              EC_POINT_get_affine_coordinates(c->group, c->point, c->x, c->y, c->context));
    BN_bn2lebinpad(c->x, x, 32);
    cqe = request(EPH_OP_DERIVE, c->k, peer_x, peer_y);
    cr_assert_eq(cqe.status, EPH_ST_OK);
    cr_assert_arr_eq(cqe.result, x, 32);
}

static void random_peer(struct curve *c, uint8_t x[32], uint8_t y[32])
{
    uint8_t bytes[32];
    rig_random(bytes, 32);
    BN_lebin2bn(bytes, 31, c->k);
    cr_assert(EC_POINT_mul(c->group, c->point, c->k, NULL, NULL, c->context) &&
              EC_POINT_get_affine_coordinates(c->group, c->point, c->x, c->y, c->context));
    BN_bn2lebinpad(c->x, x, 32);
    BN_bn2lebinpad(c->y, y, 32);
}

// 34 and n - 2 are the scalars that wider lowest windows fail.
Test(p256, agrees_with_openssl_at_both_ends_of_the_scalars)
{
    struct curve c;
    uint8_t x[32], y[32];
    open_curve(&c);
    random_peer(&c, x, y);
    for (unsigned i = 1; i <= 70; i++) {
        BN_set_word(c.k, i);
        check_scalar(&c, x, y);
        BN_sub(c.k, c.order, c.k);
        check_scalar(&c, x, y);
    }
    close_curve(&c);
}

Test(p256, agrees_with_openssl_for_random_scalars_and_peers)
{
    struct curve c;
    uint8_t x[32], y[32], bytes[32];
    open_curve(&c);
    for (int i = 0; i < 200; i++) {
        random_peer(&c, x, y);
        rig_random(bytes, 32);
        BN_lebin2bn(bytes, 32, c.k);
        BN_nnmod(c.k, c.k, c.order, c.context);
        check_scalar(&c, x, y);
    }
    close_curve(&c);
}

Test(p256, refuses_points_that_are_not_on_the_curve)
{
    static const uint8_t zeros[232];
    struct curve c;
    uint8_t x[32], y[32];
    open_curve(&c);
    random_peer(&c, x, y);
    BN_set_word(c.k, 5);
    for (int i = 0; i < 255; i++) {
        y[i / 8] ^= (uint8_t)(1 << i % 8);
        struct eph_cqe cqe = request(EPH_OP_DERIVE, c.k, x, y);
        cr_assert_eq(cqe.status, EPH_ST_BAD_POINT);
        cr_assert_arr_eq(cqe.result, zeros, sizeof zeros);
        y[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    cr_assert_eq(request(EPH_OP_DERIVE, c.k, x, y).status, EPH_ST_OK);
    close_curve(&c);
}

Test(p256, programs_keep_their_size_and_cycles)
{
    struct curve c;
    uint8_t x[32], y[32];
    open_curve(&c);
    random_peer(&c, x, y);
    cr_assert_eq(ucode_p256.program_count, 2);
    cr_assert(ucode_p256.programs[0].slots == 3237 && ucode_p256.programs[0].live == 10);
    cr_assert(ucode_p256.programs[1].slots == 740 && ucode_p256.programs[1].live == 7);
    for (unsigned i = 1; i < 100; i++) {
        BN_set_word(c.k, i);
        // contexts * (load + slots + wipe + unload) + 128
        cr_assert_eq(request(EPH_OP_DERIVE, c.k, x, y).cycles, 64 * (3 + 3237 + 30 + 2) + 128);
        cr_assert_eq(request(EPH_OP_KEYGEN, c.k, x, y).cycles, 64 * (1 + 740 + 5 + 2) + 128);
    }
    close_curve(&c);
}
