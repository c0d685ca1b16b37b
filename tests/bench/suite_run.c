// SPDX-License-Identifier: Apache-2.0
// What is measured again: variants that promise not to cost anything, where they look slower than stock.
#include "suite_run.h"

#include <criterion/criterion.h>

enum { ROUNDS = 9 };

static struct suite_run run;
static struct bench bench;

static void fill(int v, double us, double step)
{
    run.points[v][0].server_us.count = 0;
    for (int round = 0; round < ROUNDS; round++)
        series_add(&run.points[v][0].server_us, us + step * (round % 3));
}

static void setup(void)
{
    bench.variants[VARIANT_AUTO].name = "auto";
    bench.variants[VARIANT_ALWAYS].name = "always";
    bench.variants[VARIANT_AUTO_ASYNC].name = "auto-async";
    bench.variants[VARIANT_AUTO_ASYNC].async = true;
    fill(VARIANT_PLAIN, 200, 1);
    fill(VARIANT_PLAIN_AGAIN, 200, 1);
    fill(VARIANT_PLAIN_ASYNC, 200, 1);
}

TestSuite(suite_run, .init = setup);

static bool looks_slow(int v, double us)
{
    fill(v, us, 1);
    return suite_run_looks_slow(&run, &bench, v, 0);
}

Test(suite_run, slower_than_stock_by_more_than_a_percent)
{
    cr_expect(looks_slow(VARIANT_AUTO, 204));
    cr_expect_not(looks_slow(VARIANT_AUTO, 201), "within what identical configurations differ by");
    cr_expect_not(looks_slow(VARIANT_AUTO, 150));
}

Test(suite_run, wide_spread_excuses)
{
    fill(VARIANT_PLAIN_AGAIN, 190, 10); // up to 5 % from its twin, round by round
    cr_expect_not(looks_slow(VARIANT_AUTO, 204));
}

Test(suite_run, asynchronous_ones_are_compared_with_both_stocks)
{
    fill(VARIANT_PLAIN_ASYNC, 190, 1);
    cr_expect(looks_slow(VARIANT_AUTO_ASYNC, 196), "slower than plain-async alone");
    fill(VARIANT_PLAIN_ASYNC, 210, 1);
    cr_expect(looks_slow(VARIANT_AUTO_ASYNC, 206), "slower than plain alone");
    cr_expect_not(looks_slow(VARIANT_AUTO, 201));
}

Test(suite_run, others_promise_nothing)
{
    cr_expect_not(looks_slow(VARIANT_ALWAYS, 300));
    run.points[VARIANT_AUTO][0].server_us.count = 0;
    cr_expect_not(suite_run_looks_slow(&run, &bench, VARIANT_AUTO, 0), "not measured");
    run.loads[0].utilisation_percent = 80;
    cr_expect_not(looks_slow(VARIANT_AUTO, 300), "an open loop waits for arrivals");
}
