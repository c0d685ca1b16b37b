// SPDX-License-Identifier: Apache-2.0
#include "suites.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const struct group suite_groups[] = {
    {"X25519", "X25519", "X25519", NULL, NULL, GROUP_ECDHE},
    {"P-256", "P-256", "EC", "P-256", NULL, GROUP_ECDHE},
    {"P-384", "P-384", "EC", "P-384", NULL, GROUP_ECDHE},
    {"P-521", "P-521", "EC", "P-521", NULL, GROUP_ECDHE},
    {"X448", "X448", "X448", NULL, NULL, GROUP_ECDHE},
    {"ffdhe2048", "ffdhe2048", "DH", "ffdhe2048", NULL, GROUP_DHE},
    {"X25519MLKEM768", "X25519MLKEM768", "X25519MLKEM768", NULL, "X25519", GROUP_HYBRID},
};
const size_t suite_group_count = sizeof(suite_groups) / sizeof(suite_groups[0]);

const struct group *suite_group(const char *name)
{
    for (size_t i = 0; i < suite_group_count; i++)
        if (strcasecmp(suite_groups[i].name, name) == 0)
            return &suite_groups[i];
    return NULL;
}

const char *suite_certificate_name(enum certificate certificate)
{
    return certificate == CERTIFICATE_ECDSA_P256 ? "ECDSA-P256" : "RSA-2048";
}

size_t suite_list(struct suite suites[SUITE_MAX])
{
    static const int versions[] = {TLS1_3_VERSION, TLS1_2_VERSION};
    size_t count = 0;
    for (size_t g = 0; g < suite_group_count; g++)
        for (size_t v = 0; v < 2; v++)
            for (int c = 0; c < CERTIFICATE_COUNT && count < SUITE_MAX; c++) {
                struct suite *suite = &suites[count++];
                *suite = (struct suite){.group = &suite_groups[g], .certificate = c, .tls_version = versions[v]};
                snprintf(suite->name, sizeof(suite->name), "TLS1.%c/%s/%s", versions[v] == TLS1_3_VERSION ? '3' : '2',
                         suite_groups[g].name, suite_certificate_name(c));
            }
    return count;
}

const char *suite_impossible(const struct suite *suite)
{
    if (suite->tls_version == TLS1_3_VERSION)
        return NULL;
    if (suite->group->kind == GROUP_HYBRID)
        return "TLS 1.2 has no hybrid groups";
    if (suite->group->kind == GROUP_DHE && suite->certificate == CERTIFICATE_ECDSA_P256)
        return "TLS 1.2 has no DHE cipher suite with an ECDSA certificate";
    return NULL;
}

static bool has_part(const char *name, const char *part, size_t length)
{
    while (name) {
        size_t here = strcspn(name, "/");
        if (here == length && strncasecmp(name, part, length) == 0)
            return true;
        name = name[here] ? name + here + 1 : NULL;
    }
    return false;
}

bool suite_matches(const struct suite *suite, const char *pattern)
{
    while (pattern) {
        size_t length = strcspn(pattern, "/");
        if (!has_part(suite->name, pattern, length))
            return false;
        pattern = pattern[length] ? pattern + length + 1 : NULL;
    }
    return true;
}
