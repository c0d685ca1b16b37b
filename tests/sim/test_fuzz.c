// SPDX-License-Identifier: Apache-2.0
// Messages that no honest client sends. Fixed seed, bounded; the server must neither crash (nor displease a sanitizer)
// nor stop serving others.
#include "raw_client.h"

#include <criterion/criterion.h>
#include <linux/vfio.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 150, MESSAGES = 120, MAX_BYTES = 600, FILE_BYTES = 1 << 16 };

static struct raw_daemon daemon_;
static uint64_t seed;

static void start(void)
{
    raw_daemon_start(&daemon_, raw_backend(), NULL);
}

static void stop(void)
{
    cr_assert_eq(raw_daemon_stop(&daemon_, SIGTERM), 0);
}

TestSuite(fuzz, .init = start, .fini = stop, .timeout = 110);

static uint64_t below(uint64_t n)
{
    return raw_random(&seed) % n;
}

// A number that has a chance to reach some branch.
static uint64_t interesting(void)
{
    static const uint64_t values[] = {0,          1,           2,          3,         4,      7,      8,
                                      16,         17,          64,         0xfff,     0x1000, 0x1020, 0x2000,
                                      0x20000,    RAW_ADDRESS, UINT32_MAX, 1u << 31,  4096,   0x1004, 0x2008,
                                      UINT64_MAX, 1ull << 63,  0x80000000, 0x10000000};
    uint64_t value = values[below(sizeof values / sizeof *values)];
    return below(4) == 0 ? value + below(5) - 2 : value;
}

struct message {
    struct eph_vu_header header;
    uint8_t data[MAX_BYTES];
};

static void put64(struct message *message, size_t offset, uint64_t value, size_t bytes)
{
    memcpy(message->data + offset, &value, bytes);
}

// Fills in the fields of a command so that it often passes the first checks. Returns the payload's length.
static size_t shape(struct message *message, uint32_t command)
{
    switch (command) {
    case EPH_VU_DMA_MAP:
    case EPH_VU_DMA_UNMAP:
        put64(message, 4, below(8), 4);
        put64(message, 8, below(3) ? below(20) * 0x1000 : interesting(), 8);
        put64(message, 16, below(3) ? RAW_ADDRESS + below(64) * 0x1000 : interesting(), 8);
        put64(message, 24, below(3) ? below(20) * 0x1000 : interesting(), 8);
        return 32;
    case EPH_VU_REGION_READ:
    case EPH_VU_REGION_WRITE:
        put64(message, 0, below(3) ? 4 * below(0x1000) : interesting(), 8);
        put64(message, 8, below(4) ? below(9) : interesting(), 4);
        put64(message, 12, below(2) ? 4 : interesting(), 4);
        put64(message, 16, interesting(), 8);
        return 16 + below(40);
    case EPH_VU_DEVICE_SET_IRQS:
        put64(message, 4, below(64), 4);
        put64(message, 8, below(6), 4);
        put64(message, 12, below(20), 4);
        put64(message, 16, below(3) ? below(18) : interesting(), 4);
        return 20 + below(20);
    case EPH_VU_REGION_WRITE_MULTI:
        put64(message, 0, below(4) ? 2 : interesting(), 8);
        return 8 + 24 * below(4);
    default:
        return below(MAX_BYTES);
    }
}

static void send_one(struct raw_client *client, const int fds[3])
{
    struct message message;
    for (size_t i = 0; i < sizeof message.data; i++)
        message.data[i] = (uint8_t)raw_random(&seed);
    uint32_t command = below(8) ? (uint32_t)(1 + below(16)) : (uint32_t)below(1 << 16);
    size_t bytes = shape(&message, command);
    uint32_t claimed = (uint32_t)(sizeof message.header + (below(40) ? bytes : below(2000)));
    message.header = (struct eph_vu_header){(uint16_t)below(1 << 16), (uint16_t)command, claimed,
                                            below(30) ? below(2) * EPH_VU_NO_REPLY : (uint32_t)below(64), 0};
    raw_send(client, &message, sizeof message.header + bytes, fds, (unsigned)below(4));
}

static void drain(struct raw_client *client)
{
    static uint8_t replies[1 << 16];
    while (recv(client->fd, replies, sizeof replies, MSG_DONTWAIT) > 0)
        continue;
}

static void expect_honest_service(void)
{
    struct raw_client client;
    struct raw_queue queue;
    struct eph_cqe cqe;
    struct eph_sqe sqe = raw_rfc7748(1);
    raw_connect(&client, daemon_.path);
    raw_open_function(&client);
    raw_queue_setup(&queue, &client, 3);
    raw_queue_put(&queue, &sqe);
    raw_queue_ring(&queue);
    cr_assert(raw_queue_get(&queue, &cqe, 30000));
    cr_assert_eq(memcmp(cqe.result, raw_rfc7748_u, sizeof raw_rfc7748_u), 0);
    raw_close(&client);
}

Test(fuzz, shaped_and_random_messages)
{
    int file = memfd_create("fuzz", MFD_CLOEXEC), fds[3] = {file, eventfd(0, EFD_CLOEXEC), STDERR_FILENO};
    cr_assert_eq(ftruncate(file, FILE_BYTES), 0);
    seed = 20260101;
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        struct raw_client client;
        raw_connect(&client, daemon_.path);
        if (below(10) != 0)
            cr_assert_gt(raw_version(&client), 0);
        for (unsigned k = 0; k < MESSAGES; k++) {
            send_one(&client, fds);
            drain(&client);
        }
        raw_close(&client);
        if (i % 30 == 29)
            expect_honest_service();
    }
}

Test(fuzz, a_running_queue_with_wild_registers)
{
    seed = 20260102;
    struct raw_client client;
    struct raw_queue queue;
    raw_connect(&client, daemon_.path);
    raw_open_function(&client);
    for (unsigned round = 0; round < 200; round++) {
        raw_queue_setup(&queue, &client, 1 + (uint32_t)below(EPH_MAX_LOG2_DEPTH));
        for (size_t i = 0; i < 64 * EPH_ENTRY_BYTES; i++)
            client.memory[RAW_SQ_OFFSET + i] = (uint8_t)raw_random(&seed);
        for (unsigned k = 0; k < 20; k++) {
            uint32_t base = below(2) ? EPH_DOORBELL_BASE : EPH_QUEUE_REGS_BASE;
            uint32_t value = below(3) ? (uint32_t)below(64) : (uint32_t)interesting();
            raw_post32(&client, base + 4 * (uint32_t)below(base == EPH_DOORBELL_BASE ? 4 : 16), value);
        }
        cr_assert_eq(raw_read32(&client, EPH_REG_MAGIC), (uint32_t)EPH_MAGIC);
        raw_write32(&client, EPH_REG_CTRL, EPH_CTRL_RESET);
    }
    raw_close(&client);
    expect_honest_service();
}

Test(fuzz, a_client_that_sends_half_a_message_and_waits)
{
    struct raw_client slow;
    struct eph_vu_header header = {1, EPH_VU_DEVICE_GET_INFO, 32, EPH_VU_COMMAND, 0};
    raw_connect(&slow, daemon_.path);
    raw_send(&slow, &header, 9, NULL, 0);
    expect_honest_service();
    raw_send(&slow, (uint8_t *)&header + 9, sizeof header - 9, NULL, 0);
    expect_honest_service();
    raw_close(&slow);
}

Test(fuzz, a_client_that_never_reads_its_replies)
{
    struct raw_client deaf;
    raw_connect(&deaf, daemon_.path);
    cr_assert_gt(raw_version(&deaf), 0);
    struct {
        struct eph_vu_header header;
        struct eph_vu_region_access access;
    } request = {{1, EPH_VU_REGION_READ, sizeof request, EPH_VU_COMMAND, 0}, {0, VFIO_PCI_CONFIG_REGION_INDEX, 4096}};
    for (int i = 0; i < 1000; i++)
        (void)send(deaf.fd, &request, sizeof request, MSG_DONTWAIT | MSG_NOSIGNAL);
    expect_honest_service();
    raw_close(&deaf);
}
