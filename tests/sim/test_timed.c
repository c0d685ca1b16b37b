// SPDX-License-Identifier: Apache-2.0
// The timed back end keeps the times of its profile. A loaded machine may answer later, never earlier: lower bounds
// hold always, upper bounds for the best of some attempts.
#include "raw_client.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <ucode_model.h>
#include <unistd.h>

enum { ATTEMPTS = 10, DEPTH = 63, DEADLINE_MS = 30000, LONG_MS = 40000 };

static struct raw_daemon daemon_;
static struct raw_client client;
static struct raw_queue queue;
static const char *awake_us = "2000";

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void write_profile(char path[64], const char *text)
{
    (void)snprintf(path, 64, "%s", P_tmpdir "/eph-profile-XXXXXX");
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

// A device at 100 MHz: 100,000 cycles are a millisecond.
static void start(uint32_t engines, uint32_t contexts, uint32_t derive_ms, uint32_t keygen_ms, const char *more,
                  const char *workers)
{
    char text[512], path[64];
    (void)snprintf(
        text, sizeof text,
        "# a device of tests\nengines = %u\nclock_mhz=100 # comment\n\ncontexts=%u\nx25519.derive = %u00000\n"
        "x25519.keygen = %u00000\npcie_round_trip_ns = 0\n%s",
        engines, contexts, derive_ms, keygen_ms, more);
    write_profile(path, text);
    raw_daemon_start(&daemon_, "timed",
                     (const char *const[]){"--profile", path, "--workers", workers, "--awake-us", awake_us, NULL});
    (void)unlink(path);
    raw_connect(&client, daemon_.path);
    raw_open_function(&client);
    raw_queue_setup(&queue, &client, EPH_MAX_LOG2_DEPTH);
}

static void stop(void)
{
    raw_close(&client);
    cr_assert_eq(raw_daemon_stop(&daemon_, SIGTERM), 0);
}

// Milliseconds from the doorbell to the last of n completions.
static double run(enum eph_opcode opcode, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct eph_sqe sqe = raw_request(opcode, i);
        raw_queue_put(&queue, &sqe);
    }
    double start_ms = now_ms();
    raw_queue_ring(&queue);
    for (uint32_t i = 0; i < n; i++) {
        struct eph_cqe cqe;
        cr_assert(raw_queue_get(&queue, &cqe, DEADLINE_MS));
        cr_assert_eq(cqe.status, EPH_ST_OK);
    }
    return now_ms() - start_ms;
}

static void expect_ms(enum eph_opcode opcode, uint32_t n, double least, double most)
{
    double best = 1e9;
    for (unsigned i = 0; i < ATTEMPTS && best > most; i++) {
        double took = run(opcode, n);
        cr_assert_geq(took, least, "%u requests took %.3f ms", n, took);
        if (took < best)
            best = took;
    }
    cr_assert_leq(best, most, "%u requests took %.3f ms at best", n, best);
}

TestSuite(timed, .timeout = 110);

Test(timed, a_request_takes_the_time_of_its_program)
{
    start(1, 64, 5, 2, "", "0");
    expect_ms(EPH_OP_DERIVE, 1, 5, 8);
    expect_ms(EPH_OP_KEYGEN, 1, 2, 4);
    stop();
}

Test(timed, as_many_requests_as_contexts_take_the_time_of_one)
{
    start(1, 64, 20, 2, "", "0");
    expect_ms(EPH_OP_DERIVE, DEPTH, 20, 35);
    stop();
}

Test(timed, more_requests_than_contexts_wait_for_their_turn)
{
    start(2, 8, 10, 2, "", "0");
    expect_ms(EPH_OP_DERIVE, 16, 10, 18);
    expect_ms(EPH_OP_DERIVE, 40, 30, 39); // 16 + 16 + 8
    stop();
}

Test(timed, the_round_trip_is_added)
{
    char path[64];
    write_profile(path, "engines=1\nclock_mhz=100\ncontexts=1\nx25519.derive=100000\npcie_round_trip_ns=7000000\n");
    raw_daemon_start(&daemon_, "timed", (const char *const[]){"--profile", path, NULL});
    (void)unlink(path);
    raw_connect(&client, daemon_.path);
    raw_open_function(&client);
    raw_queue_setup(&queue, &client, EPH_MAX_LOG2_DEPTH);
    expect_ms(EPH_OP_DERIVE, 1, 8, 12);
    expect_ms(EPH_OP_DERIVE, 10, 17, 24); // one after the other in the one context, all but the first hide the trip
    struct eph_sqe sqe = raw_request(EPH_OP_KEYGEN, 0);
    struct eph_cqe cqe;
    raw_queue_run(&queue, &sqe, &cqe, 1);
    cr_assert_eq(cqe.status, EPH_ST_BAD_CURVE, "this profile has no keygen");
    stop();
}

Test(timed, at_infinite_rate_a_request_takes_its_computation)
{
    start(1, 1, 1000, 1000, "rate = infinite\n", "0");
    expect_ms(EPH_OP_DERIVE, DEPTH, 0, 900);
    stop();
}

Test(timed, completions_come_in_the_order_of_their_ends)
{
    start(1, 64, 40, 1, "", "0");
    struct eph_sqe slow = raw_request(EPH_OP_DERIVE, 1), fast = raw_request(EPH_OP_KEYGEN, 2);
    struct eph_cqe cqe;
    raw_queue_put(&queue, &slow);
    raw_queue_put(&queue, &fast);
    raw_queue_ring(&queue);
    cr_assert(raw_queue_get(&queue, &cqe, DEADLINE_MS));
    cr_assert_eq(cqe.tag, 2u);
    cr_assert(raw_queue_get(&queue, &cqe, DEADLINE_MS));
    cr_assert_eq(cqe.tag, 1u);
    stop();
}

static void expect_model_results(const char *workers)
{
    enum { REQUESTS = 300 };
    static struct eph_sqe sqes[REQUESTS];
    static struct eph_cqe cqes[REQUESTS];
    start(8, 64, 1, 1, "", workers);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        sqes[i] = raw_request(i % 3 == 0 ? EPH_OP_KEYGEN : EPH_OP_DERIVE, i);
        if (i % 11 == 3)
            raw_special_scalar(&sqes[i], i / 11);
        if (i % 7 == 5) // p - 1 .. p + 17, bit 255 set or not
            memset(sqes[i].peer_x, 0xff, 31), sqes[i].peer_x[0] = (uint8_t)(0xec + i % 19), sqes[i].peer_x[31] |= 0x7f;
        if (i % 50 == 20)
            memset(sqes[i].peer_x, 0, 32);
        if (i % 64 == 60)
            sqes[i].curve = EPH_CURVE_P384;
        if (i % 64 == 61)
            sqes[i].opcode = 9;
    }
    raw_queue_run(&queue, sqes, cqes, REQUESTS);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        struct eph_cqe expected;
        eph_model_execute(64, &sqes[i], &expected);
        cr_assert_eq(cqes[i].status, expected.status, "request %u: status %u", i, cqes[i].status);
        cr_assert_eq(cqes[i].generation, expected.generation);
        cr_assert_eq(memcmp(cqes[i].result, expected.result, sizeof expected.result), 0, "request %u: other result", i);
        if (expected.status == EPH_ST_OK)
            cr_assert_eq(cqes[i].cycles, 100000u, "request %u: the profile's cycles", i);
    }
    stop();
}

Test(timed, results_are_those_of_the_model_bit_by_bit)
{
    expect_model_results("0");
}

Test(timed, workers_give_the_same_results)
{
    expect_model_results("3");
}

Test(timed, a_disabled_queue_drains)
{
    start(1, 64, 300, 1, "", "1");
    struct eph_sqe sqe = raw_request(EPH_OP_DERIVE, 7);
    struct eph_cqe cqe;
    raw_queue_put(&queue, &sqe);
    raw_queue_ring(&queue);
    while (raw_read32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_SQ_HEAD) != 1)
        continue;
    raw_write32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_ENABLE, 0);
    cr_assert_eq(raw_read32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_STATE), (uint32_t)EPH_QSTATE_DRAINING);
    cr_assert_not(raw_queue_visible(&queue));
    cr_assert(raw_queue_state(&client, EPH_QSTATE_OFF));
    cr_assert(raw_queue_get(&queue, &cqe, 0), "off, but its completion is not there");
    cr_assert_eq(cqe.tag, 7u);
    stop();
}

// The model answers at once and never has a queue full of requests in flight; this back end does.
Test(timed, a_tail_beyond_what_may_be_in_flight_stops_the_queue)
{
    start(1, 64, LONG_MS, 1, "", "1");
    struct eph_sqe sqe = raw_request(EPH_OP_DERIVE, 7);
    for (uint32_t i = 0; i < DEPTH; i++)
        raw_queue_put(&queue, &sqe);
    raw_queue_ring(&queue);
    while (raw_read32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_SQ_HEAD) != DEPTH)
        continue;
    raw_queue_ring(&queue); // the same tail again is no mistake
    cr_assert_eq(raw_read32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_STATE), (uint32_t)EPH_QSTATE_ON);
    raw_queue_put(&queue, &sqe); // its entry was fetched, but as many completions as there are may come already
    raw_queue_ring(&queue);
    cr_assert_eq(raw_read32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_STATE), (uint32_t)EPH_QSTATE_ERROR);
    cr_assert_eq(raw_read32(&client, EPH_REG_ERR_CODE), (uint32_t)EPH_ERR_SQ_TAIL);
    stop();
}

Test(timed, a_completion_makes_room_for_one_more_request)
{
    enum { LOG2_DEPTH = 2, IN_FLIGHT = 3 };
    start(1, 64, LONG_MS, 1, "", "1");
    raw_write32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_ENABLE, 0);
    raw_queue_setup(&queue, &client, LOG2_DEPTH);
    struct eph_sqe slow = raw_request(EPH_OP_DERIVE, 1), fast = raw_request(EPH_OP_KEYGEN, 2);
    struct eph_cqe cqe;
    for (uint32_t i = 1; i < IN_FLIGHT; i++)
        raw_queue_put(&queue, &slow);
    for (uint32_t i = 0; i < 9; i++) { // round the ring, two in flight all the time
        raw_queue_put(&queue, &fast);
        raw_queue_ring(&queue);
        cr_assert(raw_queue_get(&queue, &cqe, DEADLINE_MS), "request %u", i);
        cr_assert_eq(cqe.tag, 2u);
    }
    stop();
}

Test(timed, a_reset_forgets_what_is_in_flight)
{
    enum { CONTEXTS = 8, DERIVE_MS = 3000 };
    start(1, CONTEXTS, DERIVE_MS, 1, "", "1");
    for (uint32_t i = 0; i < DEPTH; i++) {
        struct eph_sqe sqe = raw_request(EPH_OP_DERIVE, i);
        raw_queue_put(&queue, &sqe);
    }
    double start_ms = now_ms();
    raw_queue_ring(&queue);
    cr_assert_geq(raw_call(&client, EPH_VU_DEVICE_RESET, NULL, 0, NULL, 0, NULL, 0), 0);
    raw_bus_master(&client, true);
    raw_queue_reopen(&queue);
    run(EPH_OP_KEYGEN, DEPTH);
    cr_assert_lt(now_ms() - start_ms, DERIVE_MS, "the reset, or the contexts, waited for what was in flight");
    while (now_ms() - start_ms < DERIVE_MS + 200)
        (void)usleep(10000);
    cr_assert_not(raw_queue_visible(&queue), "a completion from before the reset");
    cr_assert_eq(raw_read32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_CQ_TAIL), (uint32_t)DEPTH);
    stop();
}

// A busy loop takes its share of the CPU, even on a machine with other work.
Test(timed, waiting_asleep_costs_no_cpu)
{
    awake_us = "0";
    start(1, 64, 1500, 1, "", "1");
    run(EPH_OP_DERIVE, 1);
    raw_close(&client);
    unsigned long long cpu_us = raw_daemon_stop_counter(&daemon_, "cpu_us");
    cr_assert_leq(cpu_us, 200000ull, "%llu us of CPU for one derive in 1.5 s", cpu_us);
}

Test(timed, the_profiles_of_the_project_are_devices)
{
    static const struct {
        const char *name;
        uint32_t engines, clock_khz;
    } rows[] = {{"xc7z020", 1, 160000}, {"what-if-300k", 6, 141600}, {"infinite", 1, 160000}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[256];
        (void)snprintf(path, sizeof path, EPH_SIM_PROFILES "/%s.profile", rows[i].name);
        raw_daemon_start(&daemon_, "timed", (const char *const[]){"--profile", path, NULL});
        raw_connect(&client, daemon_.path);
        raw_open_function(&client);
        cr_assert_eq(raw_read32(&client, EPH_REG_ENGINES), rows[i].engines, "%s", path);
        cr_assert_eq(raw_read32(&client, EPH_REG_CLK_KHZ), rows[i].clock_khz, "%s", path);
        cr_assert_eq(raw_read32(&client, EPH_REG_QUEUES) >> 16, 64u, "%s: contexts", path);
        cr_assert_eq(raw_read32(&client, EPH_REG_OPS), 1u << EPH_OP_KEYGEN | 1u << EPH_OP_DERIVE, "%s", path);
        stop();
    }
}

static void expect_profile_error(const char *text, const char *needle)
{
    char path[64], output[2048], expected[256];
    write_profile(path, text);
    int status = raw_run((const char *const[]){"--socket", "x", "--backend", "timed", "--profile", path, NULL}, output,
                         sizeof output);
    (void)unlink(path);
    (void)snprintf(expected, sizeof expected, "%s%s", path, needle);
    cr_assert_eq(status, 2, "exit status %d: %s", status, output);
    cr_assert_not_null(strstr(output, expected), "'%s' expected, got: %s", expected, output);
    cr_assert_eq(strchr(output, '\n'), output + strlen(output) - 1, "one line expected, got: %s", output);
}

Test(timed, says_in_which_line_a_profile_is_wrong)
{
    expect_profile_error("# x\n\nengine = 1\n", ":3: unknown key 'engine'");
    expect_profile_error("engines = 9\n", ":1: engines '9': a whole number from 1 to 8");
    expect_profile_error("engines = 1.5\n", ":1: engines '1.5'");
    expect_profile_error("engines = \n", ":1: engines ''");
    expect_profile_error("engines\n", ":1: 'engines': 'key = value' expected");
    expect_profile_error("engines=1\nengines=1\n", ":2: engines is given twice");
    expect_profile_error("engines=1\nclock_mhz=nan\n", ":2: clock_mhz 'nan'");
    expect_profile_error("contexts = 64 64\n", ":1: contexts '64 64'");
    expect_profile_error("x25519.derive = -1\n", ":1: x25519.derive '-1'");
    expect_profile_error("x25519.derive = 0\n", ":1: x25519.derive '0': a whole number from 1 to");
    expect_profile_error("contexts = 1025\n", ":1: contexts '1025': a whole number from 1 to 1024");
    expect_profile_error("clock_mhz = 1e5\n", ":1: clock_mhz '1e5'");
    expect_profile_error("pcie_round_trip_ns = 2e9\n", ":1: pcie_round_trip_ns '2e9'");
    expect_profile_error("rate = 300000\n", ":1: rate '300000': only 'infinite'");
    expect_profile_error("engines=1\ncontexts=1\npcie_round_trip_ns=0\n", ": clock_mhz is missing");
    expect_profile_error("engines=1\ncontexts=1\nclock_mhz=1\npcie_round_trip_ns=0\n", ": no program");
}

Test(timed, says_what_is_missing)
{
    char output[2048];
    cr_assert_eq(raw_run((const char *const[]){"--socket", "x", "--backend", "timed", NULL}, output, sizeof output), 2);
    cr_assert_not_null(strstr(output, "--profile FILE is missing"), "%s", output);
    cr_assert_eq(
        raw_run((const char *const[]){"--socket", "x", "--backend", "timed", "--profile", "/nonexistent", NULL}, output,
                sizeof output),
        2);
    cr_assert_not_null(strstr(output, "/nonexistent: No such file"), "%s", output);
    cr_assert_eq(raw_run((const char *const[]){"--socket", "x", "--backend", "model", "--workers", "1", NULL}, output,
                         sizeof output),
                 2);
    cr_assert_not_null(strstr(output, "are for --backend timed"), "%s", output);
}
