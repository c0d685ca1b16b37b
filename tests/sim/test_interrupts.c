// SPDX-License-Identifier: Apache-2.0
// MSI-X by eventfd: arming, its race with completions, masking.
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
static int event;

static void start(void)
{
    raw_daemon_start(&daemon_, raw_backend(), NULL);
    raw_connect(&client, daemon_.path);
    raw_open_function(&client);
    raw_queue_setup(&queue, &client, 4);
    event = eventfd(0, EFD_CLOEXEC);
    cr_assert_eq(raw_set_irq(&client, RAW_VECTOR, event), 0);
}

static void stop(void)
{
    raw_close(&client);
    close(event);
    cr_assert_eq(raw_daemon_stop(&daemon_, SIGTERM), 0);
}

TestSuite(interrupts, .init = start, .fini = stop, .timeout = 60);

static void submit(uint32_t tag)
{
    struct eph_sqe sqe = raw_request(EPH_OP_KEYGEN, tag);
    raw_queue_put(&queue, &sqe);
    raw_queue_ring(&queue);
}

static void arm(uint32_t head)
{
    raw_post32(&client, EPH_DOORBELL_BASE + EPH_DB_CQ_HEAD, head | (uint32_t)EPH_ARM);
}

static void wait_done(uint32_t count)
{
    for (int i = 0; raw_read32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_DONE) < count && i < ANSWER_MS; i++)
        usleep(1000);
}

Test(interrupts, come_once_for_each_arming)
{
    uint64_t count = 0;
    arm(0);
    cr_assert_not(raw_wait_event(event, SILENCE_MS, &count), "nothing was completed");
    submit(1);
    cr_assert(raw_wait_event(event, ANSWER_MS, &count));
    cr_assert_eq(count, 1);
    cr_assert(raw_queue_visible(&queue), "the completion is visible before its interrupt");
    submit(2);
    wait_done(2);
    cr_assert_not(raw_wait_event(event, SILENCE_MS, &count), "not armed any more");
}

Test(interrupts, come_at_once_when_a_completion_is_waiting)
{
    uint64_t count;
    submit(1);
    wait_done(1);
    cr_assert_not(raw_wait_event(event, SILENCE_MS, &count), "never armed");
    arm(0); // the race: armed after the completion was written
    cr_assert(raw_wait_event(event, ANSWER_MS, &count));
    arm(1);
    cr_assert_not(raw_wait_event(event, SILENCE_MS, &count), "everything before the head is consumed");
}

Test(interrupts, are_never_lost_between_consuming_and_arming)
{
    uint64_t count;
    for (uint32_t tag = 1; tag <= 20; tag++) {
        struct eph_cqe cqe;
        submit(tag);
        arm(queue.cq_head); // may reach the device before or after the completion
        cr_assert(raw_wait_event(event, ANSWER_MS, &count), "request %u", tag);
        cr_assert(raw_queue_get(&queue, &cqe, 0));
        cr_assert_eq(cqe.tag, tag);
    }
}

static void set(uint32_t flags, uint32_t vector, uint32_t count, int expected)
{
    struct vfio_irq_set request = {
        .argsz = sizeof request, .flags = flags, .index = VFIO_PCI_MSIX_IRQ_INDEX, .start = vector, .count = count};
    cr_assert_eq(raw_call(&client, EPH_VU_DEVICE_SET_IRQS, &request, sizeof request, NULL, 0, NULL, 0), expected);
}

Test(interrupts, pend_while_masked)
{
    uint64_t count;
    uint32_t pending;
    set(VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK, RAW_VECTOR, 1, 0);
    arm(0);
    submit(1);
    wait_done(1);
    cr_assert_not(raw_wait_event(event, SILENCE_MS, &count));
    cr_assert_eq(raw_read(&client, VFIO_PCI_BAR2_REGION_INDEX, EPH_MSIX_PBA_OFFSET, &pending, sizeof pending), 0);
    cr_assert_eq(pending, 1u << RAW_VECTOR);
    set(VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK, RAW_VECTOR, 1, 0);
    cr_assert(raw_wait_event(event, ANSWER_MS, &count));
    cr_assert_eq(raw_read(&client, VFIO_PCI_BAR2_REGION_INDEX, EPH_MSIX_PBA_OFFSET, &pending, sizeof pending), 0);
    cr_assert_eq(pending, 0u);
}

Test(interrupts, can_be_triggered_and_detached_by_the_client)
{
    uint64_t count;
    set(VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER, RAW_VECTOR, 1, 0);
    cr_assert(raw_wait_event(event, ANSWER_MS, &count), "loop-back");
    set(VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER, 0, 0, 0); // detaches all
    set(VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER, RAW_VECTOR, 1, 0);
    cr_assert_not(raw_wait_event(event, SILENCE_MS, &count));
}

Test(interrupts, refuse_settings_that_can_not_be)
{
    set(VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER, EPH_MSIX_VECTORS, 1, -EINVAL);
    set(VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER, 1, UINT32_MAX, -EINVAL);
    set(VFIO_IRQ_SET_DATA_NONE, 0, 1, -EINVAL);
    set(VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_TRIGGER, 0, 1, -EINVAL);
    set(VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_TRIGGER, 0, 17, -EINVAL);
}

Test(interrupts, do_not_block_on_a_descriptor_that_is_full)
{
    int full = eventfd(0, EFD_CLOEXEC);
    uint64_t most = UINT64_MAX - 1;
    cr_assert_eq(write(full, &most, sizeof most), (ssize_t)sizeof most);
    cr_assert_eq(raw_set_irq(&client, RAW_VECTOR, full), 0);
    set(VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER, RAW_VECTOR, 1, 0);
    cr_assert_eq(raw_read32(&client, EPH_REG_MAGIC), (uint32_t)EPH_MAGIC, "the server lives");
    close(full);
}
