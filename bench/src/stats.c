// SPDX-License-Identifier: Apache-2.0
#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS_AN_OUTLIER = 9 };

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median_of_sorted(const double *values, size_t count)
{
    if (count == 0)
        return 0;
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

void series_add(struct series *series, double value)
{
    if (series->count < STATS_MAX_ROUNDS)
        series->values[series->count++] = value;
}

struct summary series_summary(const struct series *series)
{
    struct series sorted = *series;
    struct summary summary = {0};
    if (sorted.count == 0)
        return summary;
    qsort(sorted.values, sorted.count, sizeof(double), by_value);
    summary.median = median_of_sorted(sorted.values, sorted.count);
    summary.min = sorted.values[0];
    summary.max = sorted.values[sorted.count - 1];
    return summary;
}

void samples_add(struct samples *samples, double value)
{
    if (samples->count == samples->capacity) {
        size_t capacity = samples->capacity ? 2 * samples->capacity : 1024;
        double *values = realloc(samples->values, capacity * sizeof(double));
        if (!values)
            return;
        samples->values = values;
        samples->capacity = capacity;
    }
    samples->values[samples->count++] = value;
    samples->sorted = false;
}

double samples_percentile(struct samples *samples, double percent)
{
    if (samples->count == 0)
        return 0;
    if (!samples->sorted)
        qsort(samples->values, samples->count, sizeof(double), by_value);
    samples->sorted = true;
    size_t rank = (size_t)ceil(percent / 100 * (double)samples->count -
                               1e-6); // 99.9 % of 1000 is 999, whatever 99.9 is in binary
    if (rank < 1)
        rank = 1;
    return samples->values[(rank > samples->count ? samples->count : rank) - 1];
}

void samples_fini(struct samples *samples)
{
    free(samples->values);
    memset(samples, 0, sizeof(*samples));
}

// The ratios of the rounds that both have, sorted.
static struct series ratios(const struct series *over, const struct series *under)
{
    struct series result = {0};
    for (size_t round = 0; round < over->count && round < under->count; round++)
        if (under->values[round] > 0)
            series_add(&result, over->values[round] / under->values[round]);
    qsort(result.values, result.count, sizeof(double), by_value);
    return result;
}

double stats_aa_spread(const struct series *a, const struct series *b)
{
    struct series ratio = ratios(b, a);
    if (ratio.count == 0)
        return 0;
    size_t trim = ratio.count / ROUNDS_AN_OUTLIER;
    return fmax(fabs(ratio.values[trim] - 1), fabs(ratio.values[ratio.count - 1 - trim] - 1));
}

double stats_gain(const struct series *base, const struct series *variant)
{
    struct series ratio = ratios(base, variant);
    return median_of_sorted(ratio.values, ratio.count);
}

enum verdict stats_verdict(double gain, double spread)
{
    if (gain <= 0)
        return VERDICT_NONE;
    if (fabs(gain - 1) <= spread)
        return VERDICT_INSIDE_SPREAD;
    return gain > 1 ? VERDICT_FASTER : VERDICT_SLOWER;
}

const char *stats_verdict_text(enum verdict verdict)
{
    static const char *const texts[] = {"no verdict", "inside the A/A spread", "faster", "slower"};
    return texts[verdict];
}

double stats_amdahl(double total, double removed)
{
    return total > 0 && removed >= 0 && removed < total ? total / (total - removed) : 0;
}

bool stats_within_limit(double gain, double limit, double spread)
{
    return gain <= 0 || limit <= 0 || 1 / gain >= 1 / limit - spread;
}

// xorshift64*, Vigna 2016: statistical quality is plenty for arrivals.
uint64_t stats_random(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 0x2545f4914f6cdd1du;
}

double stats_exponential(uint64_t *state, double mean)
{
    double uniform = ((double)(stats_random(state) >> 11) + 1) / 9007199254740992.0; // 53 bits into (0, 1]
    return -log(uniform) * mean;
}
