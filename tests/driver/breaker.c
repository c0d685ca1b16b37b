// SPDX-License-Identifier: Apache-2.0
// Circuit breaker: three faults open it, a reset and a known answer close it.
#include "rig.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(breaker, .timeout = 60);

// Submits until the breaker is in `state` or the time is up; returns what the last exchange said.
static enum eph_status drive(struct rig *rig, enum eph_breaker state, unsigned limit_ms)
{
    uint64_t end_ms = rig_now_ms() + limit_ms;
    enum eph_status status = EPH_E_AGAIN;
    while (rig_now_ms() < end_ms) {
        status = rig_exchange(rig, 77, NULL);
        if (rig_stats(rig).breaker == state)
            break;
        rig_sleep_ms(1);
    }
    return status;
}

static void open_it(struct rig *rig)
{
    fake_plan(rig->fake, FAKE_SILENT, 0, 3);
    for (unsigned i = 0; i < 3; i++)
        cr_assert_eq(rig_exchange(rig, i, NULL), EPH_E_TIMEOUT);
    cr_assert_eq(rig_stats(rig).breaker, EPH_BREAKER_OPEN);
}

Test(breaker, stays_closed_after_two_timeouts)
{
    struct rig rig = {0};
    rig_open(&rig, NULL);
    for (unsigned round = 0; round < 3; round++) {
        fake_plan(rig.fake, FAKE_SILENT, 0, 2);
        cr_expect_eq(rig_exchange(&rig, 1, NULL), EPH_E_TIMEOUT);
        cr_expect_eq(rig_exchange(&rig, 2, NULL), EPH_E_TIMEOUT);
        if (round < 2) // a success between: not in a row
            cr_expect_eq(rig_exchange(&rig, 3, NULL), EPH_OK);
    }
    cr_expect_eq(rig_stats(&rig).breaker, EPH_BREAKER_CLOSED);
    cr_expect_eq(rig_stats(&rig).timeouts, 6);
    rig_close(&rig);
}

Test(breaker, opens_then_resets_and_readmits)
{
    struct rig rig = {0};
    rig_open(&rig, NULL);
    open_it(&rig);
    cr_expect_eq(rig_exchange(&rig, 4, NULL), EPH_E_BROKEN);
    cr_expect_eq(drive(&rig, EPH_BREAKER_CLOSED, 3000), EPH_OK);
    struct eph_queue_stats stats = rig_stats(&rig);
    cr_expect_eq(stats.resets, 1);
    cr_expect_eq(stats.breaker_openings, 1);
    cr_expect_eq(fake_get_counters(rig.fake).resets, 1);
    for (unsigned i = 0; i < 20; i++)
        cr_expect_eq(rig_exchange(&rig, i, NULL), EPH_OK);
    rig_close(&rig);
}

Test(breaker, opens_on_failed_checks_as_well)
{
    struct rig rig = {0};
    rig_open(&rig, NULL);
    fake_plan(rig.fake, FAKE_CHECK, 0, 3);
    for (unsigned i = 0; i < 3; i++)
        cr_expect_eq(rig_exchange(&rig, i, NULL), EPH_OK);
    cr_expect_eq(rig_exchange(&rig, 4, NULL), EPH_E_BROKEN);
    rig_close(&rig);
}

Test(breaker, opens_at_once_on_a_fatal_device)
{
    struct rig rig = {0};
    rig_open(&rig, NULL);
    fake_set_fatal(rig.fake, true);
    fake_plan(rig.fake, FAKE_SILENT, 0, 1);
    cr_expect_eq(rig_exchange(&rig, 1, NULL), EPH_E_TIMEOUT);
    cr_expect_eq(rig_exchange(&rig, 2, NULL), EPH_E_BROKEN);
    cr_expect(strstr(rig.log, "fatal"), "log: %s", rig.log);
    cr_expect_eq(drive(&rig, EPH_BREAKER_CLOSED, 3000), EPH_OK);
    rig_close(&rig);
}

Test(breaker, is_half_open_while_the_known_answer_is_awaited)
{
    struct rig rig = {0};
    rig_open(&rig, NULL);
    open_it(&rig);
    fake_plan(rig.fake, FAKE_HOLD, 0, 1); // the known-answer test
    cr_expect_eq(drive(&rig, EPH_BREAKER_HALF_OPEN, 3000), EPH_E_BROKEN);
    cr_expect_eq(rig_exchange(&rig, 5, NULL), EPH_E_BROKEN);
    fake_await_requests(rig.fake, 1 + 3 + 1);
    fake_release_held(rig.fake, 1);
    cr_expect_eq(drive(&rig, EPH_BREAKER_CLOSED, 1000), EPH_OK);
    cr_expect_eq(rig_stats(&rig).resets, 1);
    rig_close(&rig);
}

Test(breaker, backs_off_twice_as_long_after_a_wrong_known_answer)
{
    struct rig rig = {0};
    rig_open(&rig, NULL);
    open_it(&rig);
    fake_plan(rig.fake, FAKE_WRONG_ANSWER, 0, 1);
    uint64_t start_ms = rig_now_ms();
    cr_expect_eq(drive(&rig, EPH_BREAKER_HALF_OPEN, 3000), EPH_E_BROKEN);
    cr_expect_eq(drive(&rig, EPH_BREAKER_OPEN, 1000), EPH_E_BROKEN);
    cr_expect_eq(drive(&rig, EPH_BREAKER_CLOSED, 3000), EPH_OK);
    cr_expect_geq(rig_now_ms() - start_ms, 100 + 200 - 20);
    struct eph_queue_stats stats = rig_stats(&rig);
    cr_expect_eq(stats.resets, 2);
    cr_expect_eq(stats.breaker_openings, 1, "an unbroken outage is one opening");
    rig_close(&rig);
}

Test(breaker, frees_quarantined_slots_by_the_reset)
{
    struct rig rig = {0};
    rig_open(&rig, NULL);
    open_it(&rig); // three of seven slots are in quarantine now
    cr_expect_eq(drive(&rig, EPH_BREAKER_CLOSED, 3000), EPH_OK);
    struct rig_request made[7];
    struct eph_request requests[7];
    uint32_t tags[7];
    for (unsigned i = 0; i < 7; i++) {
        rig_make(&made[i], i);
        requests[i] = made[i].request;
    }
    cr_assert_eq(eph_submit(rig.queue, requests, 7, tags), EPH_OK);
    for (unsigned i = 0; i < 7; i++) {
        struct eph_completion completion;
        cr_expect_eq(eph_wait(rig.queue, tags[i], &completion, 0), EPH_OK);
        cr_expect(rig_is_right(&made[i], &completion));
    }
    rig_close(&rig);
}
