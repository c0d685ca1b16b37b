// SPDX-License-Identifier: Apache-2.0
// The policy of interrupts, on made-up applications.
#include "moderation.h"

#include <criterion/criterion.h>

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)

static struct eph_moderation moderation;
static uint64_t now_ns;

static void setup(void)
{
    now_ns = MS;
    eph_moderation_init(&moderation, now_ns);
}

TestSuite(moderation, .init = setup, .timeout = 30);

static uint64_t look(uint64_t after_ns, unsigned flying, unsigned landed, unsigned in_passing)
{
    now_ns += after_ns;
    return eph_moderation_rest_ns(
        &moderation,
        &(struct eph_moderation_look){
            .now_ns = now_ns, .latency_ns = MS, .flying = flying, .landed = landed, .in_passing = in_passing});
}

// Answers every 600 us; whoever comes first lands one: the application, which passes by every 300 us, or we. Returns
// the looks of a second.
static unsigned busy_second(void)
{
    unsigned looks = 0;
    uint64_t end_ns = now_ns + 1000 * MS, rest_ns = 0;
    while (now_ns < end_ns) {
        // an interrupt comes with the next answer; often the application is faster than our wake-up
        uint64_t slept_ns = rest_ns != 0 ? rest_ns : 600 * US;
        unsigned answers = (unsigned)(slept_ns / (600 * US)), own = looks % 2;
        own = own < answers ? own : answers;
        rest_ns = look(slept_ns, 2, own, answers - own);
        looks++;
    }
    return looks;
}

Test(moderation, busy_application_is_left_alone)
{
    (void)busy_second(); // finds out
    unsigned looks = busy_second();
    cr_assert_leq(looks, 130, "%u wake-ups in a second of an application that lands nearly all itself", looks);
    cr_assert_leq(moderation.trust_ns, 16 * MS, "an answer may have to wait for %lu us",
                  (unsigned long)(moderation.trust_ns / US));
}

// Seen on a real server: each interrupt woke the thread for what the application had landed already.
Test(moderation, interrupts_for_what_others_landed_end)
{
    unsigned looks = 0;
    while (look(600 * US, 1, 0, 1) == 0)
        cr_assert_lt(++looks, 10);
}

Test(moderation, sleeping_application_waits_rarely)
{
    unsigned rests = 0;
    uint64_t waited_ns = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t rest_ns = look(MS, 0, 1, 0); // one request after the other, each answer landed by us
        rests += rest_ns != 0;
        waited_ns += rest_ns;
    }
    cr_expect_leq(rests, 100, "%u of 1,000 answers found no interrupt", rests);
    cr_expect_leq(waited_ns, 200 * MS);
}

Test(moderation, application_that_falls_asleep_is_noticed)
{
    (void)busy_second();
    cr_assert_neq(moderation.trust_ns, 0);
    uint64_t rest_ns = 16 * MS, waited_ns = 0;
    while ((rest_ns = look(rest_ns, 8, 1, 0)) != 0) {
        waited_ns += rest_ns;
        cr_assert_leq(waited_ns, 100 * MS);
    }
}

// Its last answers, which we land, must not make us forget: it is back in a moment.
Test(moderation, application_that_pauses_is_remembered)
{
    (void)busy_second();
    (void)look(16 * MS, 0, 8, 0);
    cr_assert_eq(look(MS, 0, 0, 0), 0, "nothing flies: the next interrupt tells");
    unsigned looks = 0;
    for (uint64_t rest_ns = 0, begin_ns = now_ns; now_ns < begin_ns + 100 * MS; looks++)
        rest_ns = look(rest_ns != 0 ? rest_ns : 600 * US, 2, 0, 5);
    cr_assert_leq(looks, 15, "%u wake-ups in the first 100 ms", looks);
}

Test(moderation, many_answers_share_half_a_latency)
{
    cr_assert_eq(look(MS, 60, 2, 0), MS / 2);
    cr_assert_eq(look(MS, 60, 0, 0), 0, "none came: the next one tells");
}

Test(moderation, nothing_on_its_way_waits_for_an_interrupt)
{
    (void)busy_second();
    cr_assert_eq(look(MS, 0, 0, 0), 0);
}
