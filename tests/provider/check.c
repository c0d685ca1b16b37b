// SPDX-License-Identifier: Apache-2.0
// The checks of device results themselves: everything that a device answers rightly passes, every flipped bit is found.
#include "check.h"

#include <criterion/criterion.h>
#include <ephemera/ephemera.h>
#include <string.h>
#include <sys/random.h>

static struct eph_device *device;
static struct eph_queue *queue;

static void setup(void)
{
    cr_assert_eq(eph_device_open(&device, "sim:model", NULL), EPH_OK);
    cr_assert_eq(eph_queue_open(device, &queue), EPH_OK);
}

static void teardown(void)
{
    eph_queue_close(queue);
    eph_device_close(device);
}

TestSuite(check, .init = setup, .fini = teardown, .timeout = 60);

static void random_bytes(uint8_t *bytes, size_t n)
{
    cr_assert_eq(getrandom(bytes, n, 0), (ssize_t)n);
}

// peer NULL: a key generation.
static struct eph_completion ask(const uint8_t *peer)
{
    uint8_t scalar[32], blind[32];
    struct eph_completion completion;
    random_bytes(scalar, 32);
    random_bytes(blind, 32);
    struct eph_request request = {.opcode = peer ? EPH_OP_DERIVE : EPH_OP_KEYGEN,
                                  .curve = EPH_CURVE_X25519,
                                  .scalar = scalar,
                                  .peer_x = peer,
                                  .blind = blind};
    cr_assert_eq(eph_exchange(queue, &request, &completion), EPH_OK);
    return completion;
}

Test(check, right_answers_pass)
{
    for (int i = 0; i < 100; i++) {
        uint8_t peer[32];
        random_bytes(peer, 32); // half of them on the twist, half with bit 255
        struct eph_completion derived = ask(peer), generated = ask(NULL);
        cr_assert_eq(derived.wire_status, EPH_ST_OK);
        cr_assert_eq(generated.wire_status, EPH_ST_OK);
        cr_assert(eph_check_x25519_derive(derived.result, peer));
        cr_assert(eph_check_x25519_keygen(generated.result));
    }
}

Test(check, every_flipped_bit_is_found)
{
    uint8_t peer[32];
    random_bytes(peer, 32);
    struct eph_completion derived = ask(peer), generated = ask(NULL);
    for (unsigned bit = 0; bit < 128 * 8; bit++) {
        // Z2 is only the denominator of u, which the device has divided by; any non-zero value is one.
        bool matters = bit / 256 != 1 && (bit % 256 != 255 || bit < 256);
        derived.result[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_assert_neq(eph_check_x25519_derive(derived.result, peer), matters, "derive, bit %u", bit);
        derived.result[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (unsigned bit = 0; bit < 160 * 8; bit++) {
        bool matters = bit % 256 != 255 || bit < 256; // bit 255 of a coordinate is not part of it
        generated.result[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_assert_neq(eph_check_x25519_keygen(generated.result), matters, "keygen, bit %u", bit);
        generated.result[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

Test(check, zeros_never_pass)
{
    static const uint8_t zeros[160];
    uint8_t peer[32];
    random_bytes(peer, 32);
    struct eph_completion derived = ask(peer), generated = ask(NULL);
    cr_assert(!eph_check_x25519_derive(zeros, peer));
    cr_assert(!eph_check_x25519_keygen(zeros));
    memset(derived.result + 32, 0, 32); // Z2 = 0
    cr_assert(!eph_check_x25519_derive(derived.result, peer));
    derived = ask(peer);
    memset(derived.result + 64, 0, 64); // X3 = Z3 = 0 satisfies the equation for any u
    cr_assert(!eph_check_x25519_derive(derived.result, peer));
    memset(generated.result + 96, 0, 32); // Z = 0
    cr_assert(!eph_check_x25519_keygen(generated.result));
}

Test(check, answer_of_another_request_is_found)
{
    uint8_t peer[32], other[32];
    random_bytes(peer, 32);
    random_bytes(other, 32);
    struct eph_completion derived = ask(other);
    cr_assert(!eph_check_x25519_derive(derived.result, peer));
}

// u and u + p are the same element; only the smaller is what software would give.
Test(check, u_must_be_canonical)
{
    uint8_t identity_like[160] = {0}, p_plus_two[32];
    memset(p_plus_two, 0xff, 32);
    p_plus_two[0] = 0xef; // p + 2
    p_plus_two[31] = 0x7f;
    // A point with u = 2 does not exist on the curve, so build the relation on the derive side: x1 = x2 = 2, X3/Z3 any
    // root. (x1^2 + 1) 2 x1 + 2 A x1^2 = c, (x1^2 - 1)^2 = b: X3 = b, Z3 = 2 c.
    uint64_t c = 2 * ((4 + 1) * 4 + 2 * UINT64_C(486662) * 4), b = 9;
    uint8_t result[128] = {2};
    result[32] = 1;
    result[64] = (uint8_t)b;
    for (int i = 0; i < 8; i++)
        result[96 + i] = (uint8_t)(c >> (8 * i));
    uint8_t two[32] = {2};
    cr_assert(eph_check_x25519_derive(result, two));
    memcpy(result, p_plus_two, 32);
    cr_assert(!eph_check_x25519_derive(result, two));
    cr_assert(!eph_check_x25519_keygen(identity_like));
}

Test(check, low_order_points_are_those_that_the_device_refuses)
{
    static const uint8_t order8[32] = {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
                                       0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
                                       0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00};
    uint8_t u[32] = {0};
    cr_assert(eph_check_x25519_low_order(u));
    u[0] = 1;
    cr_assert(eph_check_x25519_low_order(u));
    cr_assert(eph_check_x25519_low_order(order8));
    cr_assert_eq(ask(order8).wire_status, EPH_ST_ZERO);
    for (unsigned small = 2; small < 200; small++) {
        u[0] = (uint8_t)small;
        cr_assert(!eph_check_x25519_low_order(u), "u = %u", small);
        cr_assert_eq(ask(u).wire_status, EPH_ST_OK);
    }
}
