// SPDX-License-Identifier: Apache-2.0
#include "paths.h"
#include "suites.h"
#include "variants.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct suite *find(const struct suite *suites, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(suites[i].name, name) == 0)
            return &suites[i];
    return NULL;
}

Test(suites, every_group_certificate_and_version_is_there)
{
    struct suite suites[SUITE_MAX];
    size_t count = suite_list(suites);
    cr_assert_eq(count, suite_group_count * CERTIFICATE_COUNT * 2);
    cr_assert_not_null(find(suites, count, "TLS1.3/X25519/ECDSA-P256"));
    cr_assert_not_null(find(suites, count, "TLS1.2/ffdhe2048/RSA-2048"));
}

Test(suites, what_tls_does_not_have_is_said)
{
    struct suite suites[SUITE_MAX];
    size_t count = suite_list(suites);
    cr_assert_null(suite_impossible(find(suites, count, "TLS1.2/X448/ECDSA-P256")));
    cr_assert_null(suite_impossible(find(suites, count, "TLS1.2/ffdhe2048/RSA-2048")));
    cr_assert_not_null(suite_impossible(find(suites, count, "TLS1.2/ffdhe2048/ECDSA-P256")));
    cr_assert_not_null(suite_impossible(find(suites, count, "TLS1.2/X25519MLKEM768/RSA-2048")));
}

Test(suites, patterns_match_whole_parts_of_a_name)
{
    struct suite suites[SUITE_MAX];
    const struct suite *suite = find(suites, suite_list(suites), "TLS1.3/X25519/ECDSA-P256");
    cr_assert(suite_matches(suite, "x25519"));
    cr_assert(suite_matches(suite, "X25519/TLS1.3"));
    cr_assert(suite_matches(suite, "TLS1.3/X25519/ECDSA-P256"));
    cr_assert_not(suite_matches(suite, "X2551"));
    cr_assert_not(suite_matches(suite, "P256"));
    cr_assert_not(suite_matches(suite, "X25519/RSA-2048"));
    cr_assert_not(suite_matches(suite, "X25519MLKEM768"));
}

Test(suites, lists_are_separated_by_commas)
{
    cr_assert(list_has("ideal,auto-async", "auto-async"));
    cr_assert(list_has("IDEAL", "ideal"));
    cr_assert_not(list_has("auto-async", "auto"));
    cr_assert_not(list_has(NULL, "auto"));
}

Test(suites, an_embedded_device_is_recognised)
{
    cr_assert(device_is_embedded("sim"));
    cr_assert(device_is_embedded("sim:model"));
    cr_assert_not(device_is_embedded("socket:/sim"));
    cr_assert_not(device_is_embedded("simulation"));
}
