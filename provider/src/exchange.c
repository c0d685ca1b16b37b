// SPDX-License-Identifier: Apache-2.0
// Key exchange X25519 (RFC 7748 section 6.1).
#include "errors.h"
#include "key.h"
#include "provider.h"
#include "route.h"

#include <openssl/crypto.h>
#include <openssl/params.h>
#include <string.h>

struct exchange {
    struct eph_provider *provider; // borrowed
    struct eph_key *key;           // shared
    struct eph_key *peer;          // shared
};

static OSSL_FUNC_keyexch_newctx_fn exchange_new;
static OSSL_FUNC_keyexch_init_fn exchange_init;
static OSSL_FUNC_keyexch_set_peer_fn exchange_set_peer;
static OSSL_FUNC_keyexch_derive_fn exchange_derive;
static OSSL_FUNC_keyexch_dupctx_fn exchange_dup;
static OSSL_FUNC_keyexch_freectx_fn exchange_free;

static void *exchange_new(void *vprovider)
{
    struct exchange *exchange = vprovider != NULL ? OPENSSL_zalloc(sizeof *exchange) : NULL;
    if (exchange != NULL)
        exchange->provider = vprovider;
    return exchange;
}

static int exchange_init(void *vexchange, void *vkey, const OSSL_PARAM params[])
{
    struct exchange *exchange = vexchange;
    (void)params; // X25519 has none
    if (exchange == NULL || vkey == NULL)
        return 0;
    eph_key_free(exchange->key);
    eph_key_free(exchange->peer);
    exchange->key = eph_key_share(vkey);
    exchange->peer = NULL;
    return 1;
}

static int exchange_set_peer(void *vexchange, void *vpeer)
{
    struct exchange *exchange = vexchange;
    if (exchange == NULL || vpeer == NULL)
        return 0;
    eph_key_free(exchange->peer);
    exchange->peer = eph_key_share(vpeer);
    return 1;
}

// libssl asks for the size first: that costs nothing.
static int exchange_derive(void *vexchange, unsigned char *secret, size_t *secret_bytes, size_t room)
{
    struct exchange *exchange = vexchange;
    if (exchange == NULL)
        return 0;
    struct eph_provider *provider = exchange->provider;
    if (exchange->key == NULL || !exchange->key->has_scalar || exchange->peer == NULL || !exchange->peer->has_public)
        return EPH_RAISE(provider, EPH_R_MISSING_KEY, "X25519 needs a private key and a peer's public key");
    if (secret == NULL) {
        *secret_bytes = EPH_X25519_BYTES;
        return 1;
    }
    if (room < EPH_X25519_BYTES)
        return EPH_RAISE(provider, EPH_R_BUFFER_TOO_SMALL, "%zu bytes, X25519 needs 32", room);

    uint8_t result[EPH_X25519_BYTES] = {0};
    int derived = eph_route_derive(provider, exchange->key, exchange->peer->public_u, result);
    // RFC 7748 section 6.1, here so that no backend can forget it.
    if (eph_secret_is_zero(result, sizeof result))
        derived = EPH_RAISE(provider, EPH_R_ZERO_RESULT, "the shared secret is zero: low-order peer key");
    if (derived) {
        memcpy(secret, result, sizeof result);
        *secret_bytes = sizeof result;
    }
    eph_secret_wipe(result, sizeof result);
    return derived;
}

static void *exchange_dup(void *vexchange)
{
    struct exchange *exchange = vexchange;
    struct exchange *copy = exchange != NULL ? exchange_new(exchange->provider) : NULL;
    if (copy == NULL)
        return NULL;
    if (exchange->key != NULL)
        copy->key = eph_key_share(exchange->key);
    if (exchange->peer != NULL)
        copy->peer = eph_key_share(exchange->peer);
    return copy;
}

static void exchange_free(void *vexchange)
{
    struct exchange *exchange = vexchange;
    if (exchange == NULL)
        return;
    eph_key_free(exchange->key);
    eph_key_free(exchange->peer);
    OPENSSL_free(exchange);
}

#define ENTRY(id, function)                                                                                            \
    {                                                                                                                  \
        OSSL_FUNC_KEYEXCH_##id, (void (*)(void))function                                                               \
    }

const OSSL_DISPATCH eph_x25519_exchange_functions[] = {
    ENTRY(NEWCTX, exchange_new),
    ENTRY(INIT, exchange_init),
    ENTRY(SET_PEER, exchange_set_peer),
    ENTRY(DERIVE, exchange_derive),
    ENTRY(DUPCTX, exchange_dup),
    ENTRY(FREECTX, exchange_free),
    {0, NULL},
};
