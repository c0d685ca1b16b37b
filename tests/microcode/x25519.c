// SPDX-License-Identifier: Apache-2.0
// The X25519 programs, run from their ROM words by the model, against published vectors and OpenSSL.
#include "rig.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <wycheproof.h>

static const uint8_t zeros[232];

Test(x25519, derives_the_vectors_of_rfc_7748)
{
    static const struct {
        const char *scalar, *peer, *shared;
    } vectors[] = {
        {"a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
         "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
         "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"},
        {"4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
         "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
         "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        uint8_t scalar[32], peer[32], shared[32];
        rig_hex(scalar, vectors[i].scalar);
        rig_hex(peer, vectors[i].peer);
        rig_hex(shared, vectors[i].shared);
        struct eph_cqe cqe = rig_request(EPH_OP_DERIVE, scalar, peer);
        cr_assert_eq(cqe.status, EPH_ST_OK);
        cr_assert_arr_eq(cqe.result, shared, 32);
    }
}

Test(x25519, iterates_as_in_rfc_7748)
{
    uint8_t k[32] = {9}, u[32] = {9}, once[32], thousand[32];
    rig_hex(once, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
    rig_hex(thousand, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
    for (int i = 1; i <= 1000; i++) {
        struct eph_cqe cqe = rig_request(EPH_OP_DERIVE, k, u);
        cr_assert_eq(cqe.status, EPH_ST_OK);
        memcpy(u, k, 32);
        memcpy(k, cqe.result, 32);
        if (i == 1)
            cr_assert_arr_eq(k, once, 32);
    }
    cr_assert_arr_eq(k, thousand, 32);
}

Test(x25519, derives_all_wycheproof_vectors_and_refuses_low_order_peers)
{
    struct eph_x25519_vector *vectors;
    size_t count = eph_wycheproof_x25519(&vectors), refused = 0;
    cr_assert_eq(count, EPH_X25519_VECTORS);
    for (size_t i = 0; i < count; i++) {
        struct eph_cqe cqe = rig_request(EPH_OP_DERIVE, vectors[i].scalar, vectors[i].peer);
        cr_assert_eq(cqe.status, vectors[i].zero_shared ? EPH_ST_ZERO : EPH_ST_OK, "tcId %u", vectors[i].id);
        cr_assert_arr_eq(cqe.result, vectors[i].shared, 32, "tcId %u", vectors[i].id);
        refused += vectors[i].zero_shared;
    }
    cr_assert_eq(refused, 31);
    free(vectors);
}

Test(x25519, shows_nothing_of_a_refused_result)
{
    uint8_t scalar[32], peer[32] = {1};
    rig_random(scalar, 32);
    struct eph_cqe cqe = rig_request(EPH_OP_DERIVE, scalar, peer);
    cr_assert_eq(cqe.status, EPH_ST_ZERO);
    cr_assert_arr_eq(cqe.result, zeros, sizeof cqe.result);
}

// Scalars that stress the comb: even and odd k' = k/8 at both ends, long runs of equal digits, carries into each
// window.
static size_t edge_scalars(uint8_t scalars[][32])
{
    size_t n = 0;
    for (int i = 0; i < 16; i++) { // smallest and largest clamped scalars
        memset(scalars[n], 0, 32);
        scalars[n++][0] = (uint8_t)(8 * i);
        memset(scalars[n], 0xff, 32);
        scalars[n++][0] = (uint8_t)(0xff - 8 * i);
    }
    for (int bit = 3; bit < 254; bit += 6) { // one bit, and all bits below it, at each window's edge
        memset(scalars[n], 0, 32);
        scalars[n++][bit / 8] = (uint8_t)(1 << bit % 8);
        memset(scalars[n], 0, 32);
        memset(scalars[n], 0xff, (size_t)bit / 8);
        scalars[n++][bit / 8] = (uint8_t)((1 << bit % 8) - 1);
    }
    return n;
}

static void check_keygen(const uint8_t scalar[32])
{
    uint8_t expected[32];
    struct eph_cqe cqe = rig_request(EPH_OP_KEYGEN, scalar, NULL);
    cr_assert_eq(rig_openssl_x25519(expected, scalar, NULL), 1);
    cr_assert_eq(cqe.status, EPH_ST_OK);
    cr_assert_arr_eq(cqe.result, expected, 32);
}

Test(x25519, generates_the_public_keys_of_openssl)
{
    uint8_t edges[256][32], scalar[32];
    size_t count = edge_scalars(edges);
    cr_assert_eq(count, 116);
    for (size_t i = 0; i < count; i++)
        check_keygen(edges[i]);
    for (int i = 0; i < 400; i++) {
        rig_random(scalar, sizeof scalar);
        check_keygen(scalar);
    }
}

Test(x25519, takes_the_same_cycles_for_every_scalar_and_peer)
{
    uint8_t scalar[32], peer[32];
    for (int i = 0; i < 1000; i++) {
        rig_random(scalar, sizeof scalar);
        rig_random(peer, sizeof peer);
        if (i == 0)
            memset(scalar, 0, sizeof scalar);
        if (i == 1)
            memset(peer, 0, sizeof peer);
        // contexts * (load + slots + wipe + unload) + 128
        cr_assert_eq(rig_request(EPH_OP_DERIVE, scalar, peer).cycles, 64 * (2 + 2820 + 4 + 4) + 128);
        cr_assert_eq(rig_request(EPH_OP_KEYGEN, scalar, NULL).cycles, 64 * (1 + 572 + 3 + 5) + 128);
    }
}

Test(x25519, counts_cycles_in_proportion_to_contexts)
{
    struct eph_sqe sqe = {.opcode = EPH_OP_KEYGEN, .curve = EPH_CURVE_X25519, .blind = {1}};
    struct eph_cqe cqe;
    eph_model_execute(68, &sqe, &cqe);
    cr_assert_eq(cqe.cycles, 68 * (1 + 572 + 3 + 5) + 128);
}

Test(x25519, answers_unknown_operations_and_curves_without_touching_operands)
{
    for (unsigned opcode = 0; opcode < 256; opcode++)
        for (unsigned curve = 0; curve < 256; curve++) {
            struct eph_sqe sqe = {
                .opcode = (uint8_t)opcode, .curve = (uint8_t)curve, .tag = 7, .scalar = {1}, .blind = {1}};
            struct eph_cqe cqe;
            bool known_op = opcode == EPH_OP_KEYGEN || opcode == EPH_OP_DERIVE;
            if (known_op && curve == EPH_CURVE_X25519)
                continue;
            eph_model_execute(RIG_CONTEXTS, &sqe, &cqe);
            cr_assert_eq(cqe.status, known_op ? EPH_ST_BAD_CURVE : EPH_ST_BAD_OP);
            cr_assert_eq(cqe.tag, 7);
            cr_assert_arr_eq(cqe.result, zeros, sizeof cqe.result);
        }
}

Test(x25519, programs_keep_their_size)
{
    static const struct {
        const char *name;
        unsigned slots, live;
    } pinned[] = {{"x25519_derive", 2820, 8}, {"x25519_keygen", 572, 8}};
    cr_assert_eq(eph_ucode.program_count, 2);
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_str_eq(eph_ucode.programs[i].name, pinned[i].name);
        cr_assert_eq(eph_ucode.programs[i].slots, pinned[i].slots);
        cr_assert_eq(eph_ucode.programs[i].live, pinned[i].live);
    }
}
