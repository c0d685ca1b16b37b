// SPDX-License-Identifier: Apache-2.0
// The queue's contract with an honest, sometimes slow device.
#include "rig.h"

#include <criterion/criterion.h>

TestSuite(queue, .timeout = 60);

enum { SLOTS = 7 }; // the fake's ring has 8 entries

Test(queue, answers_many_laps_of_the_ring)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    for (unsigned i = 0; i < 500; i++)
        cr_assert_eq(rig_exchange(&rig, i, NULL), EPH_OK, "request %u", i);
    struct eph_queue_stats stats = rig_stats(&rig);
    cr_expect_eq(stats.submitted, 500);
    cr_expect_eq(stats.completed, 500);
    cr_expect_eq(stats.device_cycles, 500 * 1000);
    rig_close(&rig);
}

Test(queue, hands_completions_out_by_tag_in_any_order)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    for (unsigned round = 0; round < 30; round++) {
        uint32_t tags[SLOTS];
        cr_assert_eq(rig_submit(&rig, round * SLOTS, SLOTS, tags), EPH_OK);
        for (unsigned i = SLOTS; i-- > 0;)
            cr_assert(rig_wait_right(&rig, round * SLOTS + i, tags[i]), "round %u request %u", round, i);
    }
    rig_close(&rig);
}

Test(queue, refuses_when_full_at_once_and_all_or_none)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    fake_plan(rig.fake, FAKE_HOLD, 0, SLOTS);
    uint32_t tags[64];
    cr_assert_eq(rig_submit(&rig, 0, SLOTS - 1, tags), EPH_OK);
    uint32_t more[64] = {0xdead, 0xdead};
    uint64_t start_ms = rig_now_ms();
    cr_expect_eq(rig_submit(&rig, 50, 2, more), EPH_E_FULL); // one would fit
    cr_expect_eq(more[0], 0xdead);
    cr_expect_eq(rig_submit(&rig, 50, 1, more), EPH_OK);
    cr_expect_eq(rig_submit(&rig, 51, 1, more + 1), EPH_E_FULL);
    cr_expect_eq(rig_submit(&rig, 51, 64, more + 1), EPH_E_FULL);
    cr_expect_lt(rig_now_ms() - start_ms, RIG_PATIENT_MS / 2);
    fake_await_requests(rig.fake, 1 + SLOTS);
    fake_release_held(rig.fake, SLOTS);
    for (unsigned i = 0; i < SLOTS - 1; i++)
        cr_expect(rig_wait_right(&rig, i, tags[i]));
    cr_expect(rig_wait_right(&rig, 50, more[0]));
    cr_expect_eq(rig_stats(&rig).submitted, SLOTS);
    rig_close(&rig);
}

Test(queue, quarantines_a_cancelled_request_until_it_completes)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    fake_plan(rig.fake, FAKE_HOLD, 0, SLOTS);
    uint32_t tags[SLOTS], tag;
    cr_assert_eq(rig_submit(&rig, 0, SLOTS, tags), EPH_OK);
    eph_cancel(rig.queue, tags[3]);
    struct eph_completion completion;
    cr_expect_eq(eph_wait(rig.queue, tags[3], &completion, 0), EPH_E_INVALID, "a cancelled tag is nobody's");
    cr_expect_eq(rig_submit(&rig, 90, 1, &tag), EPH_E_FULL, "its slot is not free yet");
    fake_await_requests(rig.fake, 1 + SLOTS);
    fake_release_held(rig.fake, SLOTS);
    for (unsigned i = 0; i < SLOTS; i++)
        if (i != 3)
            cr_expect(rig_wait_right(&rig, i, tags[i]));
    cr_assert_eq(rig_submit(&rig, 90, 1, &tag), EPH_OK);
    cr_expect(rig_wait_right(&rig, 90, tag));
    struct eph_queue_stats stats = rig_stats(&rig);
    cr_expect_eq(stats.cancelled, 1);
    cr_expect_eq(stats.late, 1);
    cr_expect_eq(stats.completed, SLOTS);
    rig_close(&rig);
}

Test(queue, counts_the_deadline_from_when_the_device_could_start)
{
    // One context: the second request waits for the first, which the device never finishes.
    struct rig rig = {0};
    rig_open(&rig, &(struct fake_settings){.contexts = 1});
    fake_plan(rig.fake, FAKE_SILENT, 0, 2);
    uint32_t tags[2];
    struct eph_completion completion;
    uint64_t start_ms = rig_now_ms();
    cr_assert_eq(rig_submit(&rig, 0, 2, tags), EPH_OK);
    cr_expect_eq(eph_wait(rig.queue, tags[0], &completion, 0), EPH_E_TIMEOUT);
    uint64_t first_ms = rig_now_ms() - start_ms;
    cr_expect_eq(eph_wait(rig.queue, tags[1], &completion, 0), EPH_E_TIMEOUT);
    uint64_t second_ms = rig_now_ms() - start_ms;
    cr_expect_geq(first_ms, RIG_DEADLINE_MS - 1);
    cr_expect_geq(second_ms, 2 * RIG_DEADLINE_MS - 2, "%lu ms: queueing was taken for a timeout", second_ms);
    cr_expect_lt(second_ms, 2 * RIG_DEADLINE_MS + RIG_SLACK_MS);
    rig_close(&rig);
}

Test(queue, waits_no_longer_than_the_caller_wants)
{
    struct rig rig = {0};
    rig_open(&rig, NULL);
    fake_plan(rig.fake, FAKE_HOLD, 0, 1);
    uint32_t tag;
    struct eph_completion completion;
    cr_assert_eq(rig_submit(&rig, 0, 1, &tag), EPH_OK);
    uint64_t start_ms = rig_now_ms();
    cr_expect_eq(eph_wait(rig.queue, tag, &completion, (start_ms + 10) * 1000000), EPH_E_TIMEOUT);
    cr_expect_lt(rig_now_ms() - start_ms, RIG_DEADLINE_MS);
    cr_expect_eq(rig_stats(&rig).timeouts, 0, "the caller's patience says nothing about the device");
    cr_expect_eq(eph_wait(rig.queue, tag, &completion, 0), EPH_E_INVALID);
    rig_close(&rig);
}

Test(queue, refuses_what_the_device_can_not_do)
{
    struct rig rig = {0};
    rig_open(&rig, NULL);
    struct rig_request made;
    uint32_t tag;
    static const uint8_t no_blind[32] = {[31] = 0x80}; // bit 255 does not count
    rig_make(&made, 1);
    made.request.curve = EPH_CURVE_X448;
    cr_expect_eq(eph_submit(rig.queue, &made.request, 1, &tag), EPH_E_UNSUPPORTED);
    made.request.curve = (enum eph_curve)EPH_CURVE_COUNT;
    cr_expect_eq(eph_submit(rig.queue, &made.request, 1, &tag), EPH_E_INVALID);
    rig_make(&made, 1);
    made.request.opcode = (enum eph_opcode)9;
    cr_expect_eq(eph_submit(rig.queue, &made.request, 1, &tag), EPH_E_INVALID);
    rig_make(&made, 1);
    made.request.blind = no_blind;
    cr_expect_eq(eph_submit(rig.queue, &made.request, 1, &tag), EPH_E_INVALID);
    rig_make(&made, 1);
    made.request.peer_x = NULL;
    cr_expect_eq(eph_submit(rig.queue, &made.request, 1, &tag), EPH_E_INVALID);
    struct eph_completion completion;
    cr_expect_eq(eph_wait(rig.queue, 0x123456, &completion, 0), EPH_E_INVALID);
    eph_cancel(rig.queue, 0x123456);
    cr_expect_eq(rig_stats(&rig).submitted, 0);
    rig_close(&rig);
}

Test(queue, leaves_no_secret_in_shared_memory)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    for (unsigned i = 0; i < 20; i++)
        cr_expect_eq(rig_exchange(&rig, i, NULL), EPH_OK);
    fake_plan(rig.fake, FAKE_SILENT, 0, 1); // its operands stay in the ring until the queue closes
    uint32_t tag;
    cr_expect_eq(rig_submit(&rig, 30, 1, &tag), EPH_OK);
    eph_cancel(rig.queue, tag);
    eph_queue_close(rig.queue);
    rig.queue = NULL;
    // The fake looks at the memory when it notices the hang-up.
    for (unsigned i = 0; i < 400 && !fake_get_counters(rig.fake).rings_wiped; i++)
        rig_sleep_ms(5);
    cr_expect(fake_get_counters(rig.fake).rings_wiped);
    rig_close(&rig);
}
