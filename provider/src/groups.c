// SPDX-License-Identifier: Apache-2.0
// TLS-GROUP: the groups whose key manager is ours. libssl 3.0 ... 3.1 keeps a group only when the key manager that it
// fetches for the group's algorithm comes from the provider that announced it; so X25519 must be here or it vanishes,
// and the groups whose algorithms stay with the default provider (EC, X448, DH) must be announced by that one. Newer
// libssl takes the first row of each group whoever announced it. Shadowing another algorithm therefore means adding all
// its groups here: tests/tls compares the ClientHello's group list with that of a stock library.
#include "provider.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/prov_ssl.h>
#include <string.h>

struct group {
    const char *tls_name; // as in SSL_CTX_set1_groups_list
    const char *name;     // the group parameter that libssl gives to the key manager
    const char *algorithm;
    unsigned id; // IANA TLS Supported Groups
    unsigned security_bits;
    int min_tls, max_tls, min_dtls, max_dtls; // 0: no limit, -1: never
};

static const struct group groups[] = {
    {"x25519", "X25519", "X25519", 0x001d, 128, TLS1_VERSION, 0, DTLS1_VERSION, 0}, // RFC 8446 section 4.2.7
};

static int announce(const struct group *group, OSSL_CALLBACK *callback, void *argument)
{
    unsigned id = group->id, security_bits = group->security_bits, is_kem = 0;
    int min_tls = group->min_tls, max_tls = group->max_tls, min_dtls = group->min_dtls, max_dtls = group->max_dtls;
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_CAPABILITY_TLS_GROUP_NAME, (char *)group->tls_name, strlen(group->tls_name) + 1),
        OSSL_PARAM_utf8_string(OSSL_CAPABILITY_TLS_GROUP_NAME_INTERNAL, (char *)group->name, strlen(group->name) + 1),
        OSSL_PARAM_utf8_string(OSSL_CAPABILITY_TLS_GROUP_ALG, (char *)group->algorithm, strlen(group->algorithm) + 1),
        OSSL_PARAM_uint(OSSL_CAPABILITY_TLS_GROUP_ID, &id),
        OSSL_PARAM_uint(OSSL_CAPABILITY_TLS_GROUP_SECURITY_BITS, &security_bits),
        OSSL_PARAM_uint(OSSL_CAPABILITY_TLS_GROUP_IS_KEM, &is_kem),
        OSSL_PARAM_int(OSSL_CAPABILITY_TLS_GROUP_MIN_TLS, &min_tls),
        OSSL_PARAM_int(OSSL_CAPABILITY_TLS_GROUP_MAX_TLS, &max_tls),
        OSSL_PARAM_int(OSSL_CAPABILITY_TLS_GROUP_MIN_DTLS, &min_dtls),
        OSSL_PARAM_int(OSSL_CAPABILITY_TLS_GROUP_MAX_DTLS, &max_dtls),
        OSSL_PARAM_END,
    };
    return callback(params, argument);
}

int eph_groups_announce(OSSL_CALLBACK *callback, void *argument)
{
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (!announce(&groups[i], callback, argument))
            return 0;
    return 1;
}
