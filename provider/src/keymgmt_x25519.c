// SPDX-License-Identifier: Apache-2.0
// The key manager that shadows X25519: behaves like the default provider's to every caller, so that its encoders, its
// KEM and libssl work with our keys; only where the public key is computed differs.
#include "errors.h"
#include "key.h"
#include "provider.h"
#include "route.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <string.h>
#include <strings.h>

// Information about every X25519 key, as the default provider gives it.
enum { BITS = 253, SECURITY_BITS = 128 };

struct generation {
    struct eph_provider *provider; // borrowed
    int selection;
    uint8_t *secret_material; // owned; NULL: a random key
    size_t material_bytes;
};

static OSSL_FUNC_keymgmt_new_fn x25519_new;
static OSSL_FUNC_keymgmt_gen_init_fn x25519_gen_init;
static OSSL_FUNC_keymgmt_gen_set_params_fn x25519_gen_set_params;
static OSSL_FUNC_keymgmt_gen_settable_params_fn x25519_gen_settable_params;
static OSSL_FUNC_keymgmt_gen_fn x25519_gen;
static OSSL_FUNC_keymgmt_gen_cleanup_fn x25519_gen_cleanup;
static OSSL_FUNC_keymgmt_load_fn x25519_load;
static OSSL_FUNC_keymgmt_free_fn x25519_free;
static OSSL_FUNC_keymgmt_get_params_fn x25519_get_params;
static OSSL_FUNC_keymgmt_gettable_params_fn x25519_gettable_params;
static OSSL_FUNC_keymgmt_set_params_fn x25519_set_params;
static OSSL_FUNC_keymgmt_settable_params_fn x25519_settable_params;
static OSSL_FUNC_keymgmt_has_fn x25519_has;
static OSSL_FUNC_keymgmt_match_fn x25519_match;
static OSSL_FUNC_keymgmt_validate_fn x25519_validate;
static OSSL_FUNC_keymgmt_import_fn x25519_import;
static OSSL_FUNC_keymgmt_export_fn x25519_export;
static OSSL_FUNC_keymgmt_import_types_fn x25519_types;
static OSSL_FUNC_keymgmt_dup_fn x25519_dup;

// ---- life

static void *x25519_new(void *vprovider)
{
    return vprovider != NULL ? eph_key_new(vprovider) : NULL;
}

static void x25519_free(void *vkey)
{
    eph_key_free(vkey);
}

static void *x25519_dup(const void *vkey, int selection)
{
    const struct eph_key *key = vkey;
    struct eph_key *copy = key != NULL ? eph_key_new(key->provider) : NULL;
    if (copy == NULL)
        return NULL;
    copy->imported = key->imported;
    if (key->has_public && (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0) {
        memcpy(copy->public_u, key->public_u, sizeof copy->public_u);
        copy->has_public = true;
    }
    if (key->has_scalar && (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0) {
        memcpy(copy->scalar, key->scalar, sizeof copy->scalar);
        copy->has_scalar = true;
    }
    return copy;
}

// ---- generation

static void *x25519_gen_init(void *vprovider, int selection, const OSSL_PARAM params[])
{
    struct generation *generation = vprovider != NULL ? OPENSSL_zalloc(sizeof *generation) : NULL;
    if (generation == NULL)
        return NULL;
    generation->provider = vprovider;
    generation->selection = selection;
    if (!x25519_gen_set_params(generation, params)) {
        x25519_gen_cleanup(generation);
        return NULL;
    }
    return generation;
}

static int x25519_gen_set_params(void *vgeneration, const OSSL_PARAM params[])
{
    struct generation *generation = vgeneration;
    if (generation == NULL)
        return 0;
    if (params == NULL)
        return 1;
    const OSSL_PARAM *param = OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_GROUP_NAME);
    if (param != NULL && (param->data_type != OSSL_PARAM_UTF8_STRING || strcasecmp(param->data, "x25519") != 0))
        return EPH_RAISE(generation->provider, EPH_R_WRONG_PARAMETER, "group is not x25519");
    param = OSSL_PARAM_locate_const(params, EPH_PARAM_MATERIAL);
    if (param != NULL && param->data != NULL && param->data_size != 0) {
        void *material = NULL;
        size_t bytes = 0;
        if (!OSSL_PARAM_get_octet_string(param, &material, 0, &bytes))
            return EPH_RAISE(generation->provider, EPH_R_WRONG_PARAMETER, EPH_PARAM_MATERIAL);
        OPENSSL_clear_free(generation->secret_material, generation->material_bytes);
        generation->secret_material = material;
        generation->material_bytes = bytes;
    }
    return 1; // a property query is accepted and means nothing to us
}

static const OSSL_PARAM *x25519_gen_settable_params(void *vgeneration, void *vprovider)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_PROPERTIES, NULL, 0),
        OSSL_PARAM_octet_string(EPH_PARAM_MATERIAL, NULL, 0),
        OSSL_PARAM_END,
    };
    (void)vgeneration;
    (void)vprovider;
    return settable;
}

// Fills a new key: from material in software (RFC 9180: it can be made again, so it is no ephemeral key), else at
// random.
static int generate(const struct generation *generation, struct eph_key *key)
{
    struct eph_provider *provider = generation->provider;
    if (generation->secret_material != NULL) {
        key->imported = true;
        return eph_software_keygen_from_material(&provider->software, key, generation->secret_material,
                                                 generation->material_bytes) ||
               EPH_RAISE(provider, EPH_R_SOFTWARE_FAILED, "key generation from material");
    }
    if (eph_route_pooled(provider, key))
        return 1;
    if (!eph_route_scalar(provider, key))
        return EPH_RAISE(provider, EPH_R_NO_RANDOMNESS, "X25519 scalar");
    return eph_route_keygen(provider, key) || EPH_RAISE(provider, EPH_R_SOFTWARE_FAILED, "X25519 key generation");
}

static void *x25519_gen(void *vgeneration, OSSL_CALLBACK *progress, void *argument)
{
    struct generation *generation = vgeneration;
    struct eph_key *key = generation != NULL ? eph_key_new(generation->provider) : NULL;
    (void)progress;
    (void)argument;
    if (key == NULL || (generation->selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0)
        return key; // parameters only, of which X25519 has none: the device is not touched
    if (!generate(generation, key)) {
        eph_key_free(key);
        return NULL;
    }
    key->has_scalar = key->has_public = true;
    return key;
}

static void x25519_gen_cleanup(void *vgeneration)
{
    struct generation *generation = vgeneration;
    if (generation == NULL)
        return;
    OPENSSL_clear_free(generation->secret_material, generation->material_bytes);
    OPENSSL_free(generation);
}

// A reference is the address of one of our keys; whoever loads it takes it over.
static void *x25519_load(const void *reference, size_t bytes)
{
    struct eph_key *key = NULL;
    if (bytes != sizeof key)
        return NULL;
    memcpy(&key, reference, sizeof key);
    memset((void *)reference, 0, sizeof key);
    return key;
}

// ---- information

static int x25519_has(const void *vkey, int selection)
{
    const struct eph_key *key = vkey;
    return key != NULL && ((selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) == 0 || key->has_public) &&
           ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0 || key->has_scalar);
}

static int get_param(const struct eph_key *key, OSSL_PARAM *param)
{
    if (strcmp(param->key, OSSL_PKEY_PARAM_BITS) == 0)
        return OSSL_PARAM_set_int(param, BITS);
    if (strcmp(param->key, OSSL_PKEY_PARAM_SECURITY_BITS) == 0)
        return OSSL_PARAM_set_int(param, SECURITY_BITS);
    if (strcmp(param->key, OSSL_PKEY_PARAM_MAX_SIZE) == 0)
        return OSSL_PARAM_set_int(param, EPH_X25519_BYTES);
    if (strcmp(param->key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY) == 0 || strcmp(param->key, OSSL_PKEY_PARAM_PUB_KEY) == 0)
        return OSSL_PARAM_set_octet_string(param, key->public_u, EPH_X25519_BYTES);
    if (strcmp(param->key, OSSL_PKEY_PARAM_PRIV_KEY) == 0 && key->has_scalar)
        return OSSL_PARAM_set_octet_string(param, key->scalar, EPH_X25519_BYTES);
    return 1; // not ours to answer
}

// Once over what is asked for: OSSL_PARAM_locate once for each name would compare three times as many strings.
static int x25519_get_params(void *vkey, OSSL_PARAM params[])
{
    const struct eph_key *key = vkey;
    int good = key != NULL;
    for (OSSL_PARAM *param = params; good && param != NULL && param->key != NULL; param++)
        good = get_param(key, param);
    return good;
}

static const OSSL_PARAM *x25519_gettable_params(void *vprovider)
{
    static const OSSL_PARAM gettable[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, NULL, 0),
        OSSL_PARAM_END,
    };
    (void)vprovider;
    return gettable;
}

// Copies exactly 32 octets; 0 with an error otherwise.
static int get_octets(const struct eph_key *key, const OSSL_PARAM *param, uint8_t octets[EPH_X25519_BYTES])
{
    void *destination = octets;
    size_t bytes = 0;
    if (param->data_type != OSSL_PARAM_OCTET_STRING || param->data_size != EPH_X25519_BYTES ||
        !OSSL_PARAM_get_octet_string(param, &destination, EPH_X25519_BYTES, &bytes))
        return EPH_RAISE(key->provider, EPH_R_WRONG_LENGTH, "%s: %zu bytes, X25519 has 32", param->key,
                         param->data_size);
    return 1;
}

// libssl sets a peer's public key this way; a private key does not survive it.
static int x25519_set_params(void *vkey, const OSSL_PARAM params[])
{
    struct eph_key *key = vkey;
    if (key == NULL)
        return 0;
    const OSSL_PARAM *param =
        params != NULL ? OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY) : NULL;
    if (param == NULL)
        return 1;
    if (!get_octets(key, param, key->public_u))
        return 0;
    eph_key_forget(key);
    key->has_public = key->imported = true;
    return 1;
}

static const OSSL_PARAM *x25519_settable_params(void *vprovider)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_PROPERTIES, NULL, 0),
        OSSL_PARAM_END,
    };
    (void)vprovider;
    return settable;
}

static int x25519_match(const void *vkey, const void *vother, int selection)
{
    const struct eph_key *key = vkey, *other = vother;
    if (key == NULL || other == NULL)
        return 0;
    if ((selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0)
        return 1; // no parameters, nothing to differ
    if ((selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0 && key->has_public && other->has_public)
        return CRYPTO_memcmp(key->public_u, other->public_u, sizeof key->public_u) == 0;
    return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 && key->has_scalar && other->has_scalar &&
           CRYPTO_memcmp(key->scalar, other->scalar, sizeof key->scalar) == 0;
}

// Every 32-byte string is a valid public key (RFC 7748 section 6.1), so a full check differs from a quick one only for
// pairs, and there both recompute, as in default.
static int x25519_validate(const void *vkey, int selection, int checktype)
{
    const struct eph_key *key = vkey;
    (void)checktype;
    if (!x25519_has(key, selection))
        return 0;
    if ((selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != OSSL_KEYMGMT_SELECT_KEYPAIR)
        return 1;
    struct eph_key *again = eph_key_new(key->provider);
    if (again == NULL)
        return 0;
    memcpy(again->scalar, key->scalar, sizeof again->scalar);
    int same = eph_software_keygen(&key->provider->software, again) &&
               CRYPTO_memcmp(again->public_u, key->public_u, sizeof again->public_u) == 0;
    eph_key_free(again);
    return same;
}

// ---- from and to other providers

// Trusts the parameters, not the selection: hybrids of OpenSSL 3.5 import a public key alone with a selection of more.
static int x25519_import(void *vkey, int selection, const OSSL_PARAM params[])
{
    struct eph_key *key = vkey;
    if (key == NULL || (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0)
        return 0;
    const OSSL_PARAM *public_key = OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_PUB_KEY);
    const OSSL_PARAM *private_key = (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0
                                        ? OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_PRIV_KEY)
                                        : NULL;
    if (public_key == NULL && private_key == NULL)
        return EPH_RAISE(key->provider, EPH_R_MISSING_KEY, "import");
    if (private_key != NULL && !get_octets(key, private_key, key->scalar))
        return 0;
    if (public_key != NULL && !get_octets(key, public_key, key->public_u))
        return 0;
    if (public_key == NULL && !eph_software_keygen(&key->provider->software, key))
        return EPH_RAISE(key->provider, EPH_R_SOFTWARE_FAILED, "public key of an imported private key");
    key->has_scalar = private_key != NULL;
    key->has_public = key->imported = true;
    return 1;
}

static int x25519_export(void *vkey, int selection, OSSL_CALLBACK *callback, void *argument)
{
    struct eph_key *key = vkey;
    if (key == NULL || (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0)
        return 0;
    OSSL_PARAM params[3];
    size_t n = 0;
    params[n++] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, key->public_u, sizeof key->public_u);
    if (key->has_scalar && (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0)
        params[n++] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, key->scalar, sizeof key->scalar);
    params[n] = OSSL_PARAM_construct_end();
    return callback(params, argument);
}

static const OSSL_PARAM *x25519_types(int selection)
{
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, NULL, 0),
        OSSL_PARAM_END,
    };
    return (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0 ? types : NULL;
}

#define ENTRY(id, function)                                                                                            \
    {                                                                                                                  \
        OSSL_FUNC_KEYMGMT_##id, (void (*)(void))function                                                               \
    }

const OSSL_DISPATCH eph_x25519_keymgmt_functions[] = {
    ENTRY(NEW, x25519_new),
    ENTRY(GEN_INIT, x25519_gen_init),
    ENTRY(GEN_SET_PARAMS, x25519_gen_set_params),
    ENTRY(GEN_SETTABLE_PARAMS, x25519_gen_settable_params),
    ENTRY(GEN, x25519_gen),
    ENTRY(GEN_CLEANUP, x25519_gen_cleanup),
    ENTRY(LOAD, x25519_load),
    ENTRY(FREE, x25519_free),
    ENTRY(GET_PARAMS, x25519_get_params),
    ENTRY(GETTABLE_PARAMS, x25519_gettable_params),
    ENTRY(SET_PARAMS, x25519_set_params),
    ENTRY(SETTABLE_PARAMS, x25519_settable_params),
    ENTRY(HAS, x25519_has),
    ENTRY(MATCH, x25519_match),
    ENTRY(VALIDATE, x25519_validate),
    ENTRY(IMPORT, x25519_import),
    ENTRY(IMPORT_TYPES, x25519_types),
    ENTRY(EXPORT, x25519_export),
    ENTRY(EXPORT_TYPES, x25519_types),
    ENTRY(DUP, x25519_dup),
    {0, NULL},
};
