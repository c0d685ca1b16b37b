// SPDX-License-Identifier: Apache-2.0
#include "paths.h"
#include "plan.h"
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

Test(suites, a_device_of_the_user_takes_the_place_of_the_fast_one)
{
    static const struct {
        const char *uri;
        bool embedded;
    } cases[] = {{"sim", true}, {"sim:model", true}, {"socket:/sim", false}, {"simulation", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct devices devices;
        struct device_wishes wishes = {.uri = cases[i].uri, .wanted = {[DEVICE_FAST] = true}};
        devices_open(&devices, &wishes);
        cr_assert_str_eq(devices.list[DEVICE_FAST].uri, cases[i].uri);
        cr_assert_eq(devices.list[DEVICE_FAST].embedded, cases[i].embedded, "%s", cases[i].uri);
        cr_assert_not(devices.list[DEVICE_FAST].simulated);
        cr_assert_eq(devices.list[DEVICE_FAST].pid, 0, "no daemon was started");
        devices_close(&devices);
    }
}

Test(suites, variants_name_the_devices_that_they_need)
{
    bool wanted[DEVICE_COUNT] = {false};
    variants_devices("auto-async-slow,never", wanted);
    cr_assert(wanted[DEVICE_SLOW]);
    cr_assert_not(wanted[DEVICE_FAST] || wanted[DEVICE_DEAD] || wanted[DEVICE_INFINITE]);
    variants_devices(NULL, wanted);
    cr_assert(wanted[DEVICE_FAST] && wanted[DEVICE_DEAD] && wanted[DEVICE_INFINITE]);
}

Test(suites, the_base_of_every_gain_is_measured_wherever_a_variant_is)
{
    static const enum depth depths[] = {DEPTH_QUICK, DEPTH_USUAL, DEPTH_EVERYTHING, DEPTH_RESUMED};
    struct suite suites[SUITE_MAX];
    size_t count = suite_list(suites), points = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t d = 0; d < sizeof(depths) / sizeof(depths[0]); d++) {
            struct load_kind loads[LOAD_MAX];
            size_t load_count = plan_loads(depths[d], &suites[i], NULL, loads);
            cr_assert(load_count > 0 && loads[0].in_flight == 1, "phases are measured with one in flight");
            for (size_t l = 0; l < load_count; l++)
                for (int v = 0; v < VARIANT_COUNT; v++) {
                    bool has = plan_has(v, &suites[i], depths[d], &loads[l], true);
                    points += has;
                    cr_assert(!has || plan_has(VARIANT_PLAIN, &suites[i], depths[d], &loads[l], false));
                    cr_assert(!has || plan_has(VARIANT_PLAIN_AGAIN, &suites[i], depths[d], &loads[l], false));
                }
        }
    cr_assert_gt(points, 0);
}
