// SPDX-License-Identifier: Apache-2.0
// Derivation with EPH_TEST_DEVICE or in software: what libssl and tools do with it, and what must be refused.
#include "rig.h"
#include "wycheproof.h"

#include <criterion/criterion.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;

static void setup(void)
{
    const char *device = getenv("EPH_TEST_DEVICE");
    char text[256];
    snprintf(text, sizeof text, "device = %s\noffload = %s\n", device ? device : "sim:model",
             device ? "always" : "never");
    rig_open(&rig, text);
}

static void teardown(void)
{
    rig_close(&rig);
}

TestSuite(exchange, .init = setup, .fini = teardown, .timeout = 120);

static uint64_t derives(void)
{
    return rig_operations(&rig, EPH_OP_DERIVE, EPH_STATS_SERVED_DEVICE) +
           rig_operations(&rig, EPH_OP_DERIVE, EPH_STATS_SERVED_SOFTWARE);
}

Test(exchange, size_query_is_no_operation)
{
    uint8_t secret[64];
    size_t bytes = 0;
    EVP_PKEY *own = rig_generate(rig.ours), *peer = rig_generate(rig.ours);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(rig.ours, own, NULL);
    cr_assert(EVP_PKEY_derive_init(context) > 0 && EVP_PKEY_derive_set_peer(context, peer) > 0);
    cr_assert(EVP_PKEY_derive(context, NULL, &bytes) > 0);
    cr_assert_eq(bytes, 32);
    cr_assert_eq(derives(), 0);
    bytes = 31;
    cr_assert(EVP_PKEY_derive(context, secret, &bytes) <= 0, "31 bytes of room are too few");
    cr_assert_eq(derives(), 0);
    bytes = sizeof secret;
    cr_assert(EVP_PKEY_derive(context, secret, &bytes) > 0);
    cr_assert_eq(bytes, 32);
    cr_assert_eq(derives(), 1);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(own);
    EVP_PKEY_free(peer);
}

Test(exchange, needs_a_peer_and_a_private_key)
{
    uint8_t secret[32], u[32] = {9};
    size_t bytes = sizeof secret;
    EVP_PKEY *own = rig_generate(rig.ours), *half = rig_public(rig.ours, u);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(rig.ours, own, NULL);
    cr_assert(EVP_PKEY_derive_init(context) > 0);
    cr_assert(EVP_PKEY_derive(context, secret, &bytes) <= 0);
    EVP_PKEY_CTX_free(context);
    cr_assert(!rig_derive(rig.ours, half, own, secret));
    cr_assert_eq(derives(), 0);
    EVP_PKEY_free(own);
    EVP_PKEY_free(half);
}

Test(exchange, duplicated_context_derives_the_same)
{
    uint8_t first[32], second[32];
    size_t bytes = 32;
    EVP_PKEY *own = rig_generate(rig.ours), *peer = rig_generate(rig.ours);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(rig.ours, own, NULL);
    cr_assert(EVP_PKEY_derive_init(context) > 0 && EVP_PKEY_derive_set_peer(context, peer) > 0);
    EVP_PKEY_CTX *copy = EVP_PKEY_CTX_dup(context);
    cr_assert(copy != NULL);
    cr_assert(EVP_PKEY_derive(context, first, &bytes) > 0);
    EVP_PKEY_CTX_free(context);
    cr_assert(EVP_PKEY_derive(copy, second, &bytes) > 0);
    cr_assert_arr_eq(first, second, 32);
    EVP_PKEY_CTX_free(copy);
    EVP_PKEY_free(own);
    EVP_PKEY_free(peer);
}

// The seven low-order u below p of curve and twist, and 0 and 1 written as p and p + 1, each with and without bit 255.
Test(exchange, refuses_every_low_order_peer)
{
    static const uint8_t low[][32] = {
        {0},
        {1},
        {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
         0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
        {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
         0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
        {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    };
    EVP_PKEY *own = rig_generate(rig.ours);
    for (size_t i = 0; i < sizeof low / sizeof low[0] * 2; i++) {
        uint8_t u[32], secret[32] = {0xaa}, untouched[32] = {0xaa};
        memcpy(u, low[i / 2], 32);
        u[31] |= i % 2 ? 0x80 : 0;
        EVP_PKEY *peer = rig_public(rig.ours, u);
        cr_assert(!rig_derive(rig.ours, own, peer, secret), "low-order point %zu", i / 2);
        cr_assert_arr_eq(secret, untouched, 32, "nothing leaves");
        EVP_PKEY_free(peer);
    }
    ERR_clear_error();
    cr_assert_eq(rig_fallbacks(&rig), 0);
    EVP_PKEY_free(own);
}

Test(exchange, wycheproof)
{
    struct eph_x25519_vector *vectors = NULL;
    size_t n = eph_wycheproof_x25519(&vectors);
    cr_assert_eq(n, EPH_X25519_VECTORS);
    for (size_t i = 0; i < n; i++) {
        uint8_t secret[32];
        EVP_PKEY *own = rig_private(rig.ours, vectors[i].scalar), *peer = rig_public(rig.ours, vectors[i].peer);
        bool derived = rig_derive(rig.ours, own, peer, secret);
        cr_assert_eq(derived, !vectors[i].zero_shared, "tcId %u", vectors[i].id);
        if (derived)
            cr_assert_arr_eq(secret, vectors[i].shared, 32, "tcId %u", vectors[i].id);
        EVP_PKEY_free(own);
        EVP_PKEY_free(peer);
    }
    free(vectors);
    ERR_clear_error();
    cr_assert_eq(rig_fallbacks(&rig), 0);
    cr_assert_eq(rig_operations(&rig, EPH_OP_DERIVE,
                                getenv("EPH_TEST_DEVICE") ? EPH_STATS_SERVED_DEVICE : EPH_STATS_SERVED_SOFTWARE),
                 n);
}
