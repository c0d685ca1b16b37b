// SPDX-License-Identifier: Apache-2.0
// Known answers through registers, rings and DMA, and the rule that time tells nothing about a scalar.
#include "raw_client.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <wycheproof.h>

static struct raw_daemon daemon_;
static struct raw_client client;
static struct raw_queue queue;

static void start(void)
{
    raw_daemon_start(&daemon_, raw_backend(), NULL);
    raw_connect(&client, daemon_.path);
    raw_open_function(&client);
    raw_queue_setup(&queue, &client, EPH_MAX_LOG2_DEPTH);
}

static void stop(void)
{
    raw_close(&client);
    cr_assert_eq(raw_daemon_stop(&daemon_, SIGTERM), 0);
}

TestSuite(vectors, .init = start, .fini = stop, .timeout = 170);

static bool on_rtl(void)
{
    return strcmp(raw_backend(), "rtl") == 0;
}

// RFC 7748 section 5.2: k and u start as 9; k, u := X25519(k, u), k.
static void iterate(unsigned rounds, uint8_t k[32])
{
    uint8_t u[32] = {9};
    memset(k, 0, 32);
    k[0] = 9;
    for (unsigned i = 0; i < rounds; i++) {
        struct eph_sqe sqe = raw_request(EPH_OP_DERIVE, 0);
        struct eph_cqe cqe;
        memcpy(sqe.scalar, k, 32);
        memcpy(sqe.peer_x, u, 32);
        raw_queue_run(&queue, &sqe, &cqe, 1);
        cr_assert_eq(cqe.status, EPH_ST_OK);
        memcpy(u, k, 32);
        memcpy(k, cqe.result, 32);
    }
}

Test(vectors, rfc_7748_iterations)
{
    static const uint8_t after_1[32] = {0x42, 0x2c, 0x8e, 0x7a, 0x62, 0x27, 0xd7, 0xbc, 0xa1, 0x35, 0x0b,
                                        0x3e, 0x2b, 0xb7, 0x27, 0x9f, 0x78, 0x97, 0xb8, 0x7b, 0xb6, 0x85,
                                        0x4b, 0x78, 0x3c, 0x60, 0xe8, 0x03, 0x11, 0xae, 0x30, 0x79};
    static const uint8_t after_1000[32] = {0x68, 0x4c, 0xf5, 0x9b, 0xa8, 0x33, 0x09, 0x55, 0x28, 0x00, 0xef,
                                           0x56, 0x6f, 0x2f, 0x4d, 0x3c, 0x1c, 0x38, 0x87, 0xc4, 0x93, 0x60,
                                           0xe3, 0x87, 0x5f, 0x2e, 0xb9, 0x4d, 0x99, 0x53, 0x2c, 0x51};
    uint8_t k[32];
    iterate(1, k);
    cr_assert_eq(memcmp(k, after_1, sizeof k), 0);
    if (!on_rtl()) {
        iterate(1000, k);
        cr_assert_eq(memcmp(k, after_1000, sizeof k), 0);
    }
}

Test(vectors, a_keygen_is_a_derive_from_the_base_point)
{
    enum { PAIRS = 30 };
    static struct eph_sqe sqes[2 * PAIRS];
    static struct eph_cqe cqes[2 * PAIRS];
    for (uint32_t i = 0; i < PAIRS; i++) {
        sqes[2 * i] = raw_request(EPH_OP_KEYGEN, 2 * i);
        if (i % 3 == 1)
            raw_special_scalar(&sqes[2 * i], i / 3);
        sqes[2 * i + 1] = raw_request(EPH_OP_DERIVE, 2 * i + 1);
        memcpy(sqes[2 * i + 1].scalar, sqes[2 * i].scalar, sizeof sqes->scalar);
        memset(sqes[2 * i + 1].peer_x, 0, sizeof sqes->peer_x);
        sqes[2 * i + 1].peer_x[0] = 9;
    }
    raw_queue_run(&queue, sqes, cqes, 2 * PAIRS);
    for (uint32_t i = 0; i < PAIRS; i++) {
        cr_assert_eq(cqes[2 * i].status, EPH_ST_OK);
        cr_assert_eq(memcmp(cqes[2 * i].result, cqes[2 * i + 1].result, EPH_CURVE_BYTES_X25519), 0, "pair %u", i);
    }
}

static void expect_constant_cycles(enum eph_opcode opcode)
{
    enum { MOST = 1020 };
    static struct eph_sqe sqes[MOST];
    static struct eph_cqe cqes[MOST];
    uint32_t scalars = on_rtl() ? 120 : MOST;
    for (uint32_t i = 0; i < scalars; i++) {
        sqes[i] = raw_request(opcode, i);
        if (i % 3 == 0)
            raw_special_scalar(&sqes[i], i / 3);
    }
    raw_queue_run(&queue, sqes, cqes, scalars);
    for (uint32_t i = 0; i < scalars; i++) {
        cr_assert_eq(cqes[i].status, EPH_ST_OK);
        cr_assert_eq(cqes[i].cycles, cqes[0].cycles, "scalar %u: %u cycles, the first took %u", i, cqes[i].cycles,
                     cqes[0].cycles);
    }
}

Test(vectors, cycles_of_a_derive_do_not_depend_on_the_scalar)
{
    expect_constant_cycles(EPH_OP_DERIVE);
}

Test(vectors, cycles_of_a_keygen_do_not_depend_on_the_scalar)
{
    expect_constant_cycles(EPH_OP_KEYGEN);
}

Test(vectors, all_wycheproof_x25519)
{
    static struct eph_sqe sqes[EPH_X25519_VECTORS];
    static struct eph_cqe cqes[EPH_X25519_VECTORS];
    struct eph_x25519_vector *all;
    cr_assert_eq(eph_wycheproof_x25519(&all), (size_t)EPH_X25519_VECTORS);
    for (uint32_t i = 0; i < EPH_X25519_VECTORS; i++) {
        sqes[i] = raw_request(EPH_OP_DERIVE, i);
        memcpy(sqes[i].scalar, all[i].scalar, sizeof all[i].scalar);
        memcpy(sqes[i].peer_x, all[i].peer, sizeof all[i].peer);
    }
    raw_queue_run(&queue, sqes, cqes, EPH_X25519_VECTORS);
    for (uint32_t i = 0; i < EPH_X25519_VECTORS; i++) {
        cr_assert_eq(cqes[i].status, all[i].zero_shared ? EPH_ST_ZERO : EPH_ST_OK, "tcId %u: status %u", all[i].id,
                     cqes[i].status);
        cr_assert_eq(memcmp(cqes[i].result, all[i].shared, sizeof all[i].shared), 0, "tcId %u: wrong result",
                     all[i].id);
    }
    free(all);
}
