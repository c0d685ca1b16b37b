// SPDX-License-Identifier: Apache-2.0
// The arithmetic that decides what a report may claim. No I/O, no state: tests/bench checks every function.
#ifndef BENCH_STATS_H
#define BENCH_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STATS_MAX_ROUNDS = 99 };

// One value a round.
struct series {
    size_t count;
    double values[STATS_MAX_ROUNDS];
};
void series_add(struct series *series, double value); // ignored beyond STATS_MAX_ROUNDS

struct summary {
    double median, min, max;
};
struct summary series_summary(const struct series *series); // all zero when empty

// Latency samples, as many as there were operations. Heap; release with samples_fini.
struct samples {
    double *values; // owned
    size_t count, capacity;
    bool sorted;
};
void samples_add(struct samples *samples, double value); // dropped when memory is short
// Nearest-rank percentile, 0 < percent <= 100; sorts in place; 0 when empty.
double samples_percentile(struct samples *samples, double percent);
void samples_fini(struct samples *samples);

// The A/A spread: how far two identical configurations, run in the same rounds, seem to differ. It is the largest |b/a
// - 1| over the rounds; for every nine of them the lowest and the highest ratio are left out, so that one interrupted
// round does not decide, and twice as many rounds do not make it wider.
double stats_aa_spread(const struct series *a, const struct series *b);

// Median over the rounds of base/variant: 1.20 means that the variant needs 1/1.20 of the base's CPU. 0 without common
// rounds.
double stats_gain(const struct series *base, const struct series *variant);

// Fewer rounds than this say too little about the spread: nothing is claimed and nothing checked.
enum { STATS_MIN_ROUNDS = 5 };

enum verdict { VERDICT_NONE, VERDICT_INSIDE_SPREAD, VERDICT_FASTER, VERDICT_SLOWER };
enum verdict stats_verdict(double gain, double spread); // NONE when gain is 0
const char *stats_verdict_text(enum verdict verdict);

// Amdahl: the best possible gain when removed of total vanishes. 0 when it can not be said (total <= 0 or removed >=
// total).
double stats_amdahl(double total, double removed);
// Does a measured gain respect its limit? The spread is an uncertainty of the whole handshake's CPU, so it is granted
// there: the variant may need less than the rest that Amdahl leaves by spread x total. A gain above that means that the
// measurement is wrong.
bool stats_within_limit(double gain, double limit, double spread);

// 64 random bits. state: any seed but 0; same seed, same sequence.
uint64_t stats_random(uint64_t *state);
// Inter-arrival times of a Poisson process, in the unit of mean.
double stats_exponential(uint64_t *state, double mean);

#endif
