// SPDX-License-Identifier: Apache-2.0
// Parts of the provider that stand alone: the stock of random numbers, the company of paused jobs.
#include "clock.h"
#include "company.h"
#include "stock.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(parts, .timeout = 30);

enum { BLINDS = 3 * EPH_STOCK_BLINDS + 5, SCALARS = 3 * EPH_STOCK_SCALARS + 5 };

static const uint8_t nothing[sizeof(struct eph_stock_page)];

static bool is_distinct(uint8_t taken[][32], int last)
{
    for (int i = 0; i < last; i++)
        if (memcmp(taken[i], taken[last], 32) == 0)
            return false;
    return true;
}

// Each is given once, and leaves nothing behind.
Test(parts, stock_gives_each_number_once)
{
    static uint8_t blinds[BLINDS][32], scalars[SCALARS][32];
    struct eph_stock stock;
    eph_stock_init(&stock);
    for (int i = 0; i < BLINDS; i++) {
        cr_assert(eph_stock_blind(&stock, NULL, blinds[i]));
        cr_assert_eq(blinds[i][31] & 128, 0);
        cr_assert(is_distinct(blinds, i), "blind %d was there before", i);
    }
    for (int i = 0; i < SCALARS; i++) {
        cr_assert(eph_stock_scalar(&stock, NULL, scalars[i]));
        cr_assert((scalars[i][0] & 7) == 0 && (scalars[i][31] & 192) == 64, "not clamped");
        cr_assert(is_distinct(scalars, i), "scalar %d was there before", i);
    }
    const struct eph_stock_page *page = stock.page;
    for (unsigned i = page ? page->blinds : EPH_STOCK_BLINDS; i < EPH_STOCK_BLINDS; i++)
        cr_assert_eq(memcmp(page->secret_blind[i], nothing, 32), 0, "used blind %u left behind", i);
    for (unsigned i = page ? page->scalars : EPH_STOCK_SCALARS; i < EPH_STOCK_SCALARS; i++)
        cr_assert_eq(memcmp(page->secret_scalar[i], nothing, 32), 0, "used scalar %u left behind", i);
    eph_stock_fini(&stock, true);
}

Test(parts, stock_without_its_page_still_gives)
{
    struct eph_stock stock = {.lock = PTHREAD_MUTEX_INITIALIZER};
    uint8_t numbers[4][32];
    cr_assert(eph_stock_blind(&stock, NULL, numbers[0]) && eph_stock_blind(&stock, NULL, numbers[1]));
    cr_assert(eph_stock_scalar(&stock, NULL, numbers[2]) && eph_stock_scalar(&stock, NULL, numbers[3]));
    for (int i = 1; i < 4; i++)
        cr_assert(is_distinct(numbers, i));
}

Test(parts, stock_of_a_child_is_empty)
{
    struct eph_stock stock;
    uint8_t number[32];
    eph_stock_init(&stock);
    if (stock.page == NULL)
        cr_skip("memory can not be locked here");
    cr_assert(eph_stock_scalar(&stock, NULL, number) && eph_stock_blind(&stock, NULL, number));
    cr_assert_gt(stock.page->scalars, 0);
    pid_t child = fork();
    if (child == 0)
        _exit(memcmp(stock.page, nothing, sizeof *stock.page) != 0);
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect_eq(status, 0, "the child has its parent's numbers");
    eph_stock_fini(&stock, true);
}

Test(parts, stock_older_than_a_minute_is_replaced)
{
    struct eph_stock stock;
    uint8_t number[32], old[32];
    eph_stock_init(&stock);
    if (stock.page == NULL)
        cr_skip("memory can not be locked here");
    cr_assert(eph_stock_scalar(&stock, NULL, number));
    memcpy(old, stock.page->secret_scalar[0], 32);
    stock.page->scalars_made_ns -= UINT64_C(61000000000);
    cr_assert(eph_stock_scalar(&stock, NULL, number));
    cr_expect_eq(stock.page->scalars, EPH_STOCK_SCALARS - 1);
    cr_expect_neq(memcmp(old, stock.page->secret_scalar[0], 32), 0);
    eph_stock_fini(&stock, true);
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
    note_jobs(&company, 16, 2, 1000);
    cr_expect(eph_company_expected(&company), "they have company now");
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
