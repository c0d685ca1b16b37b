// SPDX-License-Identifier: Apache-2.0
// No scalar is exceptional for the P-256 programs, whose addition is incomplete: it must never meet equal or opposite
// points or the neutral element. Odd signed digits from the top: before digit i the sum acc and the addend t = d_i *
// 2^offset_i are multiples of 2^offset_i, acc an even one, t an odd one, so they are not equal or opposite as integers.
// Modulo n they could be only if |acc| + |t| reached 2^lowest * n, which it does not (windows_stay_below_the_order), or
// in the last addition, whose cases are few enough to be listed (exceptions_of_last). Doubling between the windows
// (derive) divides both by a power of two. The argument is itself checked on small orders with every scalar and the
// product's own digits.
#include "rig.h"
#include <criterion/criterion.h>
#include <isa.h>
#include <scalar.h>
#include <stdlib.h>
#include <string.h>

extern const struct eph_ucode_image ucode_p256;
static const char order_hex[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

enum { MAX_EXCEPTIONS = 4096 };
struct exceptions {
    unsigned count;
    BIGNUM *scalar[MAX_EXCEPTIONS]; // odd, as prepared
};

static bool holds(const struct exceptions *set, const BIGNUM *k)
{
    for (unsigned i = 0; i < set->count; i++)
        if (BN_cmp(set->scalar[i], k) == 0)
            return true;
    return false;
}

static void release(struct exceptions *set)
{
    for (unsigned i = 0; i < set->count; i++)
        BN_free(set->scalar[i]);
    set->count = 0;
}

// number += value, of either sign
static void add_small(BIGNUM *number, long value)
{
    if (value < 0)
        BN_sub_word(number, (BN_ULONG)-value);
    else
        BN_add_word(number, (BN_ULONG)value);
}

// Odd scalars below n whose last addition (k - d) + d, d the digit of the lowest window, is exceptional:
// k - d = s * d modulo n, s in {1, -1, 0}.
static void exceptions_of_last(struct exceptions *set, const BIGNUM *n, unsigned lowest)
{
    set->count = 0;
    long span = 1L << lowest;
    for (long d = -span + 1; d < span; d += 2)
        for (long s = -1; s <= 1; s++)
            for (int multiple = -2; multiple <= 2; multiple++) {
                BIGNUM *k = BN_dup(n);
                BN_mul_word(k, (BN_ULONG)labs(multiple));
                BN_set_negative(k, multiple < 0);
                add_small(k, d + s * d);
                bool scalar = !BN_is_negative(k) && BN_is_odd(k) && BN_cmp(k, n) < 0;
                if (scalar && (long)(BN_mod_word(k, (BN_ULONG)(2 * span))) - span == d && !holds(set, k))
                    set->scalar[set->count++] = k;
                else
                    BN_free(k);
                cr_assert_lt(set->count, MAX_EXCEPTIONS);
            }
}

struct shape {
    unsigned window, windows, lowest;
};

static unsigned offset_of(const struct shape *shape, unsigned position)
{
    return position ? shape->lowest + shape->window * (position - 1) : 0;
}

// Is |acc| + |t| < 2^lowest * n in every addition but the last, and are there windows enough for every scalar below n?
static bool windows_stay_below_the_order(const struct shape *shape, const BIGNUM *n)
{
    BIGNUM *limit = BN_new(), *acc = BN_new(), *term = BN_new();
    unsigned top = offset_of(shape, shape->windows - 1);
    BN_lshift(limit, n, (int)shape->lowest);
    BN_rshift(acc, n, (int)top);
    bool good = BN_num_bits(n) <= (int)(top + shape->window);
    BN_set_bit(acc, 0);
    BN_lshift(acc, acc, (int)top);
    for (unsigned position = shape->windows - 2; position > 0; position--) {
        BN_set_word(term, (1u << shape->window) - 1);
        BN_lshift(term, term, (int)offset_of(shape, position));
        BN_add(acc, acc, term);
        good = good && BN_cmp(acc, limit) < 0;
    }
    BN_free(limit);
    BN_free(acc);
    BN_free(term);
    return good;
}

static struct shape shape_of(const uint64_t word[2])
{
    return (struct shape){eph_word_get(word, EPH_P_WINDOW), eph_word_get(word, EPH_P_WINDOWS),
                          eph_word_get(word, EPH_P_LOWEST)};
}

static BIGNUM *order(void)
{
    BIGNUM *n = NULL;
    cr_assert_eq(BN_hex2bn(&n, order_hex), 64);
    return n;
}

Test(p256_audit, no_scalar_is_exceptional_for_the_programs)
{
    BIGNUM *n = order();
    cr_assert_eq(ucode_p256.program_count, 2);
    for (unsigned i = 0; i < ucode_p256.program_count; i++) {
        struct shape shape = shape_of(ucode_p256.programs[i].word);
        struct exceptions set;
        exceptions_of_last(&set, n, shape.lowest);
        cr_expect_eq(set.count, 0, "%s: %u exceptional scalars", ucode_p256.programs[i].name, set.count);
        cr_expect(windows_stay_below_the_order(&shape, n), "%s", ucode_p256.programs[i].name);
        release(&set);
    }
    BN_free(n);
}

// The windows that these programs must not have: the audit can say no.
Test(p256_audit, other_lowest_windows_have_exceptions)
{
    static const struct {
        unsigned lowest, below; // n - below is exceptional
    } cases[] = {{4, 2}, {6, 34}};
    BIGNUM *n = order();
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct exceptions set;
        BIGNUM *k = BN_dup(n);
        BN_sub_word(k, cases[i].below);
        exceptions_of_last(&set, n, cases[i].lowest);
        cr_expect(holds(&set, k), "lowest window of %u bits", cases[i].lowest);
        release(&set);
        BN_free(k);
    }
    BN_free(n);
}

// ---- small orders, every scalar

static bool opposite_or_equal(long a, long b, long n)
{
    return (a - b) % n == 0 || (a + b) % n == 0 || a % n == 0 || b % n == 0;
}

// Does an addition of scalar k meet an exception? comb: no doublings, rows for every position.
static bool meets_exception(const uint64_t word[2], long k, long n, bool comb)
{
    struct eph_digits digits;
    uint8_t scalar[32] = {(uint8_t)k, (uint8_t)(k >> 8)};
    struct shape shape = shape_of(word);
    long acc = 0;
    eph_digits_init(&digits, word, scalar);
    for (unsigned position = shape.windows; position-- > 0; eph_digits_advance(&digits)) {
        struct eph_digit digit = eph_digits_current(&digits);
        long d = (digit.sign ? -1 : 1) * (long)(2 * digit.index + 1);
        bool first = position + 1 == shape.windows;
        if (comb)
            d *= 1L << offset_of(&shape, position);
        else if (!first)
            acc *= 1L << (offset_of(&shape, position + 1) - offset_of(&shape, position));
        if (!first && opposite_or_equal(acc, d, n))
            return true;
        acc += d;
    }
    cr_assert_eq(acc, k);
    return false;
}

// Compares prediction and reality for one small order, when its windows are below it; counts scalars and exceptions.
static void audit_small(long n, unsigned bits, unsigned window, unsigned lowest, unsigned *scalars,
                        unsigned *exceptional)
{
    struct shape shape = {window, 1 + (bits - lowest + window - 1) / window, lowest};
    struct exceptions set;
    BIGNUM *order = BN_new(), *k = BN_new();
    uint64_t word[2] = {0, 0};
    eph_word_put(word, EPH_P_DIGITS, EPH_DIGITS_ODD);
    eph_word_put(word, EPH_P_WINDOW, window);
    eph_word_put(word, EPH_P_WINDOWS, shape.windows);
    eph_word_put(word, EPH_P_LOWEST, lowest);
    eph_word_put(word, EPH_P_SCALAR, EPH_SCALAR_PLAIN);
    BN_set_word(order, (BN_ULONG)n);
    exceptions_of_last(&set, order, lowest);
    if (windows_stay_below_the_order(&shape, order))
        for (long scalar = 1; scalar < n; scalar += 2) {
            BN_set_word(k, (BN_ULONG)scalar);
            bool predicted = holds(&set, k);
            ++*scalars;
            *exceptional += predicted;
            for (int comb = 0; comb < 2; comb++)
                cr_assert_eq(meets_exception(word, scalar, n, comb), predicted, "n %ld, windows %u, lowest %u, k %ld",
                             n, window, lowest, scalar);
        }
    release(&set);
    BN_free(order);
    BN_free(k);
}

Test(p256_audit, the_argument_holds_for_every_scalar_of_small_orders)
{
    unsigned scalars = 0, exceptional = 0;
    for (unsigned bits = 9; bits <= 12; bits++)
        for (long n = (1L << bits) - 1, found = 0; found < 6; n -= 2) {
            long divisor = 3;
            while (divisor * divisor <= n && n % divisor)
                divisor += 2;
            if (divisor * divisor <= n)
                continue; // not prime
            found++;
            for (unsigned window = 2; window <= 4; window++)
                for (unsigned lowest = 2; lowest <= window; lowest++)
                    audit_small(n, bits, window, lowest, &scalars, &exceptional);
        }
    cr_assert_gt(scalars, 50000u);
    cr_assert_gt(exceptional, 0u, "exceptions were among them");
}
