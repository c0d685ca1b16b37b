// SPDX-License-Identifier: Apache-2.0
// What is measured: key-exchange group x certificate x TLS version. A new group is a row here.
#ifndef BENCH_SUITES_H
#define BENCH_SUITES_H

#include <stdbool.h>
#include <stddef.h>

enum group_kind { GROUP_ECDHE, GROUP_DHE, GROUP_HYBRID };

struct group {
    const char *name;      // as users and this report say it
    const char *tls_name;  // in a groups list of libssl
    const char *key_type;  // EVP key type
    const char *key_group; // its group parameter, or NULL
    const char *classical; // GROUP_HYBRID: the group whose ECDHE is half of it
    enum group_kind kind;
};

enum certificate { CERTIFICATE_ECDSA_P256, CERTIFICATE_RSA_2048, CERTIFICATE_COUNT };

struct suite {
    char name[64]; // TLS1.3/X25519/ECDSA-P256
    const struct group *group;
    enum certificate certificate;
    int tls_version; // TLS1_2_VERSION, TLS1_3_VERSION
};

enum { SUITE_MAX = 64 };

extern const struct group suite_groups[];
extern const size_t suite_group_count;
const struct group *suite_group(const char *name); // NULL when unknown
const char *suite_certificate_name(enum certificate certificate);

// All combinations; returns their number. Those that TLS itself does not have are included: suite_impossible says why.
size_t suite_list(struct suite suites[SUITE_MAX]);
const char *suite_impossible(const struct suite *suite); // NULL when TLS has it

// pattern: parts of a suite name joined by '/', each equal to one part of it (any case): "P-384", "x25519/RSA-2048",
// "TLS1.2".
bool suite_matches(const struct suite *suite, const char *pattern);

#endif
