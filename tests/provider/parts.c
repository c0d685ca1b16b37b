// SPDX-License-Identifier: Apache-2.0
// Parts of the provider that stand alone: the stock of blinds, the load, the company of paused jobs.
#include "blinds.h"
#include "clock.h"
#include "company.h"
#include "load.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

TestSuite(parts, .timeout = 30);

static struct eph_blinds blinds;

// Each is given once, and leaves nothing behind.
Test(parts, blinds_are_fresh_and_wiped)
{
    enum { COUNT = 3 * EPH_BLINDS + 5 };
    static uint8_t taken[COUNT][EPH_BLIND_BYTES];
    static const uint8_t nothing[EPH_BLIND_BYTES];
    eph_blinds_init(&blinds);
    for (int i = 0; i < COUNT; i++) {
        cr_assert(eph_blinds_take(&blinds, NULL, taken[i]));
        cr_assert_eq(taken[i][EPH_BLIND_BYTES - 1] & 128, 0);
        for (int j = 0; j < i; j++)
            cr_assert_neq(memcmp(taken[i], taken[j], EPH_BLIND_BYTES), 0, "blind %d again as %d", j, i);
        for (unsigned k = blinds.left; k < EPH_BLINDS; k++)
            cr_assert_eq(memcmp(blinds.secret_blind[k], nothing, EPH_BLIND_BYTES), 0, "used blind %u left behind", k);
    }
    eph_blinds_fini(&blinds, true);
    cr_assert_eq(memcmp(blinds.secret_blind[0], nothing, EPH_BLIND_BYTES), 0);
}

// CPU time, not wall time: on a loaded machine a process that wants all of a core may get less than half.
static void burn_ms(unsigned ms)
{
    uint64_t end_ns = eph_clock_ns(CLOCK_THREAD_CPUTIME_ID) + ms * UINT64_C(1000000);
    while (eph_clock_ns(CLOCK_THREAD_CPUTIME_ID) < end_ns)
        ;
}

Test(parts, load_tells_work_from_sleep)
{
    struct eph_load load;
    eph_load_init(&load);
    usleep(20000);
    cr_expect_not(eph_load_is_high(&load));
    bool high = false;
    for (int attempt = 0; attempt < 20 && !high; attempt++) { // may share its core with others
        burn_ms(5);
        high = eph_load_is_high(&load);
    }
    cr_expect(high);
    cr_expect(eph_load_is_high(&load), "an answer of the last quarter of a millisecond stands");
}

static void note_jobs(struct eph_company *company, unsigned jobs, unsigned others, unsigned sleep_us)
{
    for (unsigned i = 0; i < jobs; i++) {
        eph_company_note(company, others);
        usleep(sleep_us);
    }
}

// As an application with one connection does: no more jobs than are expected to pay, 16 at most.
static bool note_alone(struct eph_company *company)
{
    for (unsigned i = 0; i < 16; i++) {
        note_jobs(company, 1, 0, 1000);
        if (!eph_company_expected(company))
            return true;
    }
    return false;
}

Test(parts, company_is_expected_until_a_trial_fails_and_again_later)
{
    struct eph_company company = {0};
    eph_company_init(&company);
    note_jobs(&company, 100, 1, 100);
    cr_expect(eph_company_expected(&company), "others were there");
    cr_expect(note_alone(&company), "alone and idle");
    usleep(1100000);
    cr_expect(eph_company_expected(&company), "never tried again");
    cr_expect(note_alone(&company));
    usleep(1100000);
    cr_expect_not(eph_company_expected(&company), "the second wait is longer");
    eph_company_fini(&company);
}

Test(parts, company_does_not_matter_to_a_busy_process)
{
    struct eph_company company = {0};
    bool expected = false;
    eph_company_init(&company);
    for (int attempt = 0; attempt < 20 && !expected; attempt++) {
        for (unsigned i = 0; i < 16; i++) {
            eph_company_note(&company, 0);
            burn_ms(1);
        }
        expected = eph_company_expected(&company);
    }
    cr_expect(expected);
    eph_company_fini(&company);
}
