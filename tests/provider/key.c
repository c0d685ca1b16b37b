// SPDX-License-Identifier: Apache-2.0
// Keys of our X25519 key manager behave as the default provider's, in software and on the device alike
// (EPH_TEST_SECTION).
#include "rig.h"

#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/proverr.h>
#include <openssl/rand.h>
#include <string.h>

static struct rig rig;

static void setup(void)
{
    const char *section = getenv("EPH_TEST_DEVICE");
    char text[256];
    snprintf(text, sizeof text, "device = %s\noffload = %s\n", section ? section : "sim:model",
             section ? "always" : "never");
    rig_open(&rig, text);
}

static void teardown(void)
{
    rig_close(&rig);
}

TestSuite(key, .init = setup, .fini = teardown);

Test(key, agrees_with_a_stock_peer_both_ways)
{
    for (int i = 0; i < 8; i++)
        rig_agree(&rig);
    cr_assert_eq(rig_fallbacks(&rig), 0);
}

Test(key, raw_private_key_gives_the_stock_public_key)
{
    uint8_t scalar[32], ours_u[32], stock_u[32], back[32];
    for (int i = 0; i < 8; i++) {
        size_t bytes = 32;
        RAND_bytes(scalar, sizeof scalar);
        EVP_PKEY *ours = rig_private(rig.ours, scalar), *stock = rig_private(rig.stock, scalar);
        cr_assert(rig_is_ours(ours));
        cr_assert(EVP_PKEY_get_raw_public_key(ours, ours_u, &bytes) &&
                  EVP_PKEY_get_raw_public_key(stock, stock_u, &bytes));
        cr_assert_arr_eq(ours_u, stock_u, 32);
        cr_assert(EVP_PKEY_get_raw_private_key(ours, back, &bytes));
        cr_assert_arr_eq(back, scalar, 32, "an imported scalar comes back as it was, not clamped");
        EVP_PKEY_free(ours);
        EVP_PKEY_free(stock);
    }
}

Test(key, generated_scalar_is_clamped_and_belongs_to_its_public_key)
{
    uint8_t scalar[32], u[32], stock_u[32];
    size_t bytes = 32;
    EVP_PKEY *ours = rig_generate(rig.ours);
    cr_assert(EVP_PKEY_get_raw_private_key(ours, scalar, &bytes) && EVP_PKEY_get_raw_public_key(ours, u, &bytes));
    cr_assert_eq(scalar[0] & 7, 0);
    cr_assert_eq(scalar[31] & 0xc0, 0x40);
    EVP_PKEY *stock = rig_private(rig.stock, scalar);
    cr_assert(EVP_PKEY_get_raw_public_key(stock, stock_u, &bytes));
    cr_assert_arr_eq(u, stock_u, 32);
    EVP_PKEY_free(ours);
    EVP_PKEY_free(stock);
}

Test(key, says_of_itself_what_stock_says)
{
    EVP_PKEY *ours = rig_generate(rig.ours), *stock = rig_generate(rig.stock);
    cr_assert_eq(EVP_PKEY_get_bits(ours), EVP_PKEY_get_bits(stock));
    cr_assert_eq(EVP_PKEY_get_security_bits(ours), EVP_PKEY_get_security_bits(stock));
    cr_assert_eq(EVP_PKEY_get_size(ours), EVP_PKEY_get_size(stock));
    cr_assert_str_eq(EVP_PKEY_get0_type_name(ours), EVP_PKEY_get0_type_name(stock));
    EVP_PKEY_free(ours);
    EVP_PKEY_free(stock);
}

Test(key, survives_pem)
{
    BIO *file = BIO_new(BIO_s_mem());
    EVP_PKEY *ours = rig_generate(rig.ours);
    cr_assert(PEM_write_bio_PrivateKey(file, ours, NULL, NULL, 0, NULL, NULL));
    EVP_PKEY *read = PEM_read_bio_PrivateKey_ex(file, NULL, NULL, NULL, rig.stock, NULL);
    cr_assert(read != NULL);
    cr_assert_eq(EVP_PKEY_eq(ours, read), 1);
    EVP_PKEY_free(read);
    cr_assert(PEM_write_bio_PUBKEY(file, ours));
    read = PEM_read_bio_PUBKEY_ex(file, NULL, NULL, NULL, rig.ours, NULL);
    cr_assert(read != NULL);
    cr_assert_eq(EVP_PKEY_eq(ours, read), 1);
    EVP_PKEY_free(read);
    EVP_PKEY_free(ours);
    BIO_free(file);
}

Test(key, duplicate_equals_its_origin_and_outlives_it)
{
    uint8_t secret[32], again[32];
    EVP_PKEY *ours = rig_generate(rig.ours), *peer = rig_generate(rig.ours);
    EVP_PKEY *copy = EVP_PKEY_dup(ours);
    cr_assert(copy != NULL);
    cr_assert_eq(EVP_PKEY_eq(ours, copy), 1);
    cr_assert_neq(EVP_PKEY_eq(ours, peer), 1);
    cr_assert(rig_derive(rig.ours, ours, peer, secret));
    EVP_PKEY_free(ours);
    cr_assert(rig_derive(rig.ours, copy, peer, again));
    cr_assert_arr_eq(secret, again, 32);
    EVP_PKEY_free(copy);
    EVP_PKEY_free(peer);
}

Test(key, check_finds_a_pair_that_does_not_belong_together)
{
    uint8_t scalar[32], u[32];
    RAND_bytes(scalar, sizeof scalar);
    RAND_bytes(u, sizeof u);
    OSSL_PARAM params[] = {OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, scalar, 32),
                           OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, u, 32), OSSL_PARAM_END};
    EVP_PKEY *wrong = NULL, *good = rig_generate(rig.ours);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(rig.ours, "X25519", NULL);
    cr_assert(EVP_PKEY_fromdata_init(context) > 0 && EVP_PKEY_fromdata(context, &wrong, EVP_PKEY_KEYPAIR, params) > 0);
    EVP_PKEY_CTX_free(context);
    context = EVP_PKEY_CTX_new_from_pkey(rig.ours, wrong, NULL);
    cr_assert_neq(EVP_PKEY_check(context), 1);
    cr_assert_eq(EVP_PKEY_public_check(context), 1);
    EVP_PKEY_CTX_free(context);
    context = EVP_PKEY_CTX_new_from_pkey(rig.ours, good, NULL);
    cr_assert_eq(EVP_PKEY_check(context), 1);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(wrong);
    EVP_PKEY_free(good);
}

Test(key, encoded_public_key_replaces_the_private_one)
{
    uint8_t u[32], secret[32], *encoded = NULL;
    RAND_bytes(u, sizeof u);
    EVP_PKEY *key = rig_generate(rig.ours), *peer = rig_generate(rig.ours);
    cr_assert_eq(EVP_PKEY_set1_encoded_public_key(key, u, 32), 1);
    cr_assert_eq(EVP_PKEY_get1_encoded_public_key(key, &encoded), 32);
    cr_assert_arr_eq(encoded, u, 32);
    OPENSSL_free(encoded);
    cr_assert(!rig_derive(rig.ours, key, peer, secret), "no private key, no secret");
    EVP_PKEY_free(key);
    EVP_PKEY_free(peer);
}

Test(key, wrong_lengths_are_clear_errors)
{
    uint8_t bytes[33] = {9};
    const char *detail = NULL;
    EVP_PKEY *key = rig_generate(rig.ours);
    for (size_t n = 31; n <= 33; n += 2) {
        ERR_clear_error();
        cr_assert(EVP_PKEY_new_raw_public_key_ex(rig.ours, "X25519", NULL, bytes, n) == NULL);
        cr_assert_eq(ERR_GET_REASON(ERR_peek_error_all(NULL, NULL, NULL, &detail, NULL)), PROV_R_INVALID_KEY_LENGTH);
        cr_assert(strstr(detail, "bytes, X25519 has 32") != NULL, "%s", detail);
        cr_assert(EVP_PKEY_new_raw_private_key_ex(rig.ours, "X25519", NULL, bytes, n) == NULL);
        cr_assert_neq(EVP_PKEY_set1_encoded_public_key(key, bytes, n), 1);
    }
    ERR_clear_error();
    EVP_PKEY_free(key);
}

Test(key, wrong_group_name_is_refused_and_the_right_one_taken)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(rig.ours, "X25519", NULL);
    cr_assert(EVP_PKEY_keygen_init(context) > 0);
    OSSL_PARAM wrong[] = {OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, "x448", 0), OSSL_PARAM_END};
    cr_assert(EVP_PKEY_CTX_set_params(context, wrong) <= 0);
    cr_assert(EVP_PKEY_CTX_set_group_name(context, "X25519") > 0);
    cr_assert(EVP_PKEY_generate(context, &key) > 0);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(context);
}

Test(key, parameters_alone_are_no_operation)
{
    EVP_PKEY *parameters = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(rig.ours, "X25519", NULL);
    cr_assert(EVP_PKEY_paramgen_init(context) > 0 && EVP_PKEY_generate(context, &parameters) > 0);
    EVP_PKEY_free(parameters);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(rig_generate(rig.ours));
    struct eph_stats_counters counters = rig_counters(&rig);
    uint64_t operations = 0;
    for (unsigned s = 0; s < EPH_STATS_SERIES; s++)
        operations += counters.operations[s];
    cr_assert_eq(operations, 1);
}

Test(key, callbacks_survive_without_a_context)
{
    EVP_KEYMGMT *manager = EVP_KEYMGMT_fetch(rig.ours, "X25519", "provider=ephemera");
    EVP_KEYEXCH *exchange = EVP_KEYEXCH_fetch(rig.ours, "X25519", "provider=ephemera");
    cr_assert(manager != NULL && exchange != NULL);
    cr_assert(EVP_KEYMGMT_gettable_params(manager) != NULL);
    cr_assert(EVP_KEYMGMT_settable_params(manager) != NULL);
    cr_assert(EVP_KEYMGMT_gen_settable_params(manager) != NULL);
    EVP_KEYEXCH_gettable_ctx_params(exchange);
    EVP_KEYEXCH_settable_ctx_params(exchange);
    EVP_KEYMGMT_free(manager);
    EVP_KEYEXCH_free(exchange);
}
