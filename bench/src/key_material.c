// SPDX-License-Identifier: Apache-2.0
#include "key_material.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

static const struct curve_name {
    const char *group;
    enum eph_curve curve;
    int bytes;
} curves[] = {
    {"X25519", EPH_CURVE_X25519, EPH_CURVE_BYTES_X25519}, {"P-256", EPH_CURVE_P256, EPH_CURVE_BYTES_P256},
    {"P-384", EPH_CURVE_P384, EPH_CURVE_BYTES_P384},      {"P-521", EPH_CURVE_P521, EPH_CURVE_BYTES_P521},
    {"X448", EPH_CURVE_X448, EPH_CURVE_BYTES_X448},
};

static bool number_param(EVP_PKEY *key, const char *name, uint8_t *out, int bytes)
{
    BIGNUM *number = NULL;
    bool good = EVP_PKEY_get_bn_param(key, name, &number) == 1 && BN_bn2lebinpad(number, out, bytes) == bytes;
    BN_clear_free(number);
    return good;
}

bool key_material_make(struct key_material *material, const struct group *group, char reason[200])
{
    const struct curve_name *row = NULL;
    memset(material, 0, sizeof(*material));
    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
        if (strcmp(curves[i].group, group->name) == 0)
            row = &curves[i];
    if (!row) {
        snprintf(reason, 200, "the device has no %s", group->name);
        return false;
    }
    material->curve = row->curve;
    material->weierstrass = group->key_group != NULL;
    EVP_PKEY *own =
        material->weierstrass ? EVP_EC_gen(group->key_group) : EVP_PKEY_Q_keygen(NULL, NULL, group->key_type);
    EVP_PKEY *peer =
        material->weierstrass ? EVP_EC_gen(group->key_group) : EVP_PKEY_Q_keygen(NULL, NULL, group->key_type);
    size_t scalar_bytes = sizeof(material->scalar), peer_bytes = sizeof(material->peer_x);
    bool good = own && peer && RAND_bytes(material->blind, sizeof(material->blind)) == 1;
    if (good && material->weierstrass)
        good = number_param(own, OSSL_PKEY_PARAM_PRIV_KEY, material->scalar, row->bytes) &&
               number_param(peer, OSSL_PKEY_PARAM_EC_PUB_X, material->peer_x, row->bytes) &&
               number_param(peer, OSSL_PKEY_PARAM_EC_PUB_Y, material->peer_y, row->bytes);
    else if (good)
        good = EVP_PKEY_get_raw_private_key(own, material->scalar, &scalar_bytes) == 1 &&
               EVP_PKEY_get_raw_public_key(peer, material->peer_x, &peer_bytes) == 1;
    EVP_PKEY_free(own);
    EVP_PKEY_free(peer);
    if (!good)
        snprintf(reason, 200, "cannot make %s keys", group->name);
    return good;
}
