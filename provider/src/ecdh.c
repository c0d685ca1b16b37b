// SPDX-License-Identifier: Apache-2.0
// Key exchange ECDH (SP 800-56A section 5.7.1.2; RFC 8446 section 7.4.2, RFC 8422 section 5.10).
#include "ec_key.h"
#include "errors.h"
#include "provider.h"
#include "route.h"

#include <openssl/crypto.h>
#include <openssl/params.h>

struct exchange {
    struct eph_provider *provider; // borrowed
    struct eph_ec_key *key;        // shared
    struct eph_ec_key *peer;       // shared
    void *custom; // owned; default's exchange, once parameters were set (cofactor mode, KDF) or curves need it
};

static OSSL_FUNC_keyexch_newctx_fn exchange_new;
static OSSL_FUNC_keyexch_init_fn exchange_init;
static OSSL_FUNC_keyexch_set_peer_fn exchange_set_peer;
static OSSL_FUNC_keyexch_derive_fn exchange_derive;
static OSSL_FUNC_keyexch_set_ctx_params_fn exchange_set_params;
static OSSL_FUNC_keyexch_settable_ctx_params_fn exchange_settable_params;
static OSSL_FUNC_keyexch_get_ctx_params_fn exchange_get_params;
static OSSL_FUNC_keyexch_gettable_ctx_params_fn exchange_gettable_params;
static OSSL_FUNC_keyexch_dupctx_fn exchange_dup;
static OSSL_FUNC_keyexch_freectx_fn exchange_free;

static void *exchange_new(void *vprovider)
{
    struct exchange *exchange = vprovider != NULL ? OPENSSL_zalloc(sizeof *exchange) : NULL;
    if (exchange != NULL)
        exchange->provider = vprovider;
    return exchange;
}

static void forget(struct exchange *exchange)
{
    eph_ec_key_free(exchange->key);
    eph_ec_key_free(exchange->peer);
    if (exchange->custom != NULL)
        exchange->provider->ec.software.exchange_free(exchange->custom);
    exchange->key = exchange->peer = NULL;
    exchange->custom = NULL;
}

static int exchange_init(void *vexchange, void *vkey, const OSSL_PARAM params[])
{
    struct exchange *exchange = vexchange;
    struct eph_ec_key *key = vkey;
    if (exchange == NULL || key == NULL || !eph_ec_key_has_parameters(key))
        return 0;
    forget(exchange);
    exchange->key = eph_ec_key_share(key);
    return exchange_set_params(exchange, params);
}

// Default's exchange with our key and, when there is one, the peer's. Default says whether they go together.
static bool give_peer(struct exchange *exchange)
{
    void *software = eph_ec_key_software(exchange->peer);
    return software != NULL && exchange->provider->ec.software.exchange_set_peer(exchange->custom, software);
}

static bool make_custom(struct exchange *exchange)
{
    if (exchange->custom != NULL)
        return true;
    if (exchange->key == NULL)
        return false;
    void *own = eph_ec_key_software(exchange->key);
    if (own != NULL)
        exchange->custom = eph_software_ec_exchange(&exchange->provider->ec.software, own);
    return exchange->custom != NULL && (exchange->peer == NULL || give_peer(exchange));
}

// The core has validated the peer's key unless the application said not to.
static int exchange_set_peer(void *vexchange, void *vpeer)
{
    struct exchange *exchange = vexchange;
    struct eph_ec_key *peer = vpeer;
    if (exchange == NULL || exchange->key == NULL || peer == NULL)
        return 0;
    eph_ec_key_free(exchange->peer);
    exchange->peer = eph_ec_key_share(peer);
    bool plain = exchange->custom == NULL && exchange->key->curve != NULL && exchange->key->curve == peer->curve;
    if (plain || (exchange->custom != NULL ? give_peer(exchange) : make_custom(exchange)))
        return 1;
    eph_ec_key_free(exchange->peer);
    exchange->peer = NULL;
    return 0;
}

// libssl asks for the size first: that computes nothing.
static int exchange_derive(void *vexchange, unsigned char *secret, size_t *secret_bytes, size_t room)
{
    struct exchange *exchange = vexchange;
    if (exchange == NULL)
        return 0;
    struct eph_provider *provider = exchange->provider;
    if (exchange->key == NULL || !exchange->key->has_private || exchange->peer == NULL || !exchange->peer->has_public)
        return EPH_RAISE(provider, EPH_R_MISSING_KEY, "ECDH derive");
    *secret_bytes = room;
    if (secret != NULL)
        return eph_route_ec_derive(provider, exchange->key, exchange->peer, exchange->custom, secret, secret_bytes) ||
               EPH_RAISE(provider, EPH_R_SOFTWARE_FAILED, "ECDH derive");
    if (exchange->custom != NULL)
        return provider->ec.software.exchange_derive(exchange->custom, NULL, secret_bytes, 0);
    *secret_bytes = exchange->key->curve->field.bytes;
    return 1;
}

static int exchange_set_params(void *vexchange, const OSSL_PARAM params[])
{
    struct exchange *exchange = vexchange;
    if (exchange == NULL)
        return 0;
    if (params == NULL || params[0].key == NULL)
        return 1;
    return make_custom(exchange) && exchange->provider->ec.software.exchange_set_params(exchange->custom, params);
}

static const OSSL_PARAM *exchange_settable_params(void *vexchange, void *vprovider)
{
    const struct eph_provider *provider = vprovider;
    (void)vexchange;
    return provider != NULL ? provider->ec.software.exchange_settable_params(NULL, provider->ec.software.context)
                            : NULL;
}

static int exchange_get_params(void *vexchange, OSSL_PARAM params[])
{
    struct exchange *exchange = vexchange;
    return exchange != NULL && make_custom(exchange) &&
           exchange->provider->ec.software.exchange_get_params(exchange->custom, params);
}

static const OSSL_PARAM *exchange_gettable_params(void *vexchange, void *vprovider)
{
    const struct eph_provider *provider = vprovider;
    (void)vexchange;
    return provider != NULL ? provider->ec.software.exchange_gettable_params(NULL, provider->ec.software.context)
                            : NULL;
}

static void *exchange_dup(void *vexchange)
{
    struct exchange *exchange = vexchange;
    struct exchange *copy = exchange != NULL ? exchange_new(exchange->provider) : NULL;
    if (copy == NULL)
        return NULL;
    if (exchange->key != NULL)
        copy->key = eph_ec_key_share(exchange->key);
    if (exchange->peer != NULL)
        copy->peer = eph_ec_key_share(exchange->peer);
    if (exchange->custom != NULL &&
        (copy->custom = exchange->provider->ec.software.exchange_dup(exchange->custom)) == NULL) {
        exchange_free(copy);
        return NULL;
    }
    return copy;
}

static void exchange_free(void *vexchange)
{
    struct exchange *exchange = vexchange;
    if (exchange == NULL)
        return;
    forget(exchange);
    OPENSSL_free(exchange);
}

#define ENTRY(id, function)                                                                                            \
    {                                                                                                                  \
        OSSL_FUNC_KEYEXCH_##id, (void (*)(void))function                                                               \
    }

const OSSL_DISPATCH eph_ecdh_functions[] = {
    ENTRY(NEWCTX, exchange_new),
    ENTRY(INIT, exchange_init),
    ENTRY(SET_PEER, exchange_set_peer),
    ENTRY(DERIVE, exchange_derive),
    ENTRY(SET_CTX_PARAMS, exchange_set_params),
    ENTRY(SETTABLE_CTX_PARAMS, exchange_settable_params),
    ENTRY(GET_CTX_PARAMS, exchange_get_params),
    ENTRY(GETTABLE_CTX_PARAMS, exchange_gettable_params),
    ENTRY(DUPCTX, exchange_dup),
    ENTRY(FREECTX, exchange_free),
    {0, NULL},
};
