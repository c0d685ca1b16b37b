// SPDX-License-Identifier: Apache-2.0
// ECDH through our provider: what libssl and tools do with it.
#include "ec_rig.h"
#include "wycheproof.h"

#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct rig rig;

static void setup(void)
{
    ec_rig_open(&rig);
}

static void teardown(void)
{
    rig_close(&rig);
}

TestSuite(ec_exchange, .init = setup, .fini = teardown, .timeout = 60);

// The same pair and peer, in our context and in a stock one.
struct twin {
    EVP_PKEY *ours, *ours_peer, *stock, *stock_peer;
};

static struct twin twin_new(const char *curve)
{
    struct twin twin = {.ours = ec_rig_generate(rig.ours, curve), .ours_peer = ec_rig_generate(rig.ours, curve)};
    twin.stock = ec_rig_moved(rig.stock, twin.ours, EVP_PKEY_KEYPAIR);
    twin.stock_peer = ec_rig_moved(rig.stock, twin.ours_peer, EVP_PKEY_PUBLIC_KEY);
    return twin;
}

static void twin_free(struct twin *twin)
{
    EVP_PKEY_free(twin->ours);
    EVP_PKEY_free(twin->ours_peer);
    EVP_PKEY_free(twin->stock);
    EVP_PKEY_free(twin->stock_peer);
}

// A derivation with parameters (or NULL) and this much room; its length, -1 when it fails. query: the length asked
// first.
static int derive(OSSL_LIB_CTX *libctx, EVP_PKEY *own, EVP_PKEY *peer, const OSSL_PARAM *params, uint8_t secret[256],
                  size_t room, size_t *query)
{
    size_t bytes = room;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, own, NULL);
    bool good = EVP_PKEY_derive_init_ex(context, params) > 0 && EVP_PKEY_derive_set_peer(context, peer) > 0 &&
                EVP_PKEY_derive(context, NULL, query) > 0 && EVP_PKEY_derive(context, secret, &bytes) > 0;
    EVP_PKEY_CTX_free(context);
    return good ? (int)bytes : -1;
}

static void assert_same_derivation(const struct twin *twin, const OSSL_PARAM *params, size_t room, const char *what)
{
    uint8_t ours[256] = {0}, stock[256] = {0};
    size_t ours_query = 0, stock_query = 0;
    int ours_bytes = derive(rig.ours, twin->ours, twin->ours_peer, params, ours, room, &ours_query);
    int stock_bytes = derive(rig.stock, twin->stock, twin->stock_peer, params, stock, room, &stock_query);
    ERR_clear_error();
    cr_assert_eq(ours_bytes, stock_bytes, "%s, room %zu: %d, stock %d", what, room, ours_bytes, stock_bytes);
    cr_assert_eq(ours_query, stock_query, "%s: %zu, stock %zu", what, ours_query, stock_query);
    cr_assert_arr_eq(ours, stock, sizeof ours, "%s", what);
}

Test(ec_exchange, size_query_is_no_operation)
{
    struct twin twin = twin_new("P-256");
    size_t bytes = 0;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(rig.ours, twin.ours, NULL);
    cr_assert(EVP_PKEY_derive_init(context) > 0 && EVP_PKEY_derive_set_peer(context, twin.ours_peer) > 0);
    cr_assert(EVP_PKEY_derive(context, NULL, &bytes) > 0);
    cr_assert_eq(bytes, 32);
    cr_assert_eq(ec_rig_operations(&rig, EPH_CURVE_P256, EPH_OP_DERIVE), 0);
    uint8_t secret[32];
    cr_assert(EVP_PKEY_derive(context, secret, &bytes) > 0);
    cr_assert_eq(ec_rig_operations(&rig, EPH_CURVE_P256, EPH_OP_DERIVE), 1);
    EVP_PKEY_CTX_free(context);
    twin_free(&twin);
}

Test(ec_exchange, any_room_and_cofactor_mode_give_what_stock_gives)
{
    for (size_t c = 0; c < EC_RIG_CURVES; c++) {
        struct twin twin = twin_new(ec_rig_curves[c].name);
        assert_same_derivation(&twin, NULL, 256, ec_rig_curves[c].name);
        assert_same_derivation(&twin, NULL, ec_rig_curves[c].bytes, ec_rig_curves[c].name);
        assert_same_derivation(&twin, NULL, ec_rig_curves[c].bytes - 1, ec_rig_curves[c].name);
        for (int mode = -2; mode <= 2; mode++) {
            OSSL_PARAM params[] = {OSSL_PARAM_int(OSSL_EXCHANGE_PARAM_EC_ECDH_COFACTOR_MODE, &mode), OSSL_PARAM_END};
            assert_same_derivation(&twin, params, 256, "cofactor mode");
        }
        twin_free(&twin);
    }
}

Test(ec_exchange, key_derivation_functions_are_those_of_stock)
{
    static const char *const kdfs[] = {OSSL_KDF_NAME_X963KDF, "NONSENSE", ""};
    for (size_t c = 0; c < EC_RIG_CURVES; c++)
        for (size_t k = 0; k < 3; k++) {
            struct twin twin = twin_new(ec_rig_curves[c].name);
            uint8_t material[] = {1, 2, 3};
            size_t length = 100;
            OSSL_PARAM params[] = {
                OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_TYPE, (char *)kdfs[k], strlen(kdfs[k])),
                OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_DIGEST, "SHA384", sizeof "SHA384" - 1),
                OSSL_PARAM_size_t(OSSL_EXCHANGE_PARAM_KDF_OUTLEN, &length),
                OSSL_PARAM_octet_string(OSSL_EXCHANGE_PARAM_KDF_UKM, material, sizeof material),
                OSSL_PARAM_END,
            };
            assert_same_derivation(&twin, params, 256, kdfs[k]);
            assert_same_derivation(&twin, params, 99, kdfs[k]);
            twin_free(&twin);
        }
    cr_assert(ec_rig_operations(&rig, EPH_CURVE_P256, EPH_OP_DERIVE) >= 2,
              "with a KDF it is an operation all the same");
}

// Sets the peer and says with which error, 0 for none.
static unsigned long set_peer_error(OSSL_LIB_CTX *libctx, EVP_PKEY *own, EVP_PKEY *peer)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, own, NULL);
    cr_assert(EVP_PKEY_derive_init(context) > 0);
    ERR_clear_error();
    bool set = EVP_PKEY_derive_set_peer(context, peer) > 0;
    unsigned long error = ERR_peek_error();
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    cr_assert(set || error != 0);
    return set ? 0 : error;
}

Test(ec_exchange, peer_of_another_curve_is_refused_as_in_stock)
{
    for (size_t c = 0; c < EC_RIG_CURVES; c++)
        for (size_t p = 0; p < EC_RIG_CURVES; p++) {
            EVP_PKEY *own = ec_rig_generate(rig.ours, ec_rig_curves[c].name),
                     *stock = ec_rig_moved(rig.stock, own, EVP_PKEY_KEYPAIR);
            EVP_PKEY *peer = ec_rig_generate(rig.ours, ec_rig_curves[p].name),
                     *stock_peer = ec_rig_moved(rig.stock, peer, EVP_PKEY_PUBLIC_KEY);
            unsigned long error = set_peer_error(rig.ours, own, peer);
            cr_assert_eq(error, set_peer_error(rig.stock, stock, stock_peer));
            cr_assert_eq(error == 0, c == p);
            EVP_PKEY_free(own);
            EVP_PKEY_free(stock);
            EVP_PKEY_free(peer);
            EVP_PKEY_free(stock_peer);
        }
}

Test(ec_exchange, needs_a_peer_and_a_private_key)
{
    uint8_t secret[66];
    size_t bytes = sizeof secret;
    struct twin twin = twin_new("P-256");
    EVP_PKEY *half = ec_rig_moved(rig.ours, twin.ours, EVP_PKEY_PUBLIC_KEY);
    cr_assert(!ec_rig_derive(rig.ours, half, twin.ours_peer, secret, &bytes));
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(rig.ours, twin.ours, NULL);
    cr_assert(EVP_PKEY_derive_init(context) > 0);
    cr_assert(EVP_PKEY_derive(context, secret, &bytes) <= 0);
    EVP_PKEY_CTX_free(context);
    cr_assert_eq(ec_rig_operations(&rig, EPH_CURVE_P256, EPH_OP_DERIVE), 0);
    ERR_clear_error();
    EVP_PKEY_free(half);
    twin_free(&twin);
}

Test(ec_exchange, duplicated_context_derives_the_same)
{
    for (int with_params = 0; with_params < 2; with_params++) {
        uint8_t first[32], second[32];
        size_t bytes = 32;
        int mode = 1;
        OSSL_PARAM params[] = {OSSL_PARAM_int(OSSL_EXCHANGE_PARAM_EC_ECDH_COFACTOR_MODE, &mode), OSSL_PARAM_END};
        struct twin twin = twin_new("P-256");
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(rig.ours, twin.ours, NULL);
        cr_assert(EVP_PKEY_derive_init_ex(context, with_params ? params : NULL) > 0 &&
                  EVP_PKEY_derive_set_peer(context, twin.ours_peer) > 0);
        EVP_PKEY_CTX *copy = EVP_PKEY_CTX_dup(context);
        cr_assert(copy != NULL);
        cr_assert(EVP_PKEY_derive(context, first, &bytes) > 0);
        EVP_PKEY_CTX_free(context);
        cr_assert(EVP_PKEY_derive(copy, second, &bytes) > 0);
        cr_assert_arr_eq(first, second, 32);
        EVP_PKEY_CTX_free(copy);
        twin_free(&twin);
    }
}

Test(ec_exchange, reads_its_parameters_back)
{
    struct twin twin = twin_new("P-256");
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(rig.ours, twin.ours, NULL);
    cr_assert(EVP_PKEY_derive_init(context) > 0);
    int mode = 1, read = -7;
    OSSL_PARAM set[] = {OSSL_PARAM_int(OSSL_EXCHANGE_PARAM_EC_ECDH_COFACTOR_MODE, &mode), OSSL_PARAM_END};
    OSSL_PARAM get[] = {OSSL_PARAM_int(OSSL_EXCHANGE_PARAM_EC_ECDH_COFACTOR_MODE, &read), OSSL_PARAM_END};
    cr_assert(EVP_PKEY_CTX_get_params(context, get) > 0);
    cr_assert_eq(read, 0);
    cr_assert(EVP_PKEY_CTX_set_params(context, set) > 0 && EVP_PKEY_CTX_get_params(context, get) > 0);
    cr_assert_eq(read, 1);
    EVP_PKEY_CTX_free(context);
    twin_free(&twin);
}

// offload=always: the device has no P-256 program that we can use; that is policy and said so, not a fallback.
Test(ec_exchange, curves_that_are_not_offloaded_are_no_fallback)
{
    rig_close(&rig);
    rig_open(&rig, "device = sim:model\noffload = always\n");
    for (size_t c = 0; c < EC_RIG_CURVES; c++)
        ec_rig_agree(&rig, &ec_rig_curves[c]);
    struct eph_stats_counters counters = rig_counters(&rig);
    cr_assert_eq(counters.policy[EPH_POLICY_CURVE], 2 * EC_RIG_OURS);
    cr_assert_eq(rig_fallbacks(&rig), 0);
    uint64_t sum = 0;
    for (unsigned s = 0; s < EPH_STATS_SERIES; s++)
        sum += counters.operations[s];
    cr_assert_eq(sum, 2 * EC_RIG_OURS, "other curves are not counted");
}

static double cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

// What this key manager is for: default 3.0 multiplies by the order, which costs as much as the derivation. CPU time of
// this thread, least of many rounds: what else the machine does is not in it.
Test(ec_exchange, taking_a_peer_costs_a_fraction_of_a_derivation)
{
    for (size_t c = 0; c < EC_RIG_OURS; c++) {
        struct twin twin = twin_new(ec_rig_curves[c].name);
        double least_peer = 1e9, least_derive = 1e9;
        uint8_t octets[EC_RIG_MAX_OCTETS], secret[66];
        size_t octets_bytes = ec_rig_octets(twin.ours_peer, octets);
        for (int round = 0; round < 20; round++) {
            size_t bytes = sizeof secret;
            double start = cpu_us();
            EVP_PKEY *peer = ec_rig_public(rig.ours, ec_rig_curves[c].name, octets, octets_bytes);
            EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(rig.ours, twin.ours, NULL);
            cr_assert(EVP_PKEY_derive_init(context) > 0 && EVP_PKEY_derive_set_peer(context, peer) > 0);
            double taken = cpu_us();
            cr_assert(EVP_PKEY_derive(context, secret, &bytes) > 0);
            double derived = cpu_us();
            EVP_PKEY_CTX_free(context);
            EVP_PKEY_free(peer);
            least_peer = taken - start < least_peer ? taken - start : least_peer;
            least_derive = derived - taken < least_derive ? derived - taken : least_derive;
        }
        cr_assert(least_peer < least_derive / 2, "%s: %.1f us, a derivation takes %.1f us", ec_rig_curves[c].name,
                  least_peer, least_derive);
        twin_free(&twin);
    }
}

static EVP_PKEY *private_key(const uint8_t scalar[32])
{
    EVP_PKEY *key = NULL;
    BIGNUM *secret = BN_bin2bn(scalar, 32, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    cr_assert(OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) &&
              OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, secret));
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(rig.ours, "EC", NULL);
    cr_assert(EVP_PKEY_fromdata_init(context) > 0 && EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) > 0);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    BN_free(secret);
    cr_assert(rig_is_ours(key));
    return key;
}

Test(ec_exchange, wycheproof)
{
    struct eph_p256_vector *vectors = NULL;
    size_t n = eph_wycheproof_p256(&vectors), derivations = 0;
    cr_assert_eq(n, EPH_P256_VECTORS);
    for (size_t i = 0; i < n; i++) {
        uint8_t secret[32];
        size_t bytes = sizeof secret;
        EVP_PKEY *own = private_key(vectors[i].scalar);
        EVP_PKEY *peer = ec_rig_public(rig.ours, "P-256", vectors[i].peer, vectors[i].peer_bytes);
        bool derived = peer != NULL && ec_rig_derive(rig.ours, own, peer, secret, &bytes);
        cr_assert_eq(derived, vectors[i].result != EPH_WYCHEPROOF_INVALID, "tcId %u", vectors[i].id);
        if (derived)
            cr_assert_arr_eq(secret, vectors[i].shared, 32, "tcId %u", vectors[i].id);
        derivations += derived;
        EVP_PKEY_free(own);
        EVP_PKEY_free(peer);
    }
    free(vectors);
    ERR_clear_error();
    cr_assert_eq(derivations, 331);
    cr_assert_eq(ec_rig_operations(&rig, EPH_CURVE_P256, EPH_OP_DERIVE), derivations);
}
