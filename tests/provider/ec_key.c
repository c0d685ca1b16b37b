// SPDX-License-Identifier: Apache-2.0
// Keys of our EC key manager behave as the default provider's, on curves of ours and on others.
#include "ec_rig.h"

#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <string.h>

static struct rig rig;

static void setup(void)
{
    ec_rig_open(&rig);
}

static void teardown(void)
{
    rig_close(&rig);
}

TestSuite(ec_key, .init = setup, .fini = teardown, .timeout = 60);

Test(ec_key, agrees_with_a_stock_peer_both_ways)
{
    for (size_t c = 0; c < EC_RIG_CURVES; c++)
        for (int i = 0; i < 4; i++)
            ec_rig_agree(&rig, &ec_rig_curves[c]);
    for (size_t c = 0; c < EC_RIG_OURS; c++) {
        cr_assert_eq(ec_rig_operations(&rig, ec_rig_curves[c].id, EPH_OP_KEYGEN), 4);
        cr_assert_eq(ec_rig_operations(&rig, ec_rig_curves[c].id, EPH_OP_DERIVE), 4);
    }
    cr_assert_eq(rig_counters(&rig).policy[EPH_POLICY_NEVER], 24);
    cr_assert_eq(rig_fallbacks(&rig), 0);
}

// Every parameter that stock has, read from both.
static void assert_same_parameters(EVP_PKEY *ours, EVP_PKEY *stock, const char *what)
{
    const OSSL_PARAM *gettable = EVP_PKEY_gettable_params(stock);
    size_t compared = 0;
    cr_assert(gettable != NULL);
    for (; gettable->key != NULL; gettable++) {
        uint8_t ours_value[1024] = {0}, stock_value[1024] = {0};
        OSSL_PARAM from_ours[] = {
            {gettable->key, gettable->data_type, ours_value, sizeof ours_value, OSSL_PARAM_UNMODIFIED}, OSSL_PARAM_END};
        OSSL_PARAM from_stock[] = {
            {gettable->key, gettable->data_type, stock_value, sizeof stock_value, OSSL_PARAM_UNMODIFIED},
            OSSL_PARAM_END};
        int ours_got = EVP_PKEY_get_params(ours, from_ours), stock_got = EVP_PKEY_get_params(stock, from_stock);
        cr_assert_eq(ours_got, stock_got, "%s: %s", what, gettable->key);
        cr_assert_eq(from_ours->return_size, from_stock->return_size, "%s: %s", what, gettable->key);
        cr_assert_arr_eq(ours_value, stock_value, sizeof ours_value, "%s: %s", what, gettable->key);
        compared += stock_got == 1 && OSSL_PARAM_modified(from_stock);
    }
    cr_assert(compared > 10, "%s: %zu", what, compared);
    cr_assert_eq(EVP_PKEY_get_bits(ours), EVP_PKEY_get_bits(stock));
    cr_assert_eq(EVP_PKEY_get_security_bits(ours), EVP_PKEY_get_security_bits(stock));
    cr_assert_eq(EVP_PKEY_get_size(ours), EVP_PKEY_get_size(stock));
    cr_assert_str_eq(EVP_PKEY_get0_type_name(ours), EVP_PKEY_get0_type_name(stock));
}

Test(ec_key, says_of_itself_what_stock_says)
{
    static const int selections[] = {EVP_PKEY_KEYPAIR, EVP_PKEY_PUBLIC_KEY, EVP_PKEY_KEY_PARAMETERS};
    for (size_t c = 0; c < EC_RIG_CURVES; c++) {
        const char *name = ec_rig_curves[c].name;
        EVP_PKEY *ours = ec_rig_generate(rig.ours, name), *stock = ec_rig_moved(rig.stock, ours, EVP_PKEY_KEYPAIR);
        assert_same_parameters(ours, stock, name);
        for (size_t s = 0; s < sizeof selections / sizeof selections[0]; s++) {
            EVP_PKEY *back = ec_rig_moved(rig.ours, stock, selections[s]),
                     *same = ec_rig_moved(rig.stock, stock, selections[s]);
            cr_assert(rig_is_ours(back));
            assert_same_parameters(back, same, name);
            EVP_PKEY_free(back);
            EVP_PKEY_free(same);
        }
        EVP_PKEY *ours_parameters = ec_rig_parameters(rig.ours, name),
                 *stock_parameters = ec_rig_parameters(rig.stock, name);
        assert_same_parameters(ours_parameters, stock_parameters, name);
        EVP_PKEY_free(ours_parameters);
        EVP_PKEY_free(stock_parameters);
        EVP_PKEY_free(ours);
        EVP_PKEY_free(stock);
    }
}

Test(ec_key, peer_set_as_libssl_does_says_what_stock_says)
{
    for (size_t c = 0; c < EC_RIG_CURVES; c++) {
        uint8_t octets[EC_RIG_MAX_OCTETS];
        EVP_PKEY *key = ec_rig_generate(rig.stock, ec_rig_curves[c].name);
        size_t bytes = ec_rig_octets(key, octets);
        EVP_PKEY *ours = ec_rig_public(rig.ours, ec_rig_curves[c].name, octets, bytes);
        EVP_PKEY *stock = ec_rig_public(rig.stock, ec_rig_curves[c].name, octets, bytes);
        assert_same_parameters(ours, stock, ec_rig_curves[c].name);
        cr_assert_eq(EVP_PKEY_eq(ours, key), 1);
        EVP_PKEY_free(ours);
        EVP_PKEY_free(stock);
        EVP_PKEY_free(key);
    }
}

// Attributes that decide how a key is written and used: set in every order, on parameters, peers and pairs.
Test(ec_key, attributes_are_those_of_stock)
{
    static const char *const formats[] = {"compressed", "hybrid", "uncompressed"};
    for (size_t c = 0; c < EC_RIG_CURVES; c++)
        for (size_t f = 0; f < 3; f++) {
            int cofactor = (int)f % 2;
            OSSL_PARAM attributes[] = {
                OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, (char *)formats[f],
                                       strlen(formats[f])),
                OSSL_PARAM_int(OSSL_PKEY_PARAM_USE_COFACTOR_ECDH, &cofactor),
                OSSL_PARAM_END,
            };
            uint8_t octets[EC_RIG_MAX_OCTETS];
            EVP_PKEY *ours = ec_rig_generate(rig.ours, ec_rig_curves[c].name);
            size_t bytes = ec_rig_octets(ours, octets);
            EVP_PKEY *stock = ec_rig_moved(rig.stock, ours, EVP_PKEY_KEYPAIR);
            EVP_PKEY *ours_peer = ec_rig_public(rig.ours, ec_rig_curves[c].name, octets, bytes);
            EVP_PKEY *stock_peer = ec_rig_public(rig.stock, ec_rig_curves[c].name, octets, bytes);
            cr_assert_eq(EVP_PKEY_set_params(ours, attributes), EVP_PKEY_set_params(stock, attributes));
            cr_assert_eq(EVP_PKEY_set_params(ours_peer, attributes), EVP_PKEY_set_params(stock_peer, attributes));
            assert_same_parameters(ours, stock, formats[f]);
            assert_same_parameters(ours_peer, stock_peer, formats[f]);
            EVP_PKEY *ours_copy = EVP_PKEY_dup(ours), *stock_copy = EVP_PKEY_dup(stock);
            assert_same_parameters(ours_copy, stock_copy, formats[f]);
            EVP_PKEY_free(ours_copy);
            EVP_PKEY_free(stock_copy);
            EVP_PKEY_free(ours);
            EVP_PKEY_free(stock);
            EVP_PKEY_free(ours_peer);
            EVP_PKEY_free(stock_peer);
        }
}

Test(ec_key, explicit_parameters_stay_what_they_are)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, "P-256", sizeof "P-256" - 1),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, OSSL_PKEY_EC_ENCODING_EXPLICIT,
                               sizeof OSSL_PKEY_EC_ENCODING_EXPLICIT - 1),
        OSSL_PARAM_END,
    };
    EVP_PKEY *ours = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(rig.ours, "EC", NULL);
    cr_assert(EVP_PKEY_keygen_init(context) > 0 && EVP_PKEY_CTX_set_params(context, params) > 0 &&
              EVP_PKEY_generate(context, &ours) > 0);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY *stock = ec_rig_moved(rig.stock, ours, EVP_PKEY_KEYPAIR);
    assert_same_parameters(ours, stock, "explicit");
    char encoding[32];
    cr_assert(EVP_PKEY_get_utf8_string_param(ours, OSSL_PKEY_PARAM_EC_ENCODING, encoding, sizeof encoding, NULL));
    cr_assert_str_eq(encoding, OSSL_PKEY_EC_ENCODING_EXPLICIT);
    EVP_PKEY_free(ours);
    EVP_PKEY_free(stock);
}

// Files land with the default provider, and both read what the other wrote.
Test(ec_key, survives_pem)
{
    for (size_t c = 0; c < EC_RIG_CURVES; c++) {
        BIO *file = BIO_new(BIO_s_mem());
        EVP_PKEY *ours = ec_rig_generate(rig.ours, ec_rig_curves[c].name);
        cr_assert(PEM_write_bio_PrivateKey(file, ours, NULL, NULL, 0, NULL, NULL));
        EVP_PKEY *read = PEM_read_bio_PrivateKey_ex(file, NULL, NULL, NULL, rig.stock, NULL);
        cr_assert(read != NULL);
        cr_assert_eq(EVP_PKEY_eq(ours, read), 1);
        cr_assert(PEM_write_bio_PrivateKey(file, read, NULL, NULL, 0, NULL, NULL));
        EVP_PKEY_free(read);
        read = PEM_read_bio_PrivateKey_ex(file, NULL, NULL, NULL, rig.ours, NULL);
        cr_assert(read != NULL);
        cr_assert(!rig_is_ours(read));
        cr_assert_eq(EVP_PKEY_eq(ours, read), 1);
        EVP_PKEY_free(read);
        EVP_PKEY_free(ours);
        BIO_free(file);
    }
}

Test(ec_key, signs_through_default)
{
    static const uint8_t message[] = "message";
    for (size_t c = 0; c < EC_RIG_CURVES; c++) {
        uint8_t signature[160];
        size_t bytes = sizeof signature;
        EVP_PKEY *ours = ec_rig_generate(rig.ours, ec_rig_curves[c].name);
        EVP_PKEY *stock = ec_rig_moved(rig.stock, ours, EVP_PKEY_PUBLIC_KEY);
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        cr_assert(EVP_DigestSignInit_ex(context, NULL, "SHA256", rig.ours, NULL, ours, NULL) > 0 &&
                  EVP_DigestSign(context, signature, &bytes, message, sizeof message) > 0);
        EVP_MD_CTX_free(context);
        context = EVP_MD_CTX_new();
        cr_assert(EVP_DigestVerifyInit_ex(context, NULL, "SHA256", rig.stock, NULL, stock, NULL) > 0 &&
                  EVP_DigestVerify(context, signature, bytes, message, sizeof message) == 1);
        EVP_MD_CTX_free(context);
        EVP_PKEY_free(ours);
        EVP_PKEY_free(stock);
    }
}

Test(ec_key, duplicate_equals_its_origin_and_outlives_it)
{
    for (size_t c = 0; c < EC_RIG_CURVES; c++) {
        uint8_t secret[66], again[66];
        size_t bytes = sizeof secret, again_bytes = sizeof again;
        EVP_PKEY *ours = ec_rig_generate(rig.ours, ec_rig_curves[c].name);
        EVP_PKEY *generated = ec_rig_generate(rig.ours, ec_rig_curves[c].name);
        EVP_PKEY *peer = ec_rig_moved(rig.ours, generated, EVP_PKEY_PUBLIC_KEY);
        EVP_PKEY *copy = EVP_PKEY_dup(ours), *peer_copy = EVP_PKEY_dup(peer);
        cr_assert(copy != NULL && peer_copy != NULL);
        cr_assert_eq(EVP_PKEY_eq(ours, copy), 1);
        cr_assert_eq(EVP_PKEY_eq(peer, peer_copy), 1);
        cr_assert(ec_rig_derive(rig.ours, ours, peer, secret, &bytes));
        EVP_PKEY_free(ours);
        EVP_PKEY_free(peer);
        cr_assert(ec_rig_derive(rig.ours, copy, peer_copy, again, &again_bytes));
        cr_assert_eq(again_bytes, bytes);
        cr_assert_arr_eq(secret, again, bytes);
        EVP_PKEY_free(copy);
        EVP_PKEY_free(peer_copy);
        EVP_PKEY_free(generated);
    }
}

static EVP_PKEY *only_parameters_of(EVP_PKEY *key)
{
    EVP_PKEY *parameters = EVP_PKEY_new();
    cr_assert_eq(EVP_PKEY_copy_parameters(parameters, key), 1);
    return parameters;
}

// Every pair of keys of a set, compared by both providers.
Test(ec_key, equality_is_that_of_stock)
{
    enum { KEYS = 8 };
    EVP_PKEY *ours[KEYS], *stock[KEYS];
    ours[0] = ec_rig_generate(rig.ours, "P-256");
    ours[1] = ec_rig_generate(rig.ours, "P-256");
    ours[2] = ec_rig_generate(rig.ours, "P-384");
    ours[3] = ec_rig_generate(rig.ours, "secp256k1");
    for (int i = 0; i < 4; i++)
        stock[i] = ec_rig_moved(rig.stock, ours[i], EVP_PKEY_KEYPAIR);
    for (int i = 4; i < 6; i++) {
        ours[i] = ec_rig_moved(rig.ours, stock[i - 4], EVP_PKEY_PUBLIC_KEY);
        stock[i] = ec_rig_moved(rig.stock, stock[i - 4], EVP_PKEY_PUBLIC_KEY);
    }
    ours[6] = only_parameters_of(ours[0]);
    stock[6] = only_parameters_of(stock[0]);
    ours[7] = EVP_PKEY_dup(ours[0]);
    stock[7] = EVP_PKEY_dup(stock[0]);
    for (int i = 0; i < KEYS; i++)
        for (int j = 0; j < KEYS; j++) {
            cr_assert_eq(EVP_PKEY_eq(ours[i], ours[j]) == 1, EVP_PKEY_eq(stock[i], stock[j]) == 1, "%d, %d", i, j);
            cr_assert_eq(EVP_PKEY_parameters_eq(ours[i], ours[j]) == 1, EVP_PKEY_parameters_eq(stock[i], stock[j]) == 1,
                         "%d, %d", i, j);
        }
    cr_assert_eq(EVP_PKEY_eq(ours[0], ours[4]), 1);
    cr_assert_neq(EVP_PKEY_eq(ours[0], ours[1]), 1);
    for (int i = 0; i < KEYS; i++) {
        EVP_PKEY_free(ours[i]);
        EVP_PKEY_free(stock[i]);
    }
}

Test(ec_key, group_names_are_those_of_stock)
{
    static const char *const names[] = {"P-256",     "p-256",     "prime256v1", "PRIME256V1", "secp256r1",
                                        "P-384",     "secp384r1", "P-521",      "secp521r1",  "SM2",
                                        "sect283k1", "nonsense",  "",           "X25519"};
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        EVP_PKEY *ours = EVP_PKEY_Q_keygen(rig.ours, NULL, "EC", names[n]);
        EVP_PKEY *stock = EVP_PKEY_Q_keygen(rig.stock, NULL, "EC", names[n]);
        cr_assert_eq(ours != NULL, stock != NULL, "%s", names[n]);
        if (ours != NULL) {
            char ours_name[64], stock_name[64];
            cr_assert(EVP_PKEY_get_group_name(ours, ours_name, sizeof ours_name, NULL));
            cr_assert(EVP_PKEY_get_group_name(stock, stock_name, sizeof stock_name, NULL));
            cr_assert_str_eq(ours_name, stock_name);
        }
        EVP_PKEY_free(ours);
        EVP_PKEY_free(stock);
    }
    ERR_clear_error();
}

Test(ec_key, generation_without_a_group_fails_as_in_stock)
{
    OSSL_LIB_CTX *const libctx[] = {rig.ours, rig.stock};
    unsigned long error[2];
    for (int i = 0; i < 2; i++) {
        EVP_PKEY *key = NULL;
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(libctx[i], "EC", NULL);
        cr_assert(EVP_PKEY_keygen_init(context) > 0);
        ERR_clear_error();
        cr_assert(EVP_PKEY_generate(context, &key) <= 0);
        error[i] = ERR_peek_error();
        EVP_PKEY_CTX_free(context);
    }
    cr_assert_eq(error[0], error[1]);
    ERR_clear_error();
}

// One server handshake: peer's share, own key from it as template, derivation. Exactly one of each.
Test(ec_key, parameters_and_peers_are_no_operation)
{
    uint8_t octets[EC_RIG_MAX_OCTETS], secret[66];
    size_t bytes = sizeof secret;
    EVP_PKEY *stock = ec_rig_generate(rig.stock, "P-384"), *own = NULL;
    EVP_PKEY *peer = ec_rig_public(rig.ours, "P-384", octets, ec_rig_octets(stock, octets));
    cr_assert_eq(ec_rig_operations(&rig, EPH_CURVE_P384, EPH_OP_KEYGEN), 0);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(rig.ours, peer, NULL);
    cr_assert(EVP_PKEY_keygen_init(context) > 0 && EVP_PKEY_keygen(context, &own) > 0);
    EVP_PKEY_CTX_free(context);
    cr_assert(ec_rig_derive(rig.ours, own, peer, secret, &bytes));
    cr_assert_eq(ec_rig_operations(&rig, EPH_CURVE_P384, EPH_OP_KEYGEN), 1);
    cr_assert_eq(ec_rig_operations(&rig, EPH_CURVE_P384, EPH_OP_DERIVE), 1);
    EVP_PKEY_free(own);
    EVP_PKEY_free(peer);
    EVP_PKEY_free(stock);
}

Test(ec_key, callbacks_survive_without_a_context)
{
    EVP_KEYMGMT *manager = EVP_KEYMGMT_fetch(rig.ours, "EC", "provider=ephemera");
    EVP_KEYEXCH *exchange = EVP_KEYEXCH_fetch(rig.ours, "ECDH", "provider=ephemera");
    cr_assert(manager != NULL && exchange != NULL);
    cr_assert(EVP_KEYMGMT_is_a(manager, "id-ecPublicKey"));
    cr_assert(EVP_KEYMGMT_gettable_params(manager) != NULL);
    cr_assert(EVP_KEYMGMT_settable_params(manager) != NULL);
    cr_assert(EVP_KEYMGMT_gen_settable_params(manager) != NULL);
    cr_assert(EVP_KEYEXCH_gettable_ctx_params(exchange) != NULL);
    cr_assert(EVP_KEYEXCH_settable_ctx_params(exchange) != NULL);
    EVP_KEYMGMT_free(manager);
    EVP_KEYEXCH_free(exchange);
}
