// SPDX-License-Identifier: Apache-2.0
#include "software.h"
#include "key.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <string.h>
#include <strings.h>

static const char algorithm_name[] = "X25519";

// ---- the default provider's functions

// The dispatch table of X25519; names of an algorithm are a list separated by colons, the first one comes first.
static const OSSL_DISPATCH *find_algorithm(const OSSL_ALGORITHM *algorithms)
{
    size_t bytes = sizeof algorithm_name - 1;
    for (; algorithms != NULL && algorithms->algorithm_names != NULL; algorithms++) {
        const char *names = algorithms->algorithm_names;
        if (strncasecmp(names, algorithm_name, bytes) == 0 && (names[bytes] == ':' || names[bytes] == 0))
            return algorithms->implementation;
    }
    return NULL;
}

static void read_key_functions(struct eph_software *software, const OSSL_DISPATCH *in)
{
    for (; in != NULL && in->function_id != 0; in++) {
        switch (in->function_id) {
        case OSSL_FUNC_KEYMGMT_NEW:
            software->key_new = OSSL_FUNC_keymgmt_new(in);
            break;
        case OSSL_FUNC_KEYMGMT_FREE:
            software->key_free = OSSL_FUNC_keymgmt_free(in);
            break;
        case OSSL_FUNC_KEYMGMT_IMPORT:
            software->key_import = OSSL_FUNC_keymgmt_import(in);
            break;
        case OSSL_FUNC_KEYMGMT_GET_PARAMS:
            software->key_get_params = OSSL_FUNC_keymgmt_get_params(in);
            break;
        case OSSL_FUNC_KEYMGMT_GEN_INIT:
            software->gen_init = OSSL_FUNC_keymgmt_gen_init(in);
            break;
        case OSSL_FUNC_KEYMGMT_GEN:
            software->gen = OSSL_FUNC_keymgmt_gen(in);
            break;
        case OSSL_FUNC_KEYMGMT_GEN_CLEANUP:
            software->gen_cleanup = OSSL_FUNC_keymgmt_gen_cleanup(in);
            break;
        }
    }
}

static void read_exchange_functions(struct eph_software *software, const OSSL_DISPATCH *in)
{
    for (; in != NULL && in->function_id != 0; in++) {
        switch (in->function_id) {
        case OSSL_FUNC_KEYEXCH_NEWCTX:
            software->exchange_new = OSSL_FUNC_keyexch_newctx(in);
            break;
        case OSSL_FUNC_KEYEXCH_INIT:
            software->exchange_init = OSSL_FUNC_keyexch_init(in);
            break;
        case OSSL_FUNC_KEYEXCH_SET_PEER:
            software->exchange_set_peer = OSSL_FUNC_keyexch_set_peer(in);
            break;
        case OSSL_FUNC_KEYEXCH_DERIVE:
            software->exchange_derive = OSSL_FUNC_keyexch_derive(in);
            break;
        case OSSL_FUNC_KEYEXCH_FREECTX:
            software->exchange_free = OSSL_FUNC_keyexch_freectx(in);
            break;
        }
    }
}

bool eph_software_init(struct eph_software *software)
{
    int no_store = 0;
    software->libctx = OSSL_LIB_CTX_new();
    software->default_provider = software->libctx != NULL ? OSSL_PROVIDER_load(software->libctx, "default") : NULL;
    if (software->default_provider == NULL)
        return false;
    software->context = OSSL_PROVIDER_get0_provider_ctx(software->default_provider);
    software->key_algorithms = OSSL_PROVIDER_query_operation(software->default_provider, OSSL_OP_KEYMGMT, &no_store);
    software->exchange_algorithms =
        OSSL_PROVIDER_query_operation(software->default_provider, OSSL_OP_KEYEXCH, &no_store);
    read_key_functions(software, find_algorithm(software->key_algorithms));
    read_exchange_functions(software, find_algorithm(software->exchange_algorithms));
    return software->key_new != NULL && software->key_free != NULL && software->key_import != NULL &&
           software->key_get_params != NULL && software->gen_init != NULL && software->gen != NULL &&
           software->gen_cleanup != NULL && software->exchange_new != NULL && software->exchange_init != NULL &&
           software->exchange_set_peer != NULL && software->exchange_derive != NULL && software->exchange_free != NULL;
}

void eph_software_fini(struct eph_software *software)
{
    if (software->key_algorithms != NULL)
        OSSL_PROVIDER_unquery_operation(software->default_provider, OSSL_OP_KEYMGMT, software->key_algorithms);
    if (software->exchange_algorithms != NULL)
        OSSL_PROVIDER_unquery_operation(software->default_provider, OSSL_OP_KEYEXCH, software->exchange_algorithms);
    if (software->default_provider != NULL)
        OSSL_PROVIDER_unload(software->default_provider);
    OSSL_LIB_CTX_free(software->libctx);
    memset(software, 0, sizeof *software);
}

// ---- keys of the default provider

// Either half may be NULL; a missing public half is computed.
static void *import_key(const struct eph_software *software, const uint8_t *scalar, const uint8_t *public_u)
{
    OSSL_PARAM params[3], *next = params;
    if (scalar != NULL)
        *next++ = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, (void *)scalar, EPH_X25519_BYTES);
    if (public_u != NULL)
        *next++ = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)public_u, EPH_X25519_BYTES);
    *next = OSSL_PARAM_construct_end();
    void *object = software->key_new(software->context);
    if (object == NULL)
        return NULL;
    int selection = scalar != NULL ? OSSL_KEYMGMT_SELECT_KEYPAIR : OSSL_KEYMGMT_SELECT_PUBLIC_KEY;
    if (software->key_import(object, selection, params))
        return object;
    software->key_free(object);
    return NULL;
}

static bool read_key(const struct eph_software *software, void *object, const char *name,
                     uint8_t octets[EPH_X25519_BYTES])
{
    OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(name, octets, EPH_X25519_BYTES),
                           OSSL_PARAM_construct_end()};
    return software->key_get_params(object, params) && params[0].return_size == EPH_X25519_BYTES;
}

// Another thread may have been faster: then its object stays. Release publishes the finished object to the acquire in
// own_object.
static void *publish(const struct eph_software *software, struct eph_key *key, void *made)
{
    void *expected = NULL;
    if (atomic_compare_exchange_strong_explicit(&key->software, &expected, made, memory_order_acq_rel,
                                                memory_order_acquire))
        return made;
    software->key_free(made);
    return expected;
}

static void *own_object(const struct eph_software *software, struct eph_key *key)
{
    void *object = atomic_load_explicit(&key->software, memory_order_acquire);
    if (object == NULL && (object = import_key(software, key->scalar, key->public_u)) != NULL)
        object = publish(software, key, object);
    return object;
}

void eph_software_forget(const struct eph_software *software, struct eph_key *key)
{
    void *object = atomic_exchange(&key->software, NULL);
    if (object != NULL)
        software->key_free(object);
}

// ---- operations

bool eph_software_keygen(const struct eph_software *software, struct eph_key *key)
{
    void *object = import_key(software, key->scalar, NULL);
    if (object == NULL)
        return false;
    if (!read_key(software, object, OSSL_PKEY_PARAM_PUB_KEY, key->public_u)) {
        software->key_free(object);
        return false;
    }
    publish(software, key, object);
    return true;
}

bool eph_software_keygen_from_material(const struct eph_software *software, struct eph_key *key,
                                       const uint8_t *secret_material, size_t bytes)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(EPH_PARAM_MATERIAL, (void *)secret_material, bytes),
        OSSL_PARAM_construct_end(),
    };
    void *generation = software->gen_init(software->context, OSSL_KEYMGMT_SELECT_KEYPAIR, params);
    if (generation == NULL)
        return false;
    void *object = software->gen(generation, NULL, NULL);
    software->gen_cleanup(generation);
    if (object == NULL)
        return false;
    if (!read_key(software, object, OSSL_PKEY_PARAM_PRIV_KEY, key->scalar) ||
        !read_key(software, object, OSSL_PKEY_PARAM_PUB_KEY, key->public_u)) {
        software->key_free(object);
        return false;
    }
    publish(software, key, object);
    return true;
}

bool eph_software_derive(const struct eph_software *software, struct eph_key *key, const uint8_t *peer_u,
                         uint8_t *secret)
{
    static const OSSL_PARAM none[] = {OSSL_PARAM_END};
    size_t bytes = 0;
    void *own = own_object(software, key);
    void *peer = import_key(software, NULL, peer_u);
    void *exchange = own != NULL && peer != NULL ? software->exchange_new(software->context) : NULL;
    bool derived = exchange != NULL && software->exchange_init(exchange, own, none) &&
                   software->exchange_set_peer(exchange, peer) &&
                   software->exchange_derive(exchange, secret, &bytes, EPH_X25519_BYTES) && bytes == EPH_X25519_BYTES;
    if (exchange != NULL)
        software->exchange_free(exchange);
    if (peer != NULL)
        software->key_free(peer);
    return derived;
}
