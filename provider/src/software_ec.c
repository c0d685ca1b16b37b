// SPDX-License-Identifier: Apache-2.0
#include "software_ec.h"
#include "software.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <string.h>
#include <strings.h>

// ---- the default provider's functions: identity in the dispatch table, name of the accessor, our member

#define KEY_FUNCTIONS(X)                                                                                               \
    X(NEW, new, key_new)                                                                                               \
    X(FREE, free, key_free)                                                                                            \
    X(DUP, dup, key_dup)                                                                                               \
    X(HAS, has, key_has)                                                                                               \
    X(MATCH, match, key_match)                                                                                         \
    X(VALIDATE, validate, key_validate)                                                                                \
    X(IMPORT, import, key_import)                                                                                      \
    X(EXPORT, export, key_export)                                                                                      \
    X(GET_PARAMS, get_params, key_get_params)                                                                          \
    X(GETTABLE_PARAMS, gettable_params, key_gettable_params)                                                           \
    X(SET_PARAMS, set_params, key_set_params)                                                                          \
    X(SETTABLE_PARAMS, settable_params, key_settable_params)                                                           \
    X(GEN_INIT, gen_init, gen_init)                                                                                    \
    X(GEN_SET_TEMPLATE, gen_set_template, gen_set_template)                                                            \
    X(GEN_SET_PARAMS, gen_set_params, gen_set_params)                                                                  \
    X(GEN_SETTABLE_PARAMS, gen_settable_params, gen_settable_params)                                                   \
    X(GEN, gen, gen)                                                                                                   \
    X(GEN_CLEANUP, gen_cleanup, gen_cleanup)

#define EXCHANGE_FUNCTIONS(X)                                                                                          \
    X(NEWCTX, newctx, exchange_new)                                                                                    \
    X(INIT, init, exchange_init)                                                                                       \
    X(SET_PEER, set_peer, exchange_set_peer)                                                                           \
    X(DERIVE, derive, exchange_derive)                                                                                 \
    X(SET_CTX_PARAMS, set_ctx_params, exchange_set_params)                                                             \
    X(SETTABLE_CTX_PARAMS, settable_ctx_params, exchange_settable_params)                                              \
    X(GET_CTX_PARAMS, get_ctx_params, exchange_get_params)                                                             \
    X(GETTABLE_CTX_PARAMS, gettable_ctx_params, exchange_gettable_params)                                              \
    X(DUPCTX, dupctx, exchange_dup)                                                                                    \
    X(FREECTX, freectx, exchange_free)

// Names of an algorithm are a list separated by colons, the first one comes first.
static const OSSL_DISPATCH *find_algorithm(const OSSL_ALGORITHM *algorithms, const char *name)
{
    size_t bytes = strlen(name);
    for (; algorithms != NULL && algorithms->algorithm_names != NULL; algorithms++) {
        const char *names = algorithms->algorithm_names;
        if (strncasecmp(names, name, bytes) == 0 && (names[bytes] == ':' || names[bytes] == 0))
            return algorithms->implementation;
    }
    return NULL;
}

#define PRESENT(id, name, member) &&ec->member != NULL // one more condition

static bool read_key_functions(struct eph_software_ec *ec, const OSSL_DISPATCH *in)
{
    for (; in != NULL && in->function_id != 0; in++) {
        switch (in->function_id) {
#define READ(id, name, member)                                                                                         \
    case OSSL_FUNC_KEYMGMT_##id:                                                                                       \
        ec->member = OSSL_FUNC_keymgmt_##name(in);                                                                     \
        break;
            KEY_FUNCTIONS(READ)
#undef READ
        }
    }
    return true KEY_FUNCTIONS(PRESENT);
}

static bool read_exchange_functions(struct eph_software_ec *ec, const OSSL_DISPATCH *in)
{
    for (; in != NULL && in->function_id != 0; in++) {
        switch (in->function_id) {
#define READ(id, name, member)                                                                                         \
    case OSSL_FUNC_KEYEXCH_##id:                                                                                       \
        ec->member = OSSL_FUNC_keyexch_##name(in);                                                                     \
        break;
            EXCHANGE_FUNCTIONS(READ)
#undef READ
        }
    }
    return true EXCHANGE_FUNCTIONS(PRESENT);
}

bool eph_software_ec_init(struct eph_software_ec *ec, const struct eph_software *software)
{
    ec->context = software->context;
    return read_key_functions(ec, find_algorithm(software->key_algorithms, "EC")) &&
           read_exchange_functions(ec, find_algorithm(software->exchange_algorithms, "ECDH"));
}

// ---- objects

static void *run_generation(const struct eph_software_ec *ec, void *generation, bool ready)
{
    void *made = ready ? ec->gen(generation, NULL, NULL) : NULL;
    if (generation != NULL)
        ec->gen_cleanup(generation);
    return made;
}

void *eph_software_ec_parameters(const struct eph_software_ec *ec, const char *name)
{
    const OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)name, strlen(name)),
        OSSL_PARAM_END,
    };
    void *generation = ec->gen_init(ec->context, OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS, params);
    return run_generation(ec, generation, generation != NULL);
}

void *eph_software_ec_generate(const struct eph_software_ec *ec, void *parameters)
{
    void *generation = ec->gen_init(ec->context, OSSL_KEYMGMT_SELECT_ALL, NULL);
    return run_generation(ec, generation, generation != NULL && ec->gen_set_template(generation, parameters));
}

// From a copy of the parameters: making the group anew from its name costs several times as much.
void *eph_software_ec_public(const struct eph_software_ec *ec, const void *parameters, const uint8_t *octets,
                             size_t bytes)
{
    const OSSL_PARAM params[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, (void *)octets, bytes),
        OSSL_PARAM_END,
    };
    void *object = ec->key_dup(parameters, OSSL_KEYMGMT_SELECT_ALL_PARAMETERS);
    if (object == NULL || ec->key_set_params(object, params))
        return object;
    ec->key_free(object);
    return NULL;
}

void *eph_software_ec_import(const struct eph_software_ec *ec, int selection, const OSSL_PARAM params[])
{
    void *object = ec->key_new(ec->context);
    if (object == NULL || ec->key_import(object, selection, params))
        return object;
    ec->key_free(object);
    return NULL;
}

// ---- exchanges

void *eph_software_ec_exchange(const struct eph_software_ec *ec, void *own)
{
    static const OSSL_PARAM none[] = {OSSL_PARAM_END};
    void *exchange = ec->exchange_new(ec->context);
    if (exchange == NULL || ec->exchange_init(exchange, own, none))
        return exchange;
    ec->exchange_free(exchange);
    return NULL;
}

bool eph_software_ec_derive(const struct eph_software_ec *ec, void *own, void *peer, uint8_t *secret, size_t *bytes)
{
    size_t room = *bytes;
    void *exchange = eph_software_ec_exchange(ec, own);
    bool derived =
        exchange != NULL && ec->exchange_set_peer(exchange, peer) && ec->exchange_derive(exchange, secret, bytes, room);
    if (exchange != NULL)
        ec->exchange_free(exchange);
    return derived;
}
