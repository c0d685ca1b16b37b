// SPDX-License-Identifier: Apache-2.0
// The arithmetic that decides what a report may claim.
#include "stats.h"

#include <criterion/criterion.h>
#include <math.h>

static struct series series_of(size_t count, const double *values)
{
    struct series series = {0};
    for (size_t i = 0; i < count; i++)
        series_add(&series, values[i]);
    return series;
}

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

Test(stats, summary_of_odd_and_even_counts)
{
    struct series odd = series_of(3, (double[]){5, 1, 3}), even = series_of(4, (double[]){4, 1, 3, 2}), none = {0};
    struct summary summary = series_summary(&odd);
    cr_assert(near(summary.median, 3) && near(summary.min, 1) && near(summary.max, 5));
    cr_assert(near(series_summary(&even).median, 2.5));
    cr_assert(near(series_summary(&none).median, 0));
    cr_assert(near(odd.values[0], 5), "the order of the rounds is kept");
}

Test(stats, a_series_takes_no_more_than_its_rounds)
{
    struct series series = {0};
    for (int i = 0; i < STATS_MAX_ROUNDS + 10; i++)
        series_add(&series, i);
    cr_assert_eq(series.count, STATS_MAX_ROUNDS);
}

Test(stats, percentiles_are_nearest_rank)
{
    struct samples samples = {0};
    cr_assert(near(samples_percentile(&samples, 50), 0));
    for (int i = 1000; i >= 1; i--)
        samples_add(&samples, i);
    cr_assert(near(samples_percentile(&samples, 50), 500));
    cr_assert(near(samples_percentile(&samples, 99), 990));
    cr_assert(near(samples_percentile(&samples, 99.9), 999));
    cr_assert(near(samples_percentile(&samples, 100), 1000));
    samples_add(&samples, 0.5);
    cr_assert(near(samples_percentile(&samples, 0.01), 0.5), "sorted again after an addition");
    samples_fini(&samples);
    cr_assert_null(samples.values);
}

Test(stats, spread_of_an_aa_pair_is_its_largest_deviation)
{
    struct series a = series_of(3, (double[]){100, 100, 100}), b = series_of(3, (double[]){101, 97, 100});
    cr_assert(near(stats_aa_spread(&a, &b), 0.03));
    cr_assert(near(stats_aa_spread(&a, &a), 0));
}

Test(stats, nine_rounds_forgive_one_outlier_each_way_but_not_two)
{
    struct series a = series_of(9, (double[]){100, 100, 100, 100, 100, 100, 100, 100, 100});
    struct series one = series_of(9, (double[]){300, 101, 99, 100, 100, 100, 100, 100, 20});
    struct series two = series_of(9, (double[]){300, 250, 99, 100, 100, 100, 100, 100, 20});
    cr_assert(near(stats_aa_spread(&a, &one), 0.01));
    cr_assert(near(stats_aa_spread(&a, &two), 1.5));
}

Test(stats, twice_nine_rounds_forgive_twice_as_many)
{
    struct series a = {0}, b = {0};
    for (int round = 0; round < 18; round++) {
        series_add(&a, 100);
        series_add(&b, round == 3 || round == 12 ? 300 : 101);
    }
    cr_assert(near(stats_aa_spread(&a, &b), 0.01));
}

Test(stats, gain_is_the_median_of_paired_rounds)
{
    // the machine slowed down threefold in the last round: pairs do not care
    struct series base = series_of(3, (double[]){120, 120, 360}), variant = series_of(3, (double[]){100, 100, 300});
    struct series none = {0};
    cr_assert(near(stats_gain(&base, &variant), 1.2));
    cr_assert(near(stats_gain(&base, &none), 0));
}

Test(stats, no_gain_is_claimed_inside_the_spread)
{
    cr_assert_eq(stats_verdict(1.019, 0.02), VERDICT_INSIDE_SPREAD);
    cr_assert_eq(stats_verdict(0.981, 0.02), VERDICT_INSIDE_SPREAD);
    cr_assert_eq(stats_verdict(1.03, 0.02), VERDICT_FASTER);
    cr_assert_eq(stats_verdict(0.97, 0.02), VERDICT_SLOWER);
    cr_assert_eq(stats_verdict(0, 0.02), VERDICT_NONE);
}

Test(stats, amdahl)
{
    cr_assert(near(stats_amdahl(300, 100), 1.5));
    cr_assert(near(stats_amdahl(300, 0), 1));
    cr_assert(near(stats_amdahl(300, 300), 0), "no limit can be stated when everything vanishes");
    cr_assert(near(stats_amdahl(0, 0), 0));
}

Test(stats, a_gain_above_the_limit_is_found_out)
{
    cr_assert(stats_within_limit(1.50, 1.5, 0.01));
    cr_assert(stats_within_limit(1.52, 1.5, 0.01));
    cr_assert_not(stats_within_limit(1.53, 1.5, 0.01));
    // 1 % of the handshake is much of what a large share leaves
    cr_assert(stats_within_limit(10.9, 10, 0.01));
    cr_assert_not(stats_within_limit(11.2, 10, 0.01));
    cr_assert(stats_within_limit(3, 0, 0.01), "an unknown limit forbids nothing");
}

Test(stats, arrivals_are_exponential_and_repeatable)
{
    enum { COUNT = 20000 };
    uint64_t seed = 7, same = 7;
    double sum = 0, beyond_mean = 0;
    for (int i = 0; i < COUNT; i++) {
        double value = stats_exponential(&seed, 2);
        cr_assert(value >= 0 && near(value, stats_exponential(&same, 2)));
        sum += value;
        beyond_mean += value > 2;
    }
    cr_assert_float_eq(sum / COUNT, 2, 0.06);
    cr_assert_float_eq(beyond_mean / COUNT, exp(-1), 0.015);
}
