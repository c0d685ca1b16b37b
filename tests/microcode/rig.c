// SPDX-License-Identifier: Apache-2.0
#include "rig.h"
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

const char rig_prime_25519[] = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed";

void rig_random(uint8_t *bytes, size_t count)
{
    static uint64_t state = 0x9e3779b97f4a7c15; // xorshift64*
    for (size_t i = 0; i < count; i++) {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        bytes[i] = (uint8_t)((state * 0x2545f4914f6cdd1d) >> 56);
    }
}

void rig_hex(uint8_t bytes[32], const char *hex)
{
    cr_assert_eq(strlen(hex), 64);
    for (int i = 0; i < 32; i++) {
        unsigned value;
        cr_assert_eq(sscanf(hex + 2 * i, "%2x", &value), 1);
        bytes[i] = (uint8_t)value;
    }
}

void rig_reverse(uint8_t out[32], const uint8_t in[32])
{
    for (int i = 0; i < 32; i++)
        out[i] = in[31 - i];
}

struct eph_cqe rig_request(enum eph_opcode opcode, const uint8_t scalar[32], const uint8_t peer[32])
{
    struct eph_sqe sqe = {
        .opcode = (uint8_t)opcode, .curve = EPH_CURVE_X25519, .tag = 0x12345678, .generation = 0xabcdef};
    struct eph_cqe cqe;
    memcpy(sqe.scalar, scalar, 32);
    if (peer)
        memcpy(sqe.peer_x, peer, 32);
    rig_random(sqe.blind, sizeof sqe.blind);
    eph_model_execute(RIG_CONTEXTS, &sqe, &cqe);
    cr_assert(cqe.tag == sqe.tag && cqe.generation == sqe.generation && !cqe.sq_head && !cqe.qid && !cqe.phase);
    return cqe;
}

int rig_openssl_x25519(uint8_t out[32], const uint8_t scalar[32], const uint8_t peer[32])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, scalar, 32);
    size_t length = 32;
    cr_assert_not_null(key);
    if (!peer) {
        cr_assert_eq(EVP_PKEY_get_raw_public_key(key, out, &length), 1);
        EVP_PKEY_free(key);
        return 1;
    }
    EVP_PKEY *other = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, peer, 32);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    cr_assert(other && context && EVP_PKEY_derive_init(context) == 1 && EVP_PKEY_derive_set_peer(context, other) == 1);
    int done = EVP_PKEY_derive(context, out, &length) == 1;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(other);
    EVP_PKEY_free(key);
    return done;
}

void rig_open(struct rig_field *field, const char *prime_hex)
{
    field->context = BN_CTX_new();
    cr_assert_not_null(field->context);
    BN_CTX_start(field->context);
    field->prime = BN_CTX_get(field->context);
    cr_assert_not_null(field->prime);
    cr_assert_gt(BN_hex2bn(&field->prime, prime_hex), 0);
}

void rig_close(struct rig_field *field)
{
    BN_CTX_end(field->context);
    BN_CTX_free(field->context);
}

static BIGNUM *fresh(struct rig_field *field)
{
    BIGNUM *number = BN_CTX_get(field->context);
    cr_assert_not_null(number);
    return number;
}

BIGNUM *rig_bytes(struct rig_field *field, const uint8_t bytes[32])
{
    BIGNUM *number = fresh(field);
    cr_assert(BN_lebin2bn(bytes, 32, number) && BN_nnmod(number, number, field->prime, field->context));
    return number;
}

BIGNUM *rig_small(struct rig_field *field, uint64_t value)
{
    BIGNUM *number = fresh(field);
    cr_assert(BN_set_word(number, value));
    return number;
}

BIGNUM *rig_add(struct rig_field *field, const BIGNUM *a, const BIGNUM *b)
{
    BIGNUM *number = fresh(field);
    cr_assert(BN_mod_add(number, a, b, field->prime, field->context));
    return number;
}

BIGNUM *rig_sub(struct rig_field *field, const BIGNUM *a, const BIGNUM *b)
{
    BIGNUM *number = fresh(field);
    cr_assert(BN_mod_sub(number, a, b, field->prime, field->context));
    return number;
}

BIGNUM *rig_mul(struct rig_field *field, const BIGNUM *a, const BIGNUM *b)
{
    BIGNUM *number = fresh(field);
    cr_assert(BN_mod_mul(number, a, b, field->prime, field->context));
    return number;
}

BIGNUM *rig_div(struct rig_field *field, const BIGNUM *a, const BIGNUM *b)
{
    BIGNUM *number = fresh(field);
    cr_assert(BN_mod_inverse(number, b, field->prime, field->context) &&
              BN_mod_mul(number, a, number, field->prime, field->context));
    return number;
}
