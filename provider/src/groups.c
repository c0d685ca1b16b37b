// SPDX-License-Identifier: Apache-2.0
// TLS-GROUP: the groups whose key manager is ours. libssl 3.0 ... 3.1 keeps a group only when the key manager that it
// fetches for the group's algorithm comes from the provider that announced it; so every group of an algorithm that we
// shadow must be here, brainpool and binary curves too, or it vanishes, and the groups whose algorithms stay with the
// default provider (X448, DH) must be announced by that one. Newer libssl takes the first row of each group whoever
// announced it. The rows are those of this libcrypto's default provider, so they are right in each version:
// tests/tls compares the ClientHello's group list with that of a stock library.
#include "provider.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <strings.h>

struct announcement {
    OSSL_CALLBACK *callback; // libssl's
    void *argument;
};

static int announce_ours(const OSSL_PARAM params[], void *vannouncement)
{
    static const char *const algorithms[] = {"EC", "X25519"};
    const struct announcement *announcement = vannouncement;
    const OSSL_PARAM *algorithm = OSSL_PARAM_locate_const(params, OSSL_CAPABILITY_TLS_GROUP_ALG);
    for (size_t i = 0; algorithm != NULL && i < sizeof algorithms / sizeof algorithms[0]; i++)
        if (algorithm->data_type == OSSL_PARAM_UTF8_STRING && strcasecmp(algorithm->data, algorithms[i]) == 0)
            return announcement->callback(params, announcement->argument);
    return 1;
}

int eph_groups_announce(const struct eph_provider *provider, OSSL_CALLBACK *callback, void *argument)
{
    struct announcement announcement = {callback, argument};
    return OSSL_PROVIDER_get_capabilities(provider->software.default_provider, "TLS-GROUP", announce_ours,
                                          &announcement);
}
