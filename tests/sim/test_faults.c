// SPDX-License-Identifier: Apache-2.0
// The fault injector: each fault does what it says, and only a reset heals those that last.
#include "raw_client.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { ANSWER_MS = 30000, SILENCE_MS = 100 };

static struct raw_daemon daemon_;
static struct raw_client client;
static struct raw_queue queue;

static void open_with(const char *faults)
{
    raw_daemon_start(&daemon_, raw_backend(), (const char *const[]){"--faults", faults, NULL});
    raw_connect(&client, daemon_.path);
    raw_open_function(&client);
    raw_queue_setup(&queue, &client, 3);
}

static void stop(void)
{
    raw_close(&client);
    cr_assert_eq(raw_daemon_stop(&daemon_, SIGTERM), 0);
}

TestSuite(faults, .fini = stop, .timeout = 60);

static struct eph_sqe submit(uint32_t tag)
{
    struct eph_sqe sqe = raw_rfc7748(tag);
    raw_queue_put(&queue, &sqe);
    raw_queue_ring(&queue);
    return sqe;
}

static void wait_done(uint32_t count)
{
    for (int i = 0; raw_read32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_DONE) < count && i < ANSWER_MS; i++)
        usleep(1000);
}

static bool is_good(const struct eph_cqe *cqe, const struct eph_sqe *sqe)
{
    return cqe->status == EPH_ST_OK && cqe->tag == sqe->tag && cqe->generation == sqe->generation &&
           memcmp(cqe->result, raw_rfc7748_u, sizeof raw_rfc7748_u) == 0;
}

static void expect_good(uint32_t tag)
{
    struct eph_cqe cqe;
    struct eph_sqe sqe = submit(tag);
    cr_assert(raw_queue_get(&queue, &cqe, ANSWER_MS));
    cr_assert(is_good(&cqe, &sqe));
}

static void expect_healed_by_reset(void)
{
    cr_assert_eq(raw_call(&client, EPH_VU_DEVICE_RESET, NULL, 0, NULL, 0, NULL, 0), 0);
    cr_assert_eq(raw_read32(&client, EPH_REG_STATUS), (uint32_t)EPH_STATUS_READY);
    raw_queue_reopen(&queue);
    expect_good(99);
}

Test(faults, lost_completions_never_become_visible)
{
    open_with("lost@1");
    (void)submit(1);
    wait_done(1);
    usleep(SILENCE_MS * 1000);
    cr_assert_not(raw_queue_visible(&queue));
    expect_healed_by_reset();
}

Test(faults, late_completions_and_their_interrupts_come_later)
{
    open_with("late@1,late=1/1000000000:300ms");
    uint64_t count;
    int event = eventfd(0, EFD_CLOEXEC);
    cr_assert_eq(raw_set_irq(&client, RAW_VECTOR, event), 0);
    raw_post32(&client, EPH_DOORBELL_BASE + EPH_DB_CQ_HEAD, (uint32_t)EPH_ARM);
    struct eph_sqe sqe = submit(1);
    wait_done(1);
    cr_assert_not(raw_queue_visible(&queue), "300 ms have not passed");
    cr_assert_not(raw_wait_event(event, SILENCE_MS, &count));
    cr_assert(raw_wait_event(event, ANSWER_MS, &count));
    struct eph_cqe cqe;
    cr_assert(raw_queue_get(&queue, &cqe, 0), "visible with its interrupt");
    cr_assert(is_good(&cqe, &sqe));
    close(event);
}

Test(faults, duplicates_replace_the_next_completion)
{
    open_with("dup@1");
    struct eph_cqe first, second;
    struct eph_sqe sqe = submit(1);
    cr_assert(raw_queue_get(&queue, &first, ANSWER_MS));
    (void)submit(2);
    cr_assert(raw_queue_get(&queue, &second, ANSWER_MS));
    cr_assert(is_good(&first, &sqe));
    cr_assert(is_good(&second, &sqe), "tag 1 once more");
    expect_good(3);
}

Test(faults, corruption_changes_one_bit_of_the_result)
{
    open_with("corrupt@1");
    struct eph_cqe cqe;
    unsigned bits = 0;
    (void)submit(1);
    cr_assert(raw_queue_get(&queue, &cqe, ANSWER_MS));
    cr_assert_eq(cqe.status, EPH_ST_OK);
    for (size_t i = 0; i < sizeof raw_rfc7748_u; i++)
        bits += (unsigned)__builtin_popcount(cqe.result[i] ^ raw_rfc7748_u[i]);
    cr_assert_eq(bits, 1);
    expect_good(2);
}

Test(faults, a_damaged_scalar_is_told_and_shows_no_result)
{
    open_with("check@1");
    struct eph_cqe cqe;
    static const uint8_t zeros[sizeof cqe.result];
    struct eph_sqe sqe = submit(1);
    cr_assert(raw_queue_get(&queue, &cqe, ANSWER_MS));
    cr_assert_eq(cqe.status, EPH_ST_CHECK);
    cr_assert_eq(cqe.tag, sqe.tag);
    cr_assert_arr_eq(cqe.result, zeros, sizeof zeros);
    expect_good(2);
}

Test(faults, wrong_tag_and_generation)
{
    open_with("wrongtag@1,wronggen@2");
    struct eph_cqe cqe;
    struct eph_sqe sqe = submit(1);
    cr_assert(raw_queue_get(&queue, &cqe, ANSWER_MS));
    cr_assert_neq(cqe.tag, sqe.tag);
    cr_assert_eq(cqe.generation, sqe.generation);
    sqe = submit(2);
    cr_assert(raw_queue_get(&queue, &cqe, ANSWER_MS));
    cr_assert_eq(cqe.tag, sqe.tag);
    cr_assert_neq(cqe.generation, sqe.generation);
    expect_good(3);
}

Test(faults, a_hang_lasts_until_reset)
{
    open_with("hang@2");
    expect_good(1);
    struct eph_cqe cqe;
    (void)submit(2);
    (void)submit(3);
    wait_done(3);
    cr_assert_not(raw_queue_get(&queue, &cqe, SILENCE_MS));
    expect_healed_by_reset();
}

Test(faults, fatal_shows_in_the_registers_until_reset)
{
    open_with("fatal@1");
    uint64_t count;
    int event = eventfd(0, EFD_CLOEXEC);
    cr_assert_eq(raw_set_irq(&client, 0, event), 0);
    (void)submit(1);
    cr_assert(raw_wait_event(event, ANSWER_MS, &count), "vector 0");
    cr_assert(raw_read32(&client, EPH_REG_STATUS) & EPH_STATUS_FATAL);
    cr_assert_eq(raw_read32(&client, EPH_REG_ERR_CODE), (uint32_t)EPH_ERR_WATCHDOG);
    cr_assert_not(raw_queue_visible(&queue));
    expect_healed_by_reset();
    close(event);
}

Test(faults, a_removed_device_reads_all_ones_for_good)
{
    open_with("allones@1");
    (void)submit(1);
    for (int i = 0; raw_read32(&client, EPH_REG_MAGIC) != UINT32_MAX && i < ANSWER_MS; i++)
        usleep(1000);
    uint32_t identity = 0;
    cr_assert_eq(raw_read(&client, VFIO_PCI_CONFIG_REGION_INDEX, 0, &identity, sizeof identity), 0);
    cr_assert_eq(identity, UINT32_MAX);
    cr_assert_eq(raw_call(&client, EPH_VU_DEVICE_RESET, NULL, 0, NULL, 0, NULL, 0), -ENODEV);
    cr_assert_eq(raw_read32(&client, EPH_REG_MAGIC), UINT32_MAX);
    raw_close(&client); // another one is plugged in
    raw_connect(&client, daemon_.path);
    raw_open_function(&client);
    raw_queue_setup(&queue, &client, 3);
    expect_good(2);
}

Test(faults, probabilities_strike_about_as_often_as_they_say)
{
    enum { REQUESTS = 240 };
    static struct eph_sqe sqes[REQUESTS];
    static struct eph_cqe cqes[REQUESTS];
    open_with("corrupt=1/8,seed=5");
    raw_write32(&client, EPH_REG_CTRL, EPH_CTRL_RESET);
    raw_queue_setup(&queue, &client, EPH_MAX_LOG2_DEPTH);
    for (uint32_t tag = 0; tag < REQUESTS; tag++) {
        sqes[tag] = raw_rfc7748(0); // the same each time
        sqes[tag].tag = tag;
    }
    raw_queue_run(&queue, sqes, cqes, REQUESTS);
    unsigned wrong = 0;
    for (uint32_t tag = 0; tag < REQUESTS; tag++)
        wrong += !is_good(&cqes[tag], &sqes[tag]);
    cr_assert(wrong >= 15 && wrong <= 50, "%u of %u, 30 expected", wrong, REQUESTS);
}
