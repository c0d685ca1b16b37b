// SPDX-License-Identifier: Apache-2.0
// Many clients of one card: none may notice another.
#include "raw_client.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER_MS = 60000, FUNCTIONS = EPH_MAX_QUEUES };

static struct raw_daemon daemon_;
static int control;

static void start(void)
{
    raw_daemon_start(&daemon_, raw_backend(), NULL);
    control = raw_attach_control(daemon_.path);
}

static void stop(void)
{
    close(control);
    if (daemon_.pid > 0)
        cr_assert_eq(raw_daemon_stop(&daemon_, SIGTERM), 0);
}

TestSuite(clients, .init = start, .fini = stop, .timeout = 110);

static void attach(struct raw_client *client, struct raw_queue *queue)
{
    int error = raw_attach(control, client);
    for (int i = 0; error == EBUSY && i < 1000; i++) { // the server hears a moment later that another client has left
        raw_close(client);
        usleep(1000);
        error = raw_attach(control, client);
    }
    cr_assert_eq(error, 0);
    raw_open_function(client);
    raw_queue_setup(queue, client, 3);
}

static void submit(struct raw_queue *queue, enum eph_opcode opcode, uint32_t tag)
{
    struct eph_sqe sqe = raw_request(opcode, tag);
    raw_queue_put(queue, &sqe);
    raw_queue_ring(queue);
}

static void expect(struct raw_queue *queue, uint32_t tag)
{
    struct eph_cqe cqe;
    cr_assert(raw_queue_get(queue, &cqe, ANSWER_MS), "request %u was not answered", tag);
    cr_assert_eq(cqe.tag, tag);
    cr_assert_eq(cqe.status, EPH_ST_OK);
    cr_assert_eq(cqe.qid, 0);
}

Test(clients, sixteen_work_side_by_side_and_the_next_is_refused)
{
    static struct raw_client clients[FUNCTIONS], late;
    static struct raw_queue queues[FUNCTIONS];
    static int events[FUNCTIONS];
    uint64_t count;
    for (uint32_t i = 0; i < FUNCTIONS; i++) {
        attach(&clients[i], &queues[i]);
        events[i] = eventfd(0, EFD_CLOEXEC);
        cr_assert_eq(raw_set_irq(&clients[i], RAW_VECTOR, events[i]), 0); // all of them the same vector
        raw_post32(&clients[i], EPH_DOORBELL_BASE + EPH_DB_CQ_HEAD, (uint32_t)EPH_ARM);
    }
    cr_assert_eq(raw_attach(control, &late), EBUSY);
    cr_assert_eq(raw_version(&late), -EPIPE, "its stream is closed in order");
    raw_close(&late);
    raw_connect(&late, daemon_.path);
    cr_assert_eq(raw_version(&late), -EPIPE);
    raw_close(&late);

    for (uint32_t i = 0; i < FUNCTIONS; i++)
        submit(&queues[i], i % 2 ? EPH_OP_KEYGEN : EPH_OP_DERIVE, 100 + i);
    for (uint32_t i = 0; i < FUNCTIONS; i++) {
        cr_assert(raw_wait_event(events[i], ANSWER_MS, &count), "client %u", i);
        cr_assert_eq(count, 1);
        expect(&queues[i], 100 + i);
        close(events[i]);
    }
    raw_close(&clients[7]);
    attach(&late, &queues[7]);
    submit(&queues[7], EPH_OP_KEYGEN, 7);
    expect(&queues[7], 7);
}

Test(clients, one_that_dies_in_flight_leaves_the_others_alone)
{
    struct raw_client survivor, other;
    struct raw_queue queue;
    attach(&survivor, &queue);
    pid_t pid = fork();
    if (pid == 0) {
        struct raw_queue doomed;
        attach(&other, &doomed);
        for (uint32_t tag = 0; tag < 7; tag++)
            submit(&doomed, EPH_OP_DERIVE, tag);
        (void)raw_read32(&other, EPH_REG_MAGIC); // the doorbells have arrived
        (void)kill(getpid(), SIGKILL);
    }
    submit(&queue, EPH_OP_DERIVE, 1);
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
    expect(&queue, 1);
    for (uint32_t i = 0; i < FUNCTIONS; i++) { // its function can be had again, clean
        attach(&other, &queue);
        cr_assert_not(raw_queue_visible(&queue));
        submit(&queue, EPH_OP_KEYGEN, 50 + i);
        expect(&queue, 50 + i);
        raw_close(&other);
    }
    raw_close(&survivor);
}

// ---- memory that goes away

// Configures and enables the queue without a look at the memory, which may not be there.
static void enable_blindly(struct raw_client *client)
{
    static const struct {
        uint32_t reg, value;
    } rows[] = {{EPH_QREG_SQ_BASE_LO, RAW_ADDRESS + RAW_SQ_OFFSET},
                {EPH_QREG_CQ_BASE_LO, RAW_ADDRESS + RAW_CQ_OFFSET},
                {EPH_QREG_LOG2_DEPTH, 3},
                {EPH_QREG_VECTOR, RAW_VECTOR},
                {EPH_QREG_ENABLE, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        raw_write32(client, EPH_QUEUE_REGS_BASE + rows[i].reg, rows[i].value);
}

Test(clients, one_that_shortens_its_memory_harms_only_itself)
{
    static const struct {
        off_t bytes;
        uint32_t code;
    } rows[] = {{0, EPH_ERR_AXI_READ}, {RAW_CQ_OFFSET, EPH_ERR_AXI_WRITE}};
    struct raw_client survivor, other;
    struct raw_queue queue, doomed;
    attach(&survivor, &queue);
    attach(&other, &doomed);
    for (uint32_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct eph_sqe sqe = raw_request(EPH_OP_KEYGEN, i);
        raw_queue_put(&doomed, &sqe);
        cr_assert_eq(ftruncate(other.memory_fd, rows[i].bytes), 0);
        raw_queue_ring(&doomed);
        cr_assert(raw_queue_state(&other, EPH_QSTATE_ERROR));
        cr_assert_eq(raw_read32(&other, EPH_REG_ERR_CODE), rows[i].code);
        submit(&queue, EPH_OP_KEYGEN, i);
        expect(&queue, i);
        cr_assert_eq(ftruncate(other.memory_fd, RAW_MEMORY_BYTES), 0);
        raw_write32(&other, EPH_REG_CTRL, EPH_CTRL_RESET);
        raw_queue_reopen(&doomed);
        submit(&doomed, EPH_OP_KEYGEN, 100 + i); // with its memory back it is served again
        expect(&doomed, 100 + i);
    }
    raw_close(&other);
    raw_close(&survivor);
    cr_assert_geq(raw_daemon_stop_counter(&daemon_, "dma_refused"), 2ull);
    daemon_.pid = 0;
}

Test(clients, one_that_shortens_its_memory_at_any_moment_harms_only_itself)
{
    enum { ROUNDS = 100 };
    struct raw_client survivor, other;
    struct raw_queue queue, doomed;
    attach(&survivor, &queue);
    attach(&other, &doomed);
    pid_t pid = fork();
    if (pid == 0)
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (pid == 0) {
        (void)!ftruncate(other.memory_fd, 0);
        (void)!ftruncate(other.memory_fd, RAW_MEMORY_BYTES);
    }
    for (uint32_t i = 0; i < ROUNDS; i++) {
        raw_write32(&other, EPH_REG_CTRL, EPH_CTRL_RESET);
        enable_blindly(&other);
        raw_post32(&other, EPH_DOORBELL_BASE + EPH_DB_SQ_TAIL, 7);
        (void)raw_read32(&other, EPH_QUEUE_REGS_BASE + EPH_QREG_DONE);
    }
    submit(&queue, EPH_OP_DERIVE, 1);
    expect(&queue, 1);
    (void)kill(pid, SIGKILL);
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
    raw_close(&other);
    raw_close(&survivor);
}

Test(clients, a_reset_touches_no_neighbour)
{
    struct raw_client a, b;
    struct raw_queue queue_a, queue_b;
    attach(&a, &queue_a);
    attach(&b, &queue_b);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t tag = 0; tag < 5; tag++)
            submit(&queue_a, EPH_OP_KEYGEN, tag);
        submit(&queue_b, EPH_OP_DERIVE, 200 + round);
        if (round == 0)
            cr_assert_eq(raw_call(&a, EPH_VU_DEVICE_RESET, NULL, 0, NULL, 0, NULL, 0), 0);
        else
            raw_write32(&a, EPH_REG_CTRL, EPH_CTRL_RESET);
        cr_assert_eq(raw_read32(&a, EPH_QUEUE_REGS_BASE + EPH_QREG_STATE), (uint32_t)EPH_QSTATE_OFF);
        cr_assert_eq(raw_read32(&b, EPH_QUEUE_REGS_BASE + EPH_QREG_STATE), (uint32_t)EPH_QSTATE_ON);
        expect(&queue_b, 200 + round);
        raw_queue_reopen(&queue_a);
        submit(&queue_a, EPH_OP_KEYGEN, 300 + round);
        expect(&queue_a, 300 + round);
    }
    cr_assert_eq(raw_read32(&b, EPH_QUEUE_REGS_BASE + EPH_QREG_DONE), 3u);
    raw_close(&a);
    raw_close(&b);
}

Test(clients, each_sees_its_own_errors)
{
    struct raw_client a, b;
    struct raw_queue queue_a, queue_b;
    attach(&a, &queue_a);
    attach(&b, &queue_b);
    raw_write32(&a, EPH_DOORBELL_BASE + EPH_DB_SQ_TAIL, 99);
    cr_assert(raw_queue_state(&a, EPH_QSTATE_ERROR));
    cr_assert_eq(raw_read32(&a, EPH_REG_ERR_CODE), (uint32_t)EPH_ERR_SQ_TAIL);
    cr_assert_eq(raw_read32(&b, EPH_REG_ERR_CODE), (uint32_t)EPH_ERR_NONE);
    submit(&queue_b, EPH_OP_KEYGEN, 1);
    expect(&queue_b, 1);
    raw_write32(&b, EPH_DOORBELL_BASE + EPH_DB_CQ_HEAD, 7); // the card latches its first error only
    cr_assert(raw_queue_state(&b, EPH_QSTATE_ERROR));
    cr_assert_eq(raw_read32(&b, EPH_REG_ERR_CODE), (uint32_t)EPH_ERR_CQ_HEAD);
    raw_write32(&a, EPH_REG_CTRL, EPH_CTRL_RESET);
    cr_assert_eq(raw_read32(&a, EPH_REG_ERR_CODE), (uint32_t)EPH_ERR_NONE);
    cr_assert_eq(raw_read32(&b, EPH_REG_ERR_CODE), (uint32_t)EPH_ERR_CQ_HEAD);
    raw_queue_reopen(&queue_a);
    submit(&queue_a, EPH_OP_KEYGEN, 2);
    expect(&queue_a, 2);
    raw_close(&a);
    raw_close(&b);
}

Test(clients, can_not_reach_the_queue_of_a_neighbour)
{
    struct raw_client a, b;
    struct raw_queue queue_a, queue_b;
    attach(&a, &queue_a);
    attach(&b, &queue_b);
    for (uint32_t q = 1; q < FUNCTIONS; q++) {
        uint32_t base = EPH_QUEUE_REGS_BASE + q * EPH_QUEUE_REGS_STRIDE;
        raw_write32(&a, base + EPH_QREG_ENABLE, 0);
        cr_assert_eq(raw_read32(&a, base + EPH_QREG_LOG2_DEPTH), 0u);
        raw_write32(&a, EPH_DOORBELL_BASE + q * EPH_DOORBELL_STRIDE + EPH_DB_SQ_TAIL, 0xffff);
    }
    submit(&queue_b, EPH_OP_KEYGEN, 1);
    expect(&queue_b, 1);
    raw_close(&a);
    raw_close(&b);
}

Test(clients, children_attach_over_the_inherited_control_socket)
{
    pid_t pids[4];
    for (uint32_t i = 0; i < 4; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            struct raw_client client;
            struct raw_queue queue;
            attach(&client, &queue);
            submit(&queue, EPH_OP_KEYGEN, i);
            expect(&queue, i);
            _exit(0);
        }
    }
    for (uint32_t i = 0; i < 4; i++) {
        int status;
        cr_assert_eq(waitpid(pids[i], &status, 0), pids[i]);
        cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child %u", i);
    }
}

Test(clients, attach_requests_are_checked)
{
    struct {
        struct eph_attach_request request;
        uint32_t more;
    } bad = {{EPH_ATTACH_MAGIC, 2}, 0};
    struct eph_attach_reply reply;
    cr_assert_eq(write(control, &bad, sizeof bad.request), (ssize_t)sizeof bad.request);
    cr_assert_eq(read(control, &reply, sizeof reply), (ssize_t)sizeof reply);
    cr_assert_eq(reply.error, EINVAL, "another version, and no descriptor");
    cr_assert_eq(write(control, &bad, sizeof bad), (ssize_t)sizeof bad);
    cr_assert_eq(read(control, &reply, sizeof reply), (ssize_t)sizeof reply);
    cr_assert_eq(reply.error, EINVAL, "too long");
    struct raw_client client;
    cr_assert_eq(raw_attach(control, &client), 0, "the connection goes on");
    cr_assert_gt(raw_version(&client), 0);
    raw_close(&client);
}
