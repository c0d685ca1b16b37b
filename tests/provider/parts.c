// SPDX-License-Identifier: Apache-2.0
// Parts of the provider that stand alone: the stock of blinds, the company of paused jobs.
#include "blinds.h"
#include "clock.h"
#include "company.h"

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

static void note_jobs(struct eph_company *company, unsigned jobs, unsigned others, unsigned sleep_us)
{
    for (unsigned i = 0; i < jobs; i++) {
        eph_company_note(company, others, 0);
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

// CPU time, not wall time: on a crowded machine it gets less than a core, and is not idle for that.
static void burn_ms(unsigned ms)
{
    uint64_t end_ns = eph_clock_ns(CLOCK_THREAD_CPUTIME_ID) + ms * UINT64_C(1000000);
    while (eph_clock_ns(CLOCK_THREAD_CPUTIME_ID) < end_ns)
        ;
}

Test(parts, company_does_not_matter_to_a_busy_process)
{
    struct eph_company company = {0};
    eph_company_init(&company);
    for (unsigned i = 0; i < 32; i++) {
        eph_company_note(&company, 0, 0);
        burn_ms(1);
        cr_assert(eph_company_expected(&company), "after job %u", i);
    }
    eph_company_fini(&company);
}

// The sleeps of our own thread are not the application's.
Test(parts, company_counts_the_sleeps_of_the_application_alone)
{
    struct eph_company company = {0};
    eph_company_init(&company);
    for (unsigned i = 0; i < 32; i++) {
        eph_company_note(&company, 0, i);
        usleep(100); // as if it were ours
        cr_assert(eph_company_expected(&company), "after job %u", i);
    }
    eph_company_fini(&company);
}
