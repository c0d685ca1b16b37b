// SPDX-License-Identifier: Apache-2.0
#include "tls_pair.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

// TLS 1.2 takes the server's DHE parameters from the SSL_CTX, not from the groups list.
static bool set_dh_parameters(SSL_CTX *server, OSSL_LIB_CTX *libctx, const char *group)
{
    EVP_PKEY *parameters = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(libctx, "DH", NULL);
    OSSL_PARAM settings[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)group, 0),
                             OSSL_PARAM_construct_end()};
    bool good = ctx && EVP_PKEY_paramgen_init(ctx) == 1 && EVP_PKEY_CTX_set_params(ctx, settings) == 1 &&
                EVP_PKEY_generate(ctx, &parameters) == 1 && SSL_CTX_set0_tmp_dh_pkey(server, parameters) == 1;
    if (!good)
        EVP_PKEY_free(parameters);
    EVP_PKEY_CTX_free(ctx);
    return good;
}

static bool set_groups(struct tls_pair *pair, const struct suite *suite, OSSL_LIB_CTX *server_libctx)
{
    char groups[64];
    bool tls12 = suite->tls_version == TLS1_2_VERSION;
    if (tls12 && suite->group->kind == GROUP_DHE)
        return SSL_CTX_set_cipher_list(pair->server, "kDHE") == 1 &&
               set_dh_parameters(pair->server, server_libctx, suite->group->key_group);
    // RFC 8422 §5.1.1: in TLS 1.2 the list restricts the curves of certificates too, so P-256 must be in it, after the
    // one we want
    bool needs_p256 =
        tls12 && suite->certificate == CERTIFICATE_ECDSA_P256 && strcmp(suite->group->tls_name, "P-256") != 0;
    snprintf(groups, sizeof(groups), "%s%s", suite->group->tls_name, needs_p256 ? ":P-256" : "");
    return SSL_CTX_set1_groups_list(pair->server, groups) == 1 && SSL_CTX_set1_groups_list(pair->client, groups) == 1;
}

const char *tls_pair_open(struct tls_pair *pair, const struct suite *suite, const struct credentials *credentials,
                          OSSL_LIB_CTX *server_libctx, OSSL_LIB_CTX *client_libctx, bool async, char reason[256])
{
    memset(pair, 0, sizeof(*pair));
    pair->server = SSL_CTX_new_ex(server_libctx, NULL, TLS_server_method());
    pair->client = SSL_CTX_new_ex(client_libctx, NULL, TLS_client_method());
    if (!pair->server || !pair->client)
        return "SSL_CTX_new failed";
    if (!set_groups(pair, suite, server_libctx)) {
        ERR_clear_error();
        snprintf(reason, 256, "%s has no group %s", OpenSSL_version(OPENSSL_VERSION_STRING), suite->group->name);
        return reason;
    }
    // Tickets stay at OpenSSL's default (two in TLS 1.3), since servers issue them; the stateful cache is off.
    SSL_CTX_set_session_cache_mode(pair->server, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(pair->client, SSL_VERIFY_NONE, NULL); // the client's work is not what is measured
    if (async)
        SSL_CTX_set_mode(pair->server, SSL_MODE_ASYNC);
    bool good = SSL_CTX_set_min_proto_version(pair->server, suite->tls_version) == 1 &&
                SSL_CTX_set_max_proto_version(pair->server, suite->tls_version) == 1 &&
                SSL_CTX_set_max_proto_version(pair->client, suite->tls_version) == 1 &&
                credentials_use(credentials, suite->certificate, pair->server, server_libctx);
    return good ? NULL : "certificate or protocol version refused";
}

void tls_pair_close(struct tls_pair *pair)
{
    SSL_SESSION_free(pair->session);
    SSL_CTX_free(pair->server);
    SSL_CTX_free(pair->client);
    ideal_device_fini(&pair->ideal);
    memset(pair, 0, sizeof(*pair));
}

bool tls_pair_used_group(SSL *client, const struct suite *suite)
{
    EVP_PKEY *peer = NULL;
    char name[64] = "";
    if (suite->group->kind == GROUP_HYBRID) { // a KEM has no key of the peer to look at
        const char *used = SSL_group_to_name(client, (int)SSL_get_negotiated_group(client));
        return used && strcasecmp(used, suite->group->tls_name) == 0;
    }
    if (SSL_get_peer_tmp_key(client, &peer) != 1)
        return false;
    bool good = EVP_PKEY_is_a(peer, suite->group->key_type);
    if (good && suite->group->key_group && EVP_PKEY_get_group_name(peer, name, sizeof(name), NULL) == 1) {
        // libcrypto says prime256v1 where libssl says P-256
        const char *nist = OBJ_txt2nid(name) != NID_undef ? EC_curve_nid2nist(OBJ_txt2nid(name)) : NULL;
        good = strcasecmp(nist ? nist : name, suite->group->key_group) == 0;
    }
    EVP_PKEY_free(peer);
    return good;
}
