// SPDX-License-Identifier: Apache-2.0
// FEATURE_AWAKE: a device that is awake takes SQ_TAIL from the shadow page; one that sleeps has said so before, and is
// rung.
#include "raw_client.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <unistd.h>

enum { ANSWER_MS = 30000, NO_ANSWER_MS = 200 };

static struct raw_daemon daemon_;
static struct raw_client client;
static struct raw_queue queue;
static struct eph_shadow *shadow;

static void start(const char *awake_us)
{
    raw_daemon_start(&daemon_, "timed", (const char *const[]){"--awake-us", awake_us, NULL});
    raw_connect(&client, daemon_.path);
    raw_open_function(&client);
    raw_queue_setup(&queue, &client, EPH_MAX_LOG2_DEPTH);
    shadow = (struct eph_shadow *)(void *)(client.memory + RAW_SHADOW_OFFSET);
    raw_write32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_ENABLE, 0);
    raw_write32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_ENABLE, 1 | EPH_SHADOWED);
    cr_assert_eq(raw_read32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_STATE), (uint32_t)EPH_QSTATE_ON);
}

static void stop(void)
{
    raw_close(&client);
    (void)raw_daemon_stop_counter(&daemon_, "spin_us");
}

static bool device_awake(void)
{
    return atomic_load((_Atomic uint64_t *)&shadow->awake) != 0;
}

static void await(bool awake)
{
    for (int ms = 0; device_awake() != awake; ms++) {
        cr_assert_lt(ms, ANSWER_MS);
        (void)usleep(1000);
    }
}

static void put(uint32_t tag)
{
    struct eph_sqe sqe = raw_request(EPH_OP_DERIVE, tag);
    raw_queue_put(&queue, &sqe);
}

// As the driver does: only when the device sleeps. Returns whether it was rung.
static bool tell(void)
{
    atomic_store((_Atomic uint32_t *)&shadow->sq_tail, queue.sq_tail);
    bool ring = !device_awake();
    if (ring)
        raw_queue_ring(&queue);
    return ring;
}

static void get(uint32_t tag)
{
    struct eph_cqe cqe;
    cr_assert(raw_queue_get(&queue, &cqe, ANSWER_MS), "no answer to %u", tag);
    cr_assert_eq(cqe.tag, tag);
    cr_assert_eq(cqe.status, EPH_ST_OK);
}

TestSuite(shadow, .timeout = 110);

Test(shadow, device_that_is_awake_needs_no_doorbell)
{
    start("200000");
    unsigned rings = 0;
    for (uint32_t tag = 0; tag < 200; tag++) {
        put(tag);
        rings += tell();
        get(tag);
    }
    cr_expect_leq(rings, 1, "rung %u times", rings); // before the first look
    stop();
}

Test(shadow, device_that_sleeps_says_so_and_is_rung)
{
    start("0");
    put(1);
    (void)tell();
    get(1);
    await(false);
    (void)usleep(100000); // it looks once more before it sleeps
    put(2);
    atomic_store((_Atomic uint32_t *)&shadow->sq_tail, queue.sq_tail);
    struct eph_cqe cqe;
    cr_expect_not(raw_queue_get(&queue, &cqe, NO_ANSWER_MS), "it looks in its sleep");
    raw_queue_ring(&queue);
    get(2);
    stop();
}

// Falling asleep and being told cross in every way: no request may be left between them.
Test(shadow, no_request_is_lost_on_the_way_to_sleep)
{
    start("50");
    unsigned rings = 0;
    for (uint32_t tag = 0; tag < 4000; tag++) {
        put(tag);
        rings += tell();
        get(tag);
        for (volatile unsigned spin = 0; spin < tag % 97 * 1000; spin++)
            ;
    }
    cr_expect_gt(rings, 10);
    cr_expect_lt(rings, 3990);
    stop();
}

// A doorbell that was sent before the device was awake may be read after later requests were seen.
Test(shadow, doorbell_that_comes_late_is_not_believed)
{
    start("200000");
    put(0);
    (void)tell();
    get(0);
    await(true);
    for (uint32_t tag = 1; tag < 5; tag++)
        put(tag);
    (void)tell();
    raw_post32(&client, EPH_DOORBELL_BASE + EPH_DB_SQ_TAIL, 2);
    for (uint32_t tag = 1; tag < 5; tag++)
        get(tag);
    cr_expect_eq(raw_read32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_STATE), (uint32_t)EPH_QSTATE_ON);
    stop();
}

Test(shadow, impossible_tail_stops_the_queue)
{
    start("200000");
    put(0);
    (void)tell();
    get(0);
    await(true);
    atomic_store((_Atomic uint32_t *)&shadow->sq_tail, 1u << 20);
    for (int ms = 0; raw_read32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_STATE) != EPH_QSTATE_ERROR; ms++) {
        cr_assert_lt(ms, ANSWER_MS);
        (void)usleep(1000);
    }
    cr_expect_eq(raw_read32(&client, EPH_REG_ERR_CODE), (uint32_t)EPH_ERR_SQ_TAIL);
    stop();
}
