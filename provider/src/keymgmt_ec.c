// SPDX-License-Identifier: Apache-2.0
// The key manager that shadows EC. What a key is asked beyond its curve and its public point, the default provider
// answers; so does everything about other curves.
#include "ec_generation.h"
#include "ec_key.h"
#include "provider.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <string.h>

enum {
    DOMAIN = OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS,
    PUBLIC = OSSL_KEYMGMT_SELECT_PUBLIC_KEY,
    PRIVATE = OSSL_KEYMGMT_SELECT_PRIVATE_KEY,
    KEYPAIR = OSSL_KEYMGMT_SELECT_KEYPAIR
};

static OSSL_FUNC_keymgmt_new_fn ec_new;
static OSSL_FUNC_keymgmt_free_fn ec_free;
static OSSL_FUNC_keymgmt_dup_fn ec_dup;
static OSSL_FUNC_keymgmt_get_params_fn ec_get_params;
static OSSL_FUNC_keymgmt_gettable_params_fn ec_gettable_params;
static OSSL_FUNC_keymgmt_set_params_fn ec_set_params;
static OSSL_FUNC_keymgmt_settable_params_fn ec_settable_params;
static OSSL_FUNC_keymgmt_has_fn ec_has;
static OSSL_FUNC_keymgmt_match_fn ec_match;
static OSSL_FUNC_keymgmt_validate_fn ec_validate;
static OSSL_FUNC_keymgmt_import_fn ec_import;
static OSSL_FUNC_keymgmt_export_fn ec_export;
static OSSL_FUNC_keymgmt_import_types_fn ec_types;
static OSSL_FUNC_keymgmt_query_operation_name_fn ec_query_operation_name;

static const struct eph_software_ec *functions_of(const struct eph_ec_key *key)
{
    return &key->provider->ec.software;
}

// ---- life

static void *ec_new(void *vprovider)
{
    return vprovider != NULL ? eph_ec_key_new(vprovider) : NULL;
}

static void ec_free(void *vkey)
{
    eph_ec_key_free(vkey);
}

static void *ec_dup(const void *vkey, int selection)
{
    struct eph_ec_key *key = (struct eph_ec_key *)vkey;
    struct eph_ec_key *copy = key != NULL ? eph_ec_key_new(key->provider) : NULL;
    if (copy == NULL || !eph_ec_key_has_parameters(key))
        return copy;
    if (key->plain && (!key->has_private || (selection & PRIVATE) == 0)) {
        copy->curve = key->curve;
        copy->plain = true;
        copy->has_public = copy->has_octets = key->has_octets && (selection & PUBLIC) != 0;
        memcpy(copy->octets, key->octets, sizeof copy->octets);
        return copy;
    }
    void *software = eph_ec_key_software(key);
    if (software != NULL)
        software = functions_of(key)->key_dup(software, selection);
    if (software == NULL) {
        eph_ec_key_free(copy);
        return NULL;
    }
    eph_ec_key_adopt(copy, software, NULL, key->plain);
    return copy;
}

// ---- information

static int ec_has(const void *vkey, int selection)
{
    const struct eph_ec_key *key = vkey;
    return key != NULL && ((selection & PUBLIC) == 0 || key->has_public) &&
           ((selection & PRIVATE) == 0 || key->has_private) &&
           ((selection & DOMAIN) == 0 || eph_ec_key_has_parameters(key));
}

// One of what libssl and the core ask of every key. False: ask the software object.
static bool answer(const struct eph_ec_key *key, OSSL_PARAM *param, int *good)
{
    const struct eph_ec_curve *curve = key->curve;
    if (strcmp(param->key, OSSL_PKEY_PARAM_BITS) == 0)
        *good = OSSL_PARAM_set_int(param, curve->bits);
    else if (strcmp(param->key, OSSL_PKEY_PARAM_SECURITY_BITS) == 0)
        *good = OSSL_PARAM_set_int(param, curve->security_bits);
    else if (strcmp(param->key, OSSL_PKEY_PARAM_MAX_SIZE) == 0)
        *good = OSSL_PARAM_set_int(param, curve->size_bytes);
    else if (strcmp(param->key, OSSL_PKEY_PARAM_GROUP_NAME) == 0)
        *good = OSSL_PARAM_set_utf8_string(param, curve->name);
    else if (key->has_octets && strcmp(param->key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY) == 0)
        *good = OSSL_PARAM_set_octet_string(param, key->octets, eph_ec_curve_octets(curve));
    else
        return false;
    return true;
}

static int ec_get_params(void *vkey, OSSL_PARAM params[])
{
    struct eph_ec_key *key = vkey;
    int good = 1;
    if (key == NULL || !eph_ec_key_has_parameters(key))
        return 0;
    OSSL_PARAM *param = params;
    if (key->plain && key->curve != NULL)
        while (good && param->key != NULL && answer(key, param, &good))
            param++;
    if (!good || param->key == NULL)
        return good;
    void *software = eph_ec_key_software(key);
    return software != NULL && functions_of(key)->key_get_params(software, params);
}

static const OSSL_PARAM *ec_gettable_params(void *vprovider)
{
    const struct eph_provider *provider = vprovider;
    return provider != NULL ? provider->ec.software.key_gettable_params(provider->ec.software.context) : NULL;
}

// An uncompressed point on this curve by its looks. Compressed, hybrid, infinite and misshapen ones are default's
// business.
static bool looks_plain(const struct eph_ec_curve *curve, const OSSL_PARAM *param)
{
    return param->data_type == OSSL_PARAM_OCTET_STRING && param->data != NULL &&
           param->data_size == eph_ec_curve_octets(curve) && *(const uint8_t *)param->data == EPH_EC_UNCOMPRESSED;
}

// libssl sets a peer's public key this way, and nothing else.
static int ec_set_params(void *vkey, const OSSL_PARAM params[])
{
    struct eph_ec_key *key = vkey;
    if (key == NULL || !eph_ec_key_has_parameters(key))
        return 0;
    if (params == NULL || params[0].key == NULL)
        return 1;
    const OSSL_PARAM *encoded = OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY);
    bool unused = atomic_load_explicit(&key->software, memory_order_acquire) == NULL;
    if (unused && encoded == params && params[1].key == NULL && looks_plain(key->curve, encoded))
        return eph_ec_key_set_octets(key, encoded->data);
    void *software = eph_ec_key_software(key);
    if (software == NULL || !functions_of(key)->key_set_params(software, params))
        return 0;
    eph_ec_key_adopt(key, software, NULL, false);
    return 1;
}

static const OSSL_PARAM *ec_settable_params(void *vprovider)
{
    const struct eph_provider *provider = vprovider;
    return provider != NULL ? provider->ec.software.key_settable_params(provider->ec.software.context) : NULL;
}

// ---- comparison and validation

static int ec_match(const void *vkey, const void *vother, int selection)
{
    struct eph_ec_key *key = (struct eph_ec_key *)vkey, *other = (struct eph_ec_key *)vother;
    if (key == NULL || other == NULL)
        return 0;
    if (key->curve != NULL && other->curve != NULL) {
        bool same_curve = key->curve == other->curve;
        if ((selection & KEYPAIR) == 0)
            return (selection & DOMAIN) == 0 || same_curve;
        if ((selection & PUBLIC) != 0 && key->has_octets && other->has_octets)
            return same_curve && memcmp(key->octets, other->octets, eph_ec_curve_octets(key->curve)) == 0;
    }
    void *software = eph_ec_key_software(key), *other_software = eph_ec_key_software(other);
    return software != NULL && other_software != NULL &&
           functions_of(key)->key_match(software, other_software, selection);
}

// A peer's public key is checked by us: ec_point.h says why quick and full are the same on curves of ours. Private keys
// are rare, and default looks at both halves and at whether they belong together.
static int ec_validate(const void *vkey, int selection, int checktype)
{
    struct eph_ec_key *key = (struct eph_ec_key *)vkey;
    if (key == NULL)
        return 0;
    if ((selection & (DOMAIN | KEYPAIR)) == 0)
        return 1;
    bool ours = (selection & KEYPAIR) == PUBLIC && key->has_octets;
    int others = ours ? selection & ~PUBLIC : selection;
    if ((others & (DOMAIN | KEYPAIR)) != 0) {
        void *software = eph_ec_key_software(key);
        if (software == NULL || !functions_of(key)->key_validate(software, others, checktype))
            return 0;
    }
    return !ours || eph_ec_key_check(key);
}

// ---- from and to other providers

// A named curve of ours and at most an uncompressed public key. False: default looks at it.
static bool import_plain(struct eph_ec_key *key, int selection, const OSSL_PARAM params[], int *good)
{
    const OSSL_PARAM *group = NULL, *public_key = NULL;
    char name[64], *into = name;
    for (const OSSL_PARAM *param = params; param->key != NULL; param++) {
        if (strcmp(param->key, OSSL_PKEY_PARAM_GROUP_NAME) == 0)
            group = param;
        else if (strcmp(param->key, OSSL_PKEY_PARAM_PUB_KEY) == 0)
            public_key = param;
        else
            return false;
    }
    if ((selection & DOMAIN) == 0 || group == NULL || !OSSL_PARAM_get_utf8_string(group, &into, sizeof name))
        return false;
    const struct eph_ec_curve *curve = eph_ec_curve_find(&key->provider->ec, name);
    if ((selection & KEYPAIR) == 0)
        public_key = NULL;
    if (curve == NULL || (public_key != NULL && !looks_plain(curve, public_key)))
        return false;
    key->curve = curve;
    key->plain = true;
    *good = public_key == NULL || eph_ec_key_set_octets(key, public_key->data);
    return true;
}

// Trusts the parameters, not the selection: hybrids of OpenSSL 3.5 import a public key alone with a selection of more.
static int ec_import(void *vkey, int selection, const OSSL_PARAM params[])
{
    struct eph_ec_key *key = vkey;
    int good = 1;
    if (key == NULL || params == NULL)
        return 0;
    if (import_plain(key, selection, params, &good))
        return good;
    void *software = eph_software_ec_import(functions_of(key), selection, params);
    if (software == NULL)
        return 0;
    eph_ec_key_adopt(key, software, NULL, false);
    return 1;
}

// The default provider's object hands its parameters straight to the callback: no copy of a private key is made.
static int ec_export(void *vkey, int selection, OSSL_CALLBACK *callback, void *argument)
{
    struct eph_ec_key *key = vkey;
    void *software = key != NULL ? eph_ec_key_software(key) : NULL;
    return software != NULL && functions_of(key)->key_export(software, selection, callback, argument);
}

#define GROUP                                                                                                          \
    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),                                                       \
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, NULL, 0),                                                  \
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, NULL, 0),                                   \
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_FIELD_TYPE, NULL, 0), OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_P, NULL, 0),  \
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_A, NULL, 0), OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_B, NULL, 0),                    \
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_EC_GENERATOR, NULL, 0),                                                \
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_ORDER, NULL, 0), OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_COFACTOR, NULL, 0),         \
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_EC_SEED, NULL, 0)
#define OTHER                                                                                                          \
    OSSL_PARAM_int(OSSL_PKEY_PARAM_USE_COFACTOR_ECDH, NULL), OSSL_PARAM_int(OSSL_PKEY_PARAM_EC_INCLUDE_PUBLIC, NULL)

static const OSSL_PARAM *ec_types(int selection)
{
    static const OSSL_PARAM parameters[] = {GROUP, OTHER, OSSL_PARAM_END};
    static const OSSL_PARAM public_key[] = {GROUP, OTHER, OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
                                            OSSL_PARAM_END};
    static const OSSL_PARAM private_key[] = {GROUP, OTHER, OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
                                             OSSL_PARAM_BN(OSSL_PKEY_PARAM_PRIV_KEY, NULL, 0), OSSL_PARAM_END};
    if ((selection & PRIVATE) != 0)
        return private_key;
    if ((selection & PUBLIC) != 0)
        return public_key;
    return (selection & OSSL_KEYMGMT_SELECT_ALL_PARAMETERS) != 0 ? parameters : NULL;
}

// Signatures stay with default, which takes our keys through export.
static const char *ec_query_operation_name(int operation)
{
    switch (operation) {
    case OSSL_OP_KEYEXCH:
        return "ECDH";
    case OSSL_OP_SIGNATURE:
        return "ECDSA";
    default:
        return NULL;
    }
}

#define ENTRY(id, function)                                                                                            \
    {                                                                                                                  \
        OSSL_FUNC_KEYMGMT_##id, (void (*)(void))function                                                               \
    }

const OSSL_DISPATCH eph_ec_keymgmt_functions[] = {
    ENTRY(NEW, ec_new),
    ENTRY(GEN_INIT, eph_ec_gen_init),
    ENTRY(GEN_SET_TEMPLATE, eph_ec_gen_set_template),
    ENTRY(GEN_SET_PARAMS, eph_ec_gen_set_params),
    ENTRY(GEN_SETTABLE_PARAMS, eph_ec_gen_settable_params),
    ENTRY(GEN, eph_ec_gen),
    ENTRY(GEN_CLEANUP, eph_ec_gen_cleanup),
    ENTRY(FREE, ec_free),
    ENTRY(GET_PARAMS, ec_get_params),
    ENTRY(GETTABLE_PARAMS, ec_gettable_params),
    ENTRY(SET_PARAMS, ec_set_params),
    ENTRY(SETTABLE_PARAMS, ec_settable_params),
    ENTRY(QUERY_OPERATION_NAME, ec_query_operation_name),
    ENTRY(HAS, ec_has),
    ENTRY(MATCH, ec_match),
    ENTRY(VALIDATE, ec_validate),
    ENTRY(IMPORT, ec_import),
    ENTRY(IMPORT_TYPES, ec_types),
    ENTRY(EXPORT, ec_export),
    ENTRY(EXPORT_TYPES, ec_types),
    ENTRY(DUP, ec_dup),
    {0, NULL},
};
