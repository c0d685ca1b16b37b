// SPDX-License-Identifier: Apache-2.0
// The two back ends are the same device: every byte of every completion, cycle counts included.
#include "raw_client.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(agreement, .timeout = 170);

struct device {
    struct raw_daemon daemon;
    struct raw_client client;
    struct raw_queue queue;
};

static void device_open(struct device *device, const char *backend, const char *const *arguments)
{
    raw_daemon_start(&device->daemon, backend, arguments);
    raw_connect(&device->client, device->daemon.path);
    raw_open_function(&device->client);
    raw_queue_setup(&device->queue, &device->client, EPH_MAX_LOG2_DEPTH);
}

static void device_close(struct device *device)
{
    raw_close(&device->client);
    cr_assert_eq(raw_daemon_stop(&device->daemon, SIGTERM), 0);
}

// Low-order points of Curve25519, and numbers around p: RFC 7748 section 7 and its unreduced relatives, little-endian.
static void special_peer(struct eph_sqe *sqe, uint32_t i)
{
    static const uint8_t order8[32] = {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
                                       0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
                                       0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00};
    memset(sqe->peer_x, 0, sizeof sqe->peer_x);
    if (i % 4 == 0) {
        sqe->peer_x[0] = (uint8_t)(i / 4 % 2); // 0 and 1
    } else if (i % 4 == 1) {
        memcpy(sqe->peer_x, order8, sizeof order8);
    } else { // p - 1 .. p + 17, with or without bit 255
        memset(sqe->peer_x, 0xff, 32);
        sqe->peer_x[0] = (uint8_t)(0xec + i % 19);
        sqe->peer_x[31] = i % 4 == 2 ? 0x7f : 0xff;
    }
}

enum { REQUESTS = 260 };

static void make_requests(struct eph_sqe sqes[REQUESTS])
{
    for (uint32_t i = 0; i < REQUESTS; i++) {
        sqes[i] = raw_request(i * 2654435761u >> 31 ? EPH_OP_DERIVE : EPH_OP_KEYGEN, i);
        if (i % 11 == 3)
            special_peer(&sqes[i], i / 11);
        if (i % 13 == 5)
            raw_special_scalar(&sqes[i], i / 13);
        if (i % 64 == 60)
            sqes[i].curve = (uint8_t)(i / 64 + 2); // no program for it
    }
}

static void run_on(const char *backend, const char *const *arguments, const struct eph_sqe *sqes, struct eph_cqe *cqes)
{
    struct device device;
    device_open(&device, backend, arguments);
    raw_queue_run(&device.queue, sqes, cqes, REQUESTS);
    device_close(&device);
}

// Index of the first completion that differs, REQUESTS if none does.
static uint32_t first_difference(const struct eph_cqe *a, const struct eph_cqe *b)
{
    uint32_t i = 0;
    while (i < REQUESTS && a[i].status == b[i].status && a[i].cycles == b[i].cycles &&
           a[i].generation == b[i].generation && memcmp(a[i].result, b[i].result, sizeof a->result) == 0)
        i++;
    return i;
}

Test(agreement, rtl_and_model_give_the_same_completions)
{
    static struct eph_sqe sqes[REQUESTS];
    static struct eph_cqe model[REQUESTS], rtl[REQUESTS];
    make_requests(sqes);
    run_on("model", NULL, sqes, model);
    run_on("rtl", NULL, sqes, rtl);
    uint32_t i = first_difference(model, rtl);
    cr_assert_eq(i, (uint32_t)REQUESTS, "request %u: status %u and %u, cycles %u and %u", i, model[i].status,
                 rtl[i].status, model[i].cycles, rtl[i].cycles);
    unsigned good = 0, zero = 0;
    for (i = 0; i < REQUESTS; i++) {
        good += rtl[i].status == EPH_ST_OK;
        zero += rtl[i].status == EPH_ST_ZERO;
    }
    cr_assert_geq(good, 200u);
    cr_assert_gt(zero, 0u, "the low-order points were among them");
}

Test(agreement, one_flipped_bit_is_noticed)
{
    static struct eph_sqe sqes[REQUESTS];
    static struct eph_cqe right[REQUESTS], wrong[REQUESTS];
    make_requests(sqes);
    run_on("model", NULL, sqes, right);
    run_on("model", (const char *const[]){"--faults", "corrupt@101", NULL}, sqes, wrong);
    cr_assert_eq(first_difference(right, right), (uint32_t)REQUESTS);
    cr_assert_lt(first_difference(right, wrong), (uint32_t)REQUESTS);
}
