// SPDX-License-Identifier: Apache-2.0
#include "raw_client.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void pause_ms(void)
{
    (void)nanosleep(&(struct timespec){0, 200000}, NULL);
}

static void write_queue(struct raw_client *client, uint32_t reg, uint32_t value)
{
    raw_write32(client, EPH_QUEUE_REGS_BASE + reg, value);
}

void raw_queue_reopen(struct raw_queue *queue)
{
    struct raw_client *client = queue->client;
    queue->sq_tail = queue->cq_head = 0;
    queue->phase = 1;
    memset(client->memory, 0, RAW_MEMORY_BYTES);
    write_queue(client, EPH_QREG_SQ_BASE_LO, RAW_ADDRESS + RAW_SQ_OFFSET);
    write_queue(client, EPH_QREG_CQ_BASE_LO, RAW_ADDRESS + RAW_CQ_OFFSET);
    write_queue(client, EPH_QREG_SHADOW_BASE_LO, RAW_ADDRESS + RAW_SHADOW_OFFSET);
    write_queue(client, EPH_QREG_LOG2_DEPTH, queue->log2_depth);
    write_queue(client, EPH_QREG_VECTOR, RAW_VECTOR);
    write_queue(client, EPH_QREG_ENABLE, 1);
    cr_assert_eq(raw_read32(client, EPH_QUEUE_REGS_BASE + EPH_QREG_STATE), (uint32_t)EPH_QSTATE_ON);
}

void raw_queue_setup(struct raw_queue *queue, struct raw_client *client, uint32_t log2_depth)
{
    *queue = (struct raw_queue){.client = client,
                                .log2_depth = log2_depth,
                                .sq = (struct eph_sqe *)(void *)(client->memory + RAW_SQ_OFFSET),
                                .cq = (struct eph_cqe *)(void *)(client->memory + RAW_CQ_OFFSET)};
    raw_queue_reopen(queue);
}

static uint32_t next(const struct raw_queue *queue, uint32_t index)
{
    return (index + 1) & ((UINT32_C(1) << queue->log2_depth) - 1);
}

void raw_queue_put(struct raw_queue *queue, const struct eph_sqe *sqe)
{
    queue->sq[queue->sq_tail] = *sqe;
    queue->sq_tail = next(queue, queue->sq_tail);
}

void raw_queue_ring(struct raw_queue *queue)
{
    raw_post32(queue->client, EPH_DOORBELL_BASE + EPH_DB_SQ_TAIL, queue->sq_tail);
}

bool raw_queue_visible(const struct raw_queue *queue)
{
    // Pairs with the device's release store of the entry's last word.
    uint64_t last =
        atomic_load_explicit((_Atomic uint64_t *)(void *)&queue->cq[queue->cq_head].sq_head, memory_order_acquire);
    return (last >> 48 & 1) == queue->phase;
}

bool raw_queue_get(struct raw_queue *queue, struct eph_cqe *cqe, int timeout_ms)
{
    for (uint64_t end = now_ms() + (uint64_t)timeout_ms; !raw_queue_visible(queue); pause_ms())
        if (now_ms() > end)
            return false;
    *cqe = queue->cq[queue->cq_head];
    queue->cq_head = next(queue, queue->cq_head);
    queue->phase ^= queue->cq_head == 0;
    raw_post32(queue->client, EPH_DOORBELL_BASE + EPH_DB_CQ_HEAD, queue->cq_head);
    return true;
}

bool raw_queue_state(struct raw_client *client, uint32_t state)
{
    for (uint64_t end = now_ms() + 60000; now_ms() < end; pause_ms())
        if (raw_read32(client, EPH_QUEUE_REGS_BASE + EPH_QREG_STATE) == state)
            return true;
    return false;
}

uint64_t raw_random(uint64_t *state) // splitmix64
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void fill(uint8_t *bytes, size_t count, uint64_t *state)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)raw_random(state);
}

struct eph_sqe raw_request(enum eph_opcode opcode, uint32_t tag)
{
    struct eph_sqe sqe = {
        .opcode = (uint8_t)opcode, .curve = EPH_CURVE_X25519, .tag = tag, .generation = ~(uint64_t)tag};
    uint64_t state = tag;
    fill(sqe.scalar, EPH_CURVE_BYTES_X25519, &state);
    fill(sqe.blind, sizeof sqe.blind, &state);
    if (opcode == EPH_OP_DERIVE)
        fill(sqe.peer_x, EPH_CURVE_BYTES_X25519, &state);
    return sqe;
}

// RFC 7748 section 5.2, first test vector
static const uint8_t rfc7748_scalar[] = {0xa5, 0x46, 0xe3, 0x6b, 0xf0, 0x52, 0x7c, 0x9d, 0x3b, 0x16, 0x15,
                                         0x4b, 0x82, 0x46, 0x5e, 0xdd, 0x62, 0x14, 0x4c, 0x0a, 0xc1, 0xfc,
                                         0x5a, 0x18, 0x50, 0x6a, 0x22, 0x44, 0xba, 0x44, 0x9a, 0xc4};
static const uint8_t rfc7748_peer[] = {0xe6, 0xdb, 0x68, 0x67, 0x58, 0x30, 0x30, 0xdb, 0x35, 0x94, 0xc1,
                                       0xa4, 0x24, 0xb1, 0x5f, 0x7c, 0x72, 0x66, 0x24, 0xec, 0x26, 0xb3,
                                       0x35, 0x3b, 0x10, 0xa9, 0x03, 0xa6, 0xd0, 0xab, 0x1c, 0x4c};
const uint8_t raw_rfc7748_u[] = {0xc3, 0xda, 0x55, 0x37, 0x9d, 0xe9, 0xc6, 0x90, 0x8e, 0x94, 0xea,
                                 0x4d, 0xf2, 0x8d, 0x08, 0x4f, 0x32, 0xec, 0xcf, 0x03, 0x49, 0x1c,
                                 0x71, 0xf7, 0x54, 0xb4, 0x07, 0x55, 0x77, 0xa2, 0x85, 0x52};

struct eph_sqe raw_rfc7748(uint32_t tag)
{
    struct eph_sqe sqe = raw_request(EPH_OP_DERIVE, tag); // for its blind
    memcpy(sqe.scalar, rfc7748_scalar, sizeof rfc7748_scalar);
    memcpy(sqe.peer_x, rfc7748_peer, sizeof rfc7748_peer);
    return sqe;
}

void raw_special_scalar(struct eph_sqe *sqe, uint32_t i)
{
    memset(sqe->scalar, i % 3 == 0 ? 0x00 : 0xff, sizeof sqe->scalar);
    if (i % 3 == 2) {
        memset(sqe->scalar, 0, sizeof sqe->scalar);
        sqe->scalar[i % 32] = (uint8_t)(1u << i % 8);
    }
}

void raw_queue_run(struct raw_queue *queue, const struct eph_sqe *sqes, struct eph_cqe *cqes, uint32_t n)
{
    enum { BATCH = 60, ANSWER_MS = 60000 };
    cr_assert_eq(queue->log2_depth, (uint32_t)EPH_MAX_LOG2_DEPTH);
    for (uint32_t first = 0; first < n; first += BATCH) {
        uint32_t count = n - first < BATCH ? n - first : BATCH;
        for (uint32_t i = 0; i < count; i++)
            raw_queue_put(queue, &sqes[first + i]);
        raw_queue_ring(queue);
        for (uint32_t i = 0; i < count; i++) {
            struct eph_cqe cqe;
            cr_assert(raw_queue_get(queue, &cqe, ANSWER_MS), "request %u of %u", first + i, n);
            cr_assert_lt(cqe.tag, n);
            cqes[cqe.tag] = cqe;
        }
    }
}
