// SPDX-License-Identifier: Apache-2.0
#include "ec_rig.h"

#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <string.h>

const struct ec_rig_curve ec_rig_curves[EC_RIG_CURVES] = {
    {"P-256", EPH_CURVE_P256, 32},
    {"P-384", EPH_CURVE_P384, 48},
    {"P-521", EPH_CURVE_P521, 66},
    {"secp256k1", (enum eph_curve)0, 32},
    {"brainpoolP384r1", (enum eph_curve)0, 48},
};

void ec_rig_open(struct rig *rig)
{
    rig_open(rig, "device = sim:model\noffload = never\n");
}

uint64_t ec_rig_operations(const struct rig *rig, enum eph_curve curve, enum eph_opcode opcode)
{
    return rig_counters(rig).operations[eph_stats_series(curve, opcode, EPH_STATS_SERVED_SOFTWARE)];
}

EVP_PKEY *ec_rig_generate(OSSL_LIB_CTX *libctx, const char *curve)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(libctx, NULL, "EC", curve);
    cr_assert(key != NULL, "%s", curve);
    return key;
}

EVP_PKEY *ec_rig_parameters(OSSL_LIB_CTX *libctx, const char *curve)
{
    EVP_PKEY *parameters = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(libctx, "EC", NULL);
    cr_assert(context != NULL && EVP_PKEY_paramgen_init(context) > 0 &&
                  EVP_PKEY_CTX_set_group_name(context, curve) > 0 && EVP_PKEY_paramgen(context, &parameters) > 0,
              "%s", curve);
    EVP_PKEY_CTX_free(context);
    return parameters;
}

size_t ec_rig_octets(EVP_PKEY *key, uint8_t octets[EC_RIG_MAX_OCTETS])
{
    size_t bytes = 0;
    cr_assert(
        EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, octets, EC_RIG_MAX_OCTETS, &bytes));
    return bytes;
}

EVP_PKEY *ec_rig_public(OSSL_LIB_CTX *libctx, const char *curve, const uint8_t *octets, size_t bytes)
{
    EVP_PKEY *key = ec_rig_parameters(libctx, curve);
    if (EVP_PKEY_set1_encoded_public_key(key, octets, bytes) == 1)
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

EVP_PKEY *ec_rig_moved(OSSL_LIB_CTX *libctx, EVP_PKEY *key, int selection)
{
    OSSL_PARAM *params = NULL;
    EVP_PKEY *moved = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(libctx, "EC", NULL);
    cr_assert(EVP_PKEY_todata(key, selection, &params) == 1);
    cr_assert(context != NULL && EVP_PKEY_fromdata_init(context) > 0 &&
              EVP_PKEY_fromdata(context, &moved, selection, params) > 0);
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(context);
    return moved;
}

bool ec_rig_derive(OSSL_LIB_CTX *libctx, EVP_PKEY *own, EVP_PKEY *peer, uint8_t *secret, size_t *bytes)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, own, NULL);
    bool derived = context != NULL && EVP_PKEY_derive_init(context) > 0 &&
                   EVP_PKEY_derive_set_peer(context, peer) > 0 && EVP_PKEY_derive(context, secret, bytes) > 0;
    EVP_PKEY_CTX_free(context);
    return derived;
}

void ec_rig_agree(const struct rig *rig, const struct ec_rig_curve *curve)
{
    uint8_t octets[EC_RIG_MAX_OCTETS], ours_secret[66], stock_secret[66];
    size_t ours_bytes = sizeof ours_secret, stock_bytes = sizeof stock_secret;
    EVP_PKEY *ours = ec_rig_generate(rig->ours, curve->name), *stock = ec_rig_generate(rig->stock, curve->name);
    cr_assert(rig_is_ours(ours));
    cr_assert(!rig_is_ours(stock));
    EVP_PKEY *ours_public = ec_rig_public(rig->stock, curve->name, octets, ec_rig_octets(ours, octets));
    EVP_PKEY *stock_public = ec_rig_public(rig->ours, curve->name, octets, ec_rig_octets(stock, octets));
    cr_assert(rig_is_ours(stock_public));
    cr_assert(ec_rig_derive(rig->ours, ours, stock_public, ours_secret, &ours_bytes));
    cr_assert(ec_rig_derive(rig->stock, stock, ours_public, stock_secret, &stock_bytes));
    cr_assert_eq(ours_bytes, curve->bytes);
    cr_assert_eq(stock_bytes, curve->bytes);
    cr_assert_arr_eq(ours_secret, stock_secret, curve->bytes, "%s", curve->name);
    EVP_PKEY_free(ours);
    EVP_PKEY_free(stock);
    EVP_PKEY_free(ours_public);
    EVP_PKEY_free(stock_public);
}
