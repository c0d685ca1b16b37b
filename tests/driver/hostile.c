// SPDX-License-Identifier: Apache-2.0
// A device that misbehaves: the driver hands out no wrong result, blocks no longer than its deadline, and counts what
// it saw.
#include "rig.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <poll.h>
#include <string.h>

TestSuite(hostile, .timeout = 60);

// Every fault hits the first request after the known-answer test; afterwards the device is honest.
struct fault_case {
    enum fake_fault fault;
    enum eph_status status;
    uint64_t dropped_tag, dropped_generation, dropped_phase, timeouts;
    bool serves_on; // the next requests are answered without a reset
};

ParameterizedTestParameters(hostile, never_hands_out_a_wrong_result)
{
    static const struct fault_case cases[] = {
        {FAKE_HONEST, EPH_OK, 0, 0, 0, 0, true},
        {FAKE_WRONG_TAG, EPH_E_TIMEOUT, 1, 0, 0, 1, true},
        {FAKE_IMPOSSIBLE_TAG, EPH_E_TIMEOUT, 1, 0, 0, 1, true},
        {FAKE_WRONG_GENERATION, EPH_E_TIMEOUT, 0, 1, 0, 1, true},
        {FAKE_DUPLICATE, EPH_OK, 1, 0, 0, 0, true},
        {FAKE_SILENT, EPH_E_TIMEOUT, 0, 0, 0, 1, true},
        {FAKE_GARBAGE, EPH_E_TIMEOUT, 0, 0, 1, 1, true},
        {FAKE_FLOOD, EPH_OK, 7, 0, 0, 0, true},
    };
    return cr_make_param_array(const struct fault_case, (struct fault_case *)cases, sizeof cases / sizeof *cases, NULL);
}

ParameterizedTest(const struct fault_case *test, hostile, never_hands_out_a_wrong_result)
{
    struct rig rig = {0};
    rig_open(&rig, NULL);
    fake_plan(rig.fake, test->fault, 0, 1);
    uint64_t took_ms;
    cr_expect_eq(rig_exchange(&rig, 1, &took_ms), test->status, "fault %d", test->fault);
    cr_expect_lt(took_ms, RIG_DEADLINE_MS + RIG_SLACK_MS, "fault %d blocked for %lu ms", test->fault, took_ms);
    for (unsigned i = 0; test->serves_on && i < 20; i++)
        cr_expect_eq(rig_exchange(&rig, 10 + i, NULL), EPH_OK, "fault %d, request %u after it", test->fault, i);
    struct eph_queue_stats stats = rig_stats(&rig);
    cr_expect_eq(stats.dropped_tag, test->dropped_tag, "fault %d: %lu", test->fault, stats.dropped_tag);
    cr_expect_eq(stats.dropped_generation, test->dropped_generation, "fault %d: %lu", test->fault,
                 stats.dropped_generation);
    cr_expect_eq(stats.dropped_phase, test->dropped_phase, "fault %d: %lu", test->fault, stats.dropped_phase);
    cr_expect_eq(stats.timeouts, test->timeouts, "fault %d: %lu", test->fault, stats.timeouts);
    bool untrusted = stats.dropped_tag + stats.dropped_generation + stats.dropped_phase;
    cr_expect_eq(strstr(rig.log, "dropped") != NULL, untrusted, "log: %s", rig.log);
    rig_close(&rig);
}

Test(hostile, counts_a_late_completion_and_hands_it_to_nobody)
{
    struct rig rig = {0};
    rig_open(&rig, NULL);
    fake_plan(rig.fake, FAKE_HOLD, 0, 1);
    cr_expect_eq(rig_exchange(&rig, 1, NULL), EPH_E_TIMEOUT);
    fake_release_held(rig.fake, 1);
    for (unsigned i = 0; i < 8; i++)
        cr_expect_eq(rig_exchange(&rig, 2 + i, NULL), EPH_OK);
    struct eph_completion completion;
    cr_expect_eq(eph_poll(rig.queue, &completion, 1), 0);
    struct eph_queue_stats stats = rig_stats(&rig);
    cr_expect_eq(stats.late, 1);
    cr_expect_eq(stats.timeouts, 1);
    cr_expect_eq(stats.completed, 8);
    rig_close(&rig);
}

Test(hostile, treats_all_ones_as_gone)
{
    struct rig rig = {0};
    rig_open(&rig, NULL);
    fake_set_all_ones(rig.fake, true);
    fake_plan(rig.fake, FAKE_SILENT, 0, 99);
    uint64_t took_ms;
    cr_expect_eq(rig_exchange(&rig, 1, &took_ms), EPH_E_TIMEOUT);
    cr_expect_lt(took_ms, RIG_DEADLINE_MS + RIG_SLACK_MS);
    cr_expect_eq(rig_exchange(&rig, 2, &took_ms), EPH_E_GONE);
    cr_expect_lt(took_ms, RIG_DEADLINE_MS);
    cr_expect(strstr(rig.log, "all ones"), "log: %s", rig.log);
    rig_close(&rig);
}

Test(hostile, notices_at_once_when_the_server_hangs_up)
{
    struct rig rig = {0};
    rig_open(&rig, NULL);
    fake_plan(rig.fake, FAKE_CLOSE, 0, 1);
    uint64_t took_ms;
    cr_expect_eq(rig_exchange(&rig, 1, &took_ms), EPH_E_GONE);
    cr_expect_lt(took_ms, RIG_DEADLINE_MS, "%lu ms: waited for the deadline", took_ms);
    cr_expect_eq(rig_exchange(&rig, 2, NULL), EPH_E_GONE);
    cr_expect_eq(rig_stats(&rig).breaker, EPH_BREAKER_OPEN);
    rig_close(&rig);
}

Test(hostile, survives_a_hung_server)
{
    struct rig rig = {0};
    rig_open(&rig, NULL);
    fake_set_mute(rig.fake, true);
    uint64_t start_ms = rig_now_ms();
    unsigned timeouts = 0;
    for (unsigned i = 0; i < 3; i++)
        timeouts += rig_exchange(&rig, i, NULL) == EPH_E_TIMEOUT;
    cr_expect_eq(timeouts, 3);
    cr_expect_lt(rig_now_ms() - start_ms, 3 * RIG_DEADLINE_MS + RIG_SLACK_MS);
    // Out of service: each later call returns at once, those that try to reset it too.
    start_ms = rig_now_ms();
    for (unsigned i = 0; i < 50; i++) {
        cr_expect_eq(rig_exchange(&rig, i, NULL), EPH_E_BROKEN);
        rig_sleep_ms(10);
    }
    cr_expect_lt(rig_now_ms() - start_ms, 50 * 10 + RIG_SLACK_MS);
    cr_expect_geq(rig_stats(&rig).resets, 1);
    start_ms = rig_now_ms();
    rig_close(&rig);
    cr_expect_lt(rig_now_ms() - start_ms, 2 * RIG_DEADLINE_MS + RIG_SLACK_MS, "close hangs with the server");
}

// Whoever sleeps on the descriptor would spin.
Test(hostile, takes_back_an_interrupt_that_nobody_asked_for)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    struct pollfd ready = {.fd = eph_queue_fd(rig.queue), .events = POLLIN};
    struct eph_completion completion;
    uint32_t tag;
    for (unsigned moderated = 0; moderated < 2; moderated++) {
        eph_queue_quiet(rig.queue, moderated);
        cr_assert_eq(rig_submit(&rig, 0, 1, &tag), EPH_OK);
        for (size_t found = 0; found == 0; rig_sleep_ms(1))
            found = eph_poll(rig.queue, &completion, 1);
        fake_interrupt(rig.fake);
        cr_expect_eq(poll(&ready, 1, 2000), 1);
        cr_expect_eq(eph_poll(rig.queue, &completion, 1), 0);
        cr_expect_eq(poll(&ready, 1, 0), 0, "the descriptor stays readable, moderated: %u", moderated);
    }
    rig_close(&rig);
}

Test(hostile, shows_no_result_with_a_failed_check)
{
    static const enum fake_fault faults[] = {FAKE_CHECK, FAKE_NO_SUCH_STATUS};
    struct rig rig = {0};
    rig_open(&rig, NULL);
    for (unsigned i = 0; i < 2; i++) {
        fake_plan(rig.fake, faults[i], 0, 1);
        struct rig_request made;
        struct eph_completion completion;
        rig_make(&made, i);
        cr_assert_eq(eph_exchange(rig.queue, &made.request, &completion), EPH_OK);
        cr_expect_eq(completion.wire_status, EPH_ST_CHECK);
        static const uint8_t zero[EPH_CQE_RESULT_BYTES];
        cr_expect_arr_eq(completion.result, zero, sizeof zero);
    }
    rig_close(&rig);
}

struct refusal { // no pointers: Criterion hands it to another process
    struct fake_settings settings;
    enum eph_status status;
    char log[48];
};

ParameterizedTestParameters(hostile, refuses_what_is_not_our_device)
{
    static const struct refusal cases[] = {
        {{.magic = 0x12345678}, EPH_E_PROTOCOL, "identify"},
        {{.if_version = 0x00020000}, EPH_E_PROTOCOL, "identify"},
        {{.all_ones = true}, EPH_E_GONE, "identify"},
        {{.log2_depth = 9}, EPH_E_PROTOCOL, "impossible"},
        {{.contexts = 0xffff}, EPH_E_PROTOCOL, "impossible"},
        {{.truncate_replies = true}, EPH_E_PROTOCOL, "vfio-user"},
        {{.oversize_replies = true}, EPH_E_PROTOCOL, "vfio-user"},
        {{.error_replies = true}, EPH_E_PROTOCOL, "vfio-user"},
        {{.refuse_attach = true}, EPH_E_PERMISSION, "all its functions are taken"},
        {{.mute = true}, EPH_E_TIMEOUT, "vfio-user"},
    };
    return cr_make_param_array(const struct refusal, (struct refusal *)cases, sizeof cases / sizeof *cases, NULL);
}

ParameterizedTest(const struct refusal *test, hostile, refuses_what_is_not_our_device)
{
    struct rig rig = {0};
    uint64_t start_ms = rig_now_ms();
    enum eph_status status = rig_try_open(&rig, &test->settings, NULL);
    cr_expect_eq(status, test->status, "%s: %s", eph_status_text(status), rig.log);
    cr_expect_null(rig.queue);
    cr_expect(strstr(rig.log, test->log), "log: %s", rig.log);
    cr_expect_lt(rig_now_ms() - start_ms, 3000);
    cr_expect_not(fake_get_counters(rig.fake).master_enabled, "got bus mastering before it was identified");
    rig_close(&rig);
}

Test(hostile, takes_no_device_that_does_not_know_the_answer)
{
    struct rig rig = {0};
    struct fake *fake = fake_start(NULL);
    fake_plan(fake, FAKE_WRONG_ANSWER, 0, 1);
    cr_expect_eq(rig_try_open(&rig, NULL, fake_uri(fake)), EPH_E_PROTOCOL);
    cr_expect(strstr(rig.log, "wrong answer"), "log: %s", rig.log);
    rig_close(&rig);
    fake_stop(fake);
}

Test(hostile, gives_up_a_device_that_is_silent_from_the_start)
{
    struct rig rig = {0};
    struct fake *fake = fake_start(NULL);
    fake_plan(fake, FAKE_SILENT, 0, 1);
    uint64_t start_ms = rig_now_ms();
    cr_expect_eq(rig_try_open(&rig, NULL, fake_uri(fake)), EPH_E_TIMEOUT);
    cr_expect(strstr(rig.log, "self-test"), "log: %s", rig.log);
    cr_expect_lt(rig_now_ms() - start_ms, 1000 + RIG_SLACK_MS);
    rig_close(&rig);
    fake_stop(fake);
}
