// SPDX-License-Identifier: Apache-2.0
// One client, one queue: requests, doorbells, errors, resets.
#include "raw_client.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { ANSWER_MS = 30000, SILENCE_MS = 50 };

static struct raw_daemon daemon_;
static struct raw_client client;
static struct raw_queue queue;

static void start(void)
{
    raw_daemon_start(&daemon_, raw_backend(), NULL);
    raw_connect(&client, daemon_.path);
    raw_open_function(&client);
}

static void stop(void)
{
    raw_close(&client);
    if (daemon_.pid > 0)
        cr_assert_eq(raw_daemon_stop(&daemon_, SIGTERM), 0);
}

static unsigned long long stop_and_count(const char *name)
{
    unsigned long long count = raw_daemon_stop_counter(&daemon_, name);
    daemon_.pid = 0;
    return count;
}

static uint32_t queue_register(uint32_t reg)
{
    return raw_read32(&client, EPH_QUEUE_REGS_BASE + reg);
}

static void expect_rfc7748(uint32_t tag)
{
    struct eph_cqe cqe;
    struct eph_sqe sqe = raw_rfc7748(tag);
    raw_queue_put(&queue, &sqe);
    raw_queue_ring(&queue);
    cr_assert(raw_queue_get(&queue, &cqe, ANSWER_MS), "no answer");
    cr_assert_eq(cqe.status, EPH_ST_OK);
    cr_assert_eq(cqe.tag, tag);
    cr_assert_eq(memcmp(cqe.result, raw_rfc7748_u, sizeof raw_rfc7748_u), 0);
}

static void put_in_flight(uint32_t count)
{
    for (uint32_t tag = 0; tag < count; tag++) {
        struct eph_sqe sqe = raw_request(EPH_OP_DERIVE, tag);
        raw_queue_put(&queue, &sqe);
    }
    raw_queue_ring(&queue);
}

// Two doorbells in one message, so that the device can not have fetched everything in between.
static void ring_forth_and_back(uint32_t forth, uint32_t back)
{
    struct {
        uint64_t count;
        struct {
            struct eph_vu_region_access access;
            uint32_t value[2];
        } writes[2];
    } multi = {
        2,
        {{{EPH_DOORBELL_BASE + EPH_DB_SQ_TAIL, 0, 4}, {forth}}, {{EPH_DOORBELL_BASE + EPH_DB_SQ_TAIL, 0, 4}, {back}}}};
    cr_assert_eq(raw_call(&client, EPH_VU_REGION_WRITE_MULTI, &multi, sizeof multi, NULL, 0, NULL, 0), 8);
}

TestSuite(queue, .init = start, .fini = stop, .timeout = 110);

Test(queue, answers_the_rfc_7748_vector)
{
    raw_queue_setup(&queue, &client, EPH_MAX_LOG2_DEPTH);
    struct eph_sqe sqe = raw_rfc7748(77);
    struct eph_cqe cqe;
    raw_queue_put(&queue, &sqe);
    raw_queue_ring(&queue);
    cr_assert(raw_queue_get(&queue, &cqe, ANSWER_MS));
    cr_assert_eq(cqe.status, EPH_ST_OK);
    cr_assert_eq(memcmp(cqe.result, raw_rfc7748_u, sizeof raw_rfc7748_u), 0);
    cr_assert_eq(cqe.tag, 77u);
    cr_assert_eq(cqe.generation, sqe.generation);
    cr_assert_eq(cqe.qid, 0, "a function has one queue");
    cr_assert_eq(cqe.sq_head, 1);
    cr_assert_gt(cqe.cycles, 64u * 2000);
}

Test(queue, changes_the_phase_every_lap)
{
    raw_queue_setup(&queue, &client, 1); // two entries: one request at a time
    struct eph_cqe cqe;
    for (uint32_t tag = 0; tag < 5; tag++) {
        struct eph_sqe sqe = raw_request(EPH_OP_KEYGEN, tag);
        raw_queue_put(&queue, &sqe);
        raw_queue_ring(&queue);
        cr_assert(raw_queue_get(&queue, &cqe, ANSWER_MS), "request %u", tag);
        cr_assert_eq(cqe.tag, tag);
        cr_assert_eq(cqe.phase, (tag / 2 + 1) % 2);
    }
    cr_assert_eq(queue_register(EPH_QREG_DONE), 5u);
    cr_assert_eq(queue_register(EPH_QREG_ERRORS), 0u);
    cr_assert_eq(queue_register(EPH_QREG_SQ_HEAD), 1u);
    cr_assert_eq(queue_register(EPH_QREG_CQ_TAIL), 1u);
}

Test(queue, never_overwrites_a_completion_that_was_not_consumed)
{
    raw_queue_setup(&queue, &client, 2); // four entries: three in flight
    for (uint32_t tag = 0; tag < 3; tag++) {
        struct eph_sqe sqe = raw_request(EPH_OP_KEYGEN, tag);
        raw_queue_put(&queue, &sqe);
    }
    raw_queue_ring(&queue);
    for (int i = 0; queue_register(EPH_QREG_DONE) < 3 && i < ANSWER_MS; i++)
        usleep(1000);
    struct eph_sqe fourth = raw_request(EPH_OP_KEYGEN, 3); // its SQE is free, a CQE is not
    raw_queue_put(&queue, &fourth);
    raw_queue_ring(&queue);
    usleep(SILENCE_MS * 1000);
    cr_assert_eq(queue_register(EPH_QREG_DONE), 3u);
    struct eph_cqe cqe;
    uint32_t seen = 0;
    for (uint32_t i = 0; i < 4; i++) {
        cr_assert(raw_queue_get(&queue, &cqe, ANSWER_MS));
        seen |= 1u << cqe.tag;
    }
    cr_assert_eq(seen, 0xfu);
}

Test(queue, reads_the_shadow_page_after_a_kick)
{
    raw_queue_setup(&queue, &client, 3);
    uint32_t *shadow = (uint32_t *)(void *)(client.memory + RAW_SHADOW_OFFSET);
    int event = eventfd(0, EFD_CLOEXEC);
    uint64_t count;
    struct eph_cqe cqe;
    struct eph_sqe sqe = raw_rfc7748(5);
    cr_assert_eq(raw_set_irq(&client, RAW_VECTOR, event), 0);
    raw_queue_put(&queue, &sqe);
    shadow[0] = queue.sq_tail;
    shadow[1] = EPH_ARM; // head 0, armed
    raw_post32(&client, EPH_DOORBELL_BASE + EPH_DB_KICK, 1);
    cr_assert(raw_wait_event(event, ANSWER_MS, &count));
    cr_assert(raw_queue_get(&queue, &cqe, 0), "visible before the interrupt");
    cr_assert_eq(memcmp(cqe.result, raw_rfc7748_u, sizeof raw_rfc7748_u), 0);
    close(event);
}

Test(queue, answers_requests_without_a_program)
{
    raw_queue_setup(&queue, &client, EPH_MAX_LOG2_DEPTH);
    static const struct {
        uint8_t opcode, curve;
    } rows[] = {
        {0, EPH_CURVE_X25519}, {9, EPH_CURVE_X25519}, {EPH_OP_DERIVE, 0}, {EPH_OP_DERIVE, EPH_CURVE_X448}, {255, 255}};
    enum { ROWS = sizeof rows / sizeof *rows };
    for (unsigned i = 0; i < ROWS; i++) {
        struct eph_sqe sqe = raw_request(EPH_OP_DERIVE, i);
        struct eph_cqe cqe;
        static const uint8_t zero[sizeof cqe.result];
        sqe.opcode = rows[i].opcode;
        sqe.curve = rows[i].curve;
        raw_queue_put(&queue, &sqe);
        raw_queue_ring(&queue);
        cr_assert(raw_queue_get(&queue, &cqe, ANSWER_MS));
        cr_assert(cqe.status == EPH_ST_BAD_OP || cqe.status == EPH_ST_BAD_CURVE, "row %u: status %u", i, cqe.status);
        cr_assert_eq(memcmp(cqe.result, zero, sizeof zero), 0);
    }
    cr_assert_eq(queue_register(EPH_QREG_ERRORS), (uint32_t)ROWS);
    expect_rfc7748(99);
}

static void expect_error(uint32_t code, int event)
{
    uint64_t count;
    cr_assert(raw_queue_state(&client, EPH_QSTATE_ERROR), "queue goes on after an error");
    cr_assert(raw_wait_event(event, ANSWER_MS, &count), "no interrupt on vector 0");
    cr_assert_eq(raw_read32(&client, EPH_REG_ERR_CODE), code);
    cr_assert_eq(raw_read32(&client, EPH_REG_ERR_QID), 0u);
    cr_assert_eq(raw_read32(&client, EPH_REG_STATUS), (uint32_t)EPH_STATUS_READY, "an error of one queue is not fatal");
}

static void recover(void)
{
    raw_write32(&client, EPH_REG_CTRL, EPH_CTRL_RESET);
    cr_assert_eq(queue_register(EPH_QREG_STATE), (uint32_t)EPH_QSTATE_OFF);
    cr_assert_eq(raw_read32(&client, EPH_REG_ERR_CODE), (uint32_t)EPH_ERR_NONE);
}

Test(queue, stops_on_doorbells_that_can_not_be)
{
    int event = eventfd(0, EFD_CLOEXEC);
    cr_assert_eq(raw_set_irq(&client, 0, event), 0);
    raw_queue_setup(&queue, &client, 3);
    raw_write32(&client, EPH_DOORBELL_BASE + EPH_DB_SQ_TAIL, 8);
    expect_error(EPH_ERR_SQ_TAIL, event);
    recover();
    raw_queue_reopen(&queue);
    ring_forth_and_back(3, 2);
    expect_error(EPH_ERR_SQ_TAIL, event);
    recover();
    raw_queue_reopen(&queue);
    raw_write32(&client, EPH_DOORBELL_BASE + EPH_DB_CQ_HEAD, 1); // nothing was completed yet
    expect_error(EPH_ERR_CQ_HEAD, event);
    recover();
    raw_queue_reopen(&queue);
    expect_rfc7748(1);
    close(event);
}

Test(queue, stops_on_a_bad_configuration)
{
    static const struct {
        uint32_t reg, value;
    } rows[] = {{EPH_QREG_SQ_BASE_LO, RAW_ADDRESS + 16},
                {EPH_QREG_CQ_BASE_LO, RAW_ADDRESS + 128},
                {EPH_QREG_LOG2_DEPTH, 0},
                {EPH_QREG_LOG2_DEPTH, 7},
                {EPH_QREG_VECTOR, 0},
                {EPH_QREG_VECTOR, 17}};
    int event = eventfd(0, EFD_CLOEXEC);
    cr_assert_eq(raw_set_irq(&client, 0, event), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        raw_queue_setup(&queue, &client, 3);
        raw_write32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_ENABLE, 0);
        cr_assert(raw_queue_state(&client, EPH_QSTATE_OFF));
        raw_write32(&client, EPH_QUEUE_REGS_BASE + rows[i].reg, rows[i].value);
        raw_write32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_ENABLE, 1);
        expect_error(EPH_ERR_CONFIG, event);
        recover();
    }
    close(event);
}

Test(queue, freezes_its_configuration_while_on)
{
    raw_queue_setup(&queue, &client, 3);
    raw_write32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_LOG2_DEPTH, 5);
    raw_write32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_VECTOR, 6);
    raw_write32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_SQ_BASE_LO, 0);
    cr_assert_eq(queue_register(EPH_QREG_LOG2_DEPTH), 3u);
    cr_assert_eq(queue_register(EPH_QREG_VECTOR), (uint32_t)RAW_VECTOR);
    cr_assert_eq(queue_register(EPH_QREG_SQ_BASE_LO), (uint32_t)RAW_ADDRESS);
    expect_rfc7748(1);
}

// FEATURE_AWAKE is for devices that look by themselves; for others the bit means nothing.
Test(queue, without_the_feature_a_shadowed_queue_is_rung_as_ever)
{
    raw_queue_setup(&queue, &client, 3);
    if (raw_read32(&client, EPH_REG_FEATURES) & EPH_FEATURE_AWAKE)
        cr_skip_test("this device has it: test_shadow.c");
    raw_write32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_ENABLE, 0);
    while (queue_register(EPH_QREG_STATE) != EPH_QSTATE_OFF)
        ;
    raw_write32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_ENABLE, 1 | EPH_SHADOWED);
    expect_rfc7748(1);
    const struct eph_shadow *shadow = (const void *)(client.memory + RAW_SHADOW_OFFSET);
    cr_expect_eq(shadow->awake, 0, "it says that it looks, and does not");
}

Test(queue, drains_when_disabled)
{
    raw_queue_setup(&queue, &client, 4);
    for (uint32_t tag = 0; tag < 10; tag++) {
        struct eph_sqe sqe = raw_request(EPH_OP_KEYGEN, tag);
        raw_queue_put(&queue, &sqe);
    }
    raw_queue_ring(&queue);
    raw_write32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_ENABLE, 0);
    cr_assert(raw_queue_state(&client, EPH_QSTATE_OFF));
    struct eph_cqe cqe;
    uint32_t fetched = queue_register(EPH_QREG_SQ_HEAD), completed = 0;
    while (raw_queue_get(&queue, &cqe, 0))
        completed++;
    cr_assert_eq(completed, fetched, "what was fetched is completed, the rest is not");
}

// ---- DMA

Test(queue, refuses_dma_outside_the_maps)
{
    int event = eventfd(0, EFD_CLOEXEC);
    cr_assert_eq(raw_set_irq(&client, 0, event), 0);
    raw_queue_setup(&queue, &client, 3);
    cr_assert_eq(raw_dma_unmap(&client, RAW_ADDRESS, RAW_MEMORY_BYTES), 0);
    struct eph_sqe sqe = raw_rfc7748(1);
    raw_queue_put(&queue, &sqe);
    raw_queue_ring(&queue);
    expect_error(EPH_ERR_AXI_READ, event);
    cr_assert_eq(raw_read32(&client, EPH_REG_ERR_ADDR_LO), (uint32_t)RAW_ADDRESS + RAW_SQ_OFFSET);
    recover();
    close(event);
    cr_assert_geq(stop_and_count("dma_refused"), 1);
}

Test(queue, refuses_completions_into_read_only_and_unreachable_maps)
{
    int event = eventfd(0, EFD_CLOEXEC);
    cr_assert_eq(raw_set_irq(&client, 0, event), 0);
    for (unsigned round = 0; round < 2; round++) { // round 1: the map of the completion ring came without a descriptor
        cr_assert_eq(raw_dma_unmap(&client, RAW_ADDRESS, RAW_MEMORY_BYTES), 0);
        cr_assert_eq(raw_dma_map(&client, RAW_ADDRESS, RAW_CQ_OFFSET, 0, client.memory_fd, EPH_VU_DMA_FLAG_READ), 0);
        cr_assert_eq(raw_dma_map(&client, RAW_ADDRESS + RAW_CQ_OFFSET, 0x4000, RAW_CQ_OFFSET,
                                 round == 0 ? client.memory_fd : -1,
                                 round == 0 ? EPH_VU_DMA_FLAG_READ : EPH_VU_DMA_FLAG_READ | EPH_VU_DMA_FLAG_WRITE),
                     0);
        raw_queue_setup(&queue, &client, 3);
        struct eph_sqe sqe = raw_request(EPH_OP_KEYGEN, 1);
        raw_queue_put(&queue, &sqe);
        raw_queue_ring(&queue);
        expect_error(EPH_ERR_AXI_WRITE, event);
        cr_assert_eq(raw_read32(&client, EPH_REG_ERR_ADDR_LO), (uint32_t)RAW_ADDRESS + RAW_CQ_OFFSET);
        cr_assert_not(raw_queue_visible(&queue));
        recover();
    }
    close(event);
}

Test(queue, refuses_dma_without_bus_mastering)
{
    int event = eventfd(0, EFD_CLOEXEC);
    cr_assert_eq(raw_set_irq(&client, 0, event), 0);
    raw_bus_master(&client, false);
    raw_queue_setup(&queue, &client, 3);
    struct eph_sqe sqe = raw_rfc7748(1);
    raw_queue_put(&queue, &sqe);
    raw_queue_ring(&queue);
    expect_error(EPH_ERR_AXI_READ, event);
    raw_bus_master(&client, true);
    recover();
    raw_queue_reopen(&queue);
    expect_rfc7748(2);
    close(event);
}

Test(queue, works_across_maps_of_one_page_each)
{
    // As behind a virtual IOMMU: every page a map of its own, neighbours in bus addresses far apart in the file.
    enum { PAGE = 4096, PAGES = RAW_MEMORY_BYTES / PAGE, RW = EPH_VU_DMA_FLAG_READ | EPH_VU_DMA_FLAG_WRITE };
    cr_assert_eq(raw_dma_unmap(&client, RAW_ADDRESS, RAW_MEMORY_BYTES), 0);
    for (uint32_t page = 0; page < PAGES; page++) // every second page first: neighbours are not mapped in order
        for (unsigned half = 0; half < 2; half++)
            if (page % 2 == half)
                cr_assert_eq(raw_dma_map(&client, RAW_ADDRESS + page * PAGE, PAGE, (PAGES - 1 - page) * PAGE,
                                         client.memory_fd, RW),
                             0);
    raw_queue_setup(&queue, &client, EPH_MAX_LOG2_DEPTH);
    for (uint32_t i = 0; i < 63; i++) {
        uint32_t offset = RAW_SQ_OFFSET + i * EPH_ENTRY_BYTES;
        struct eph_sqe sqe = raw_request(EPH_OP_KEYGEN, i);
        memcpy(client.memory + (PAGES - 1 - offset / PAGE) * PAGE + offset % PAGE, &sqe, sizeof sqe);
    }
    raw_post32(&client, EPH_DOORBELL_BASE + EPH_DB_SQ_TAIL, 63);
    for (int i = 0; queue_register(EPH_QREG_DONE) < 63 && i < ANSWER_MS; i++)
        usleep(1000);
    uint64_t seen = 0;
    for (uint32_t i = 0; i < 63; i++) {
        uint32_t offset = RAW_CQ_OFFSET + i * EPH_ENTRY_BYTES;
        struct eph_cqe cqe;
        memcpy(&cqe, client.memory + (PAGES - 1 - offset / PAGE) * PAGE + offset % PAGE, sizeof cqe);
        cr_assert_eq(cqe.phase, 1);
        cr_assert_eq(cqe.status, EPH_ST_OK);
        seen |= UINT64_C(1) << cqe.tag;
    }
    cr_assert_eq(seen, (UINT64_C(1) << 63) - 1);
}

// ---- resets

static void expect_as_new(void)
{
    for (uint32_t reg = 0; reg <= EPH_QREG_STATE; reg += 4)
        cr_assert_eq(queue_register(reg), 0u, "queue register 0x%x survived the reset", reg);
    raw_queue_reopen(&queue);
    cr_assert_not(raw_queue_visible(&queue), "a completion from before the reset");
    expect_rfc7748(4321);
}

Test(queue, starts_anew_after_a_device_reset)
{
    raw_queue_setup(&queue, &client, 4);
    put_in_flight(12);
    cr_assert_eq(raw_call(&client, EPH_VU_DEVICE_RESET, NULL, 0, NULL, 0, NULL, 0), 0);
    expect_as_new(); // bus mastering and maps survive, as behind VFIO
}

Test(queue, starts_anew_after_a_function_level_reset)
{
    uint16_t control = PCI_EXP_DEVCTL_BCR_FLR, command = 0xffff;
    raw_queue_setup(&queue, &client, 4);
    put_in_flight(12);
    cr_assert_eq(raw_write(&client, VFIO_PCI_CONFIG_REGION_INDEX, 0x50 + PCI_EXP_DEVCTL, &control, sizeof control), 0);
    cr_assert_eq(raw_read(&client, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &command, sizeof command), 0);
    cr_assert_eq(command, 0, "PCI Express 6.6.2: the function is as after power-up");
    raw_bus_master(&client, true);
    expect_as_new();
}

Test(queue, starts_anew_after_a_register_reset)
{
    raw_queue_setup(&queue, &client, 4);
    put_in_flight(12);
    raw_write32(&client, EPH_REG_CTRL, EPH_CTRL_RESET);
    cr_assert_eq(raw_read32(&client, EPH_REG_CTRL), 0u);
    expect_as_new();
}
