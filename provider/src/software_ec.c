// SPDX-License-Identifier: Apache-2.0
#include "software_ec.h"
#include "ec_curve.h"
#include "ec_key.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

static EVP_PKEY_CTX *context_for_new(const struct eph_software *software)
{
    return EVP_PKEY_CTX_new_from_name(software->libctx, "EC", EPH_SOFTWARE_PROPERTIES);
}

EVP_PKEY *eph_software_ec_parameters(const struct eph_software *software, const char *name)
{
    EVP_PKEY *parameters = NULL;
    EVP_PKEY_CTX *generator = eph_software_ec_generator(software, NULL, false);
    if (generator != NULL && EVP_PKEY_CTX_set_group_name(generator, name) > 0)
        parameters = eph_software_ec_generate(software, NULL, generator);
    EVP_PKEY_CTX_free(generator);
    return parameters;
}

// From a copy of the parameters: making the group anew from its name costs four times as much.
EVP_PKEY *eph_software_ec_public(const struct eph_ec_curve *curve, const uint8_t *octets)
{
    EVP_PKEY *key = EVP_PKEY_dup(curve->parameters);
    if (key != NULL && EVP_PKEY_set1_encoded_public_key(key, octets, eph_ec_curve_octets(curve)) <= 0) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

EVP_PKEY *eph_software_ec_import(const struct eph_software *software, int selection, const OSSL_PARAM params[])
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = context_for_new(software);
    if (context == NULL || EVP_PKEY_fromdata_init(context) <= 0 ||
        EVP_PKEY_fromdata(context, &key, selection, (OSSL_PARAM *)params) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

EVP_PKEY *eph_software_ec_copy(const struct eph_software *software, EVP_PKEY *key, int selection)
{
    EVP_PKEY *copy = NULL;
    if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0)
        return EVP_PKEY_dup(key);
    if ((selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0) {
        OSSL_PARAM *params = NULL;
        if (EVP_PKEY_todata(key, EVP_PKEY_PUBLIC_KEY, &params) > 0)
            copy = eph_software_ec_import(software, EVP_PKEY_PUBLIC_KEY, params);
        OSSL_PARAM_free(params);
        return copy;
    }
    copy = EVP_PKEY_new();
    if (copy != NULL && EVP_PKEY_copy_parameters(copy, key) <= 0) {
        EVP_PKEY_free(copy);
        copy = NULL;
    }
    return copy;
}

EVP_PKEY_CTX *eph_software_ec_generator(const struct eph_software *software, EVP_PKEY *parameters, bool keypair)
{
    EVP_PKEY_CTX *generator = parameters != NULL
                                  ? EVP_PKEY_CTX_new_from_pkey(software->libctx, parameters, EPH_SOFTWARE_PROPERTIES)
                                  : context_for_new(software);
    if (generator != NULL && (keypair ? EVP_PKEY_keygen_init(generator) : EVP_PKEY_paramgen_init(generator)) > 0)
        return generator;
    EVP_PKEY_CTX_free(generator);
    return NULL;
}

EVP_PKEY *eph_software_ec_generate(const struct eph_software *software, const struct eph_ec_curve *curve,
                                   EVP_PKEY_CTX *generator)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *own = generator == NULL ? eph_software_ec_generator(software, curve->parameters, true) : NULL;
    if (own != NULL)
        generator = own;
    if (generator == NULL || EVP_PKEY_generate(generator, &key) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(own);
    return key;
}

EVP_PKEY_CTX *eph_software_ec_derivation(const struct eph_software *software, struct eph_ec_key *own)
{
    EVP_PKEY *key = eph_ec_key_software(own);
    EVP_PKEY_CTX *derivation =
        key != NULL ? EVP_PKEY_CTX_new_from_pkey(software->libctx, key, EPH_SOFTWARE_PROPERTIES) : NULL;
    if (derivation != NULL && EVP_PKEY_derive_init(derivation) > 0)
        return derivation;
    EVP_PKEY_CTX_free(derivation);
    return NULL;
}

// The peer's key has been checked by our caller: no second check here.
bool eph_software_ec_derive(const struct eph_software *software, struct eph_ec_key *own, struct eph_ec_key *peer,
                            uint8_t *secret, size_t *bytes)
{
    EVP_PKEY *peer_key = eph_ec_key_software(peer);
    EVP_PKEY_CTX *derivation = eph_software_ec_derivation(software, own);
    bool derived = derivation != NULL && peer_key != NULL && EVP_PKEY_derive_set_peer_ex(derivation, peer_key, 0) > 0 &&
                   EVP_PKEY_derive(derivation, secret, bytes) > 0;
    EVP_PKEY_CTX_free(derivation);
    return derived;
}
