// SPDX-License-Identifier: Apache-2.0
// What the microcode tests share: requests to the model, a seeded generator, big-number arithmetic modulo a prime.
#ifndef UCODE_RIG_H
#define UCODE_RIG_H

#include <openssl/bn.h>
#include <stdint.h>
#include <ucode_model.h>

enum { RIG_CONTEXTS = 64 };

// Pseudo-random bytes from a fixed seed, the same in each run.
void rig_random(uint8_t *bytes, size_t count);
void rig_hex(uint8_t bytes[32], const char *hex);
void rig_reverse(uint8_t out[32], const uint8_t in[32]);

// One request with a random blind; peer is NULL for a key generation.
struct eph_cqe rig_request(enum eph_opcode opcode, const uint8_t scalar[32], const uint8_t peer[32]);
// X25519 by OpenSSL. peer NULL: the base point. Returns 0 when it refuses (all-zero result).
int rig_openssl_x25519(uint8_t out[32], const uint8_t scalar[32], const uint8_t peer[32]);

// Numbers modulo a prime, in a frame of a BN_CTX: all results live until rig_close.
struct rig_field {
    BN_CTX *context;
    BIGNUM *prime;
};
void rig_open(struct rig_field *field, const char *prime_hex);
void rig_close(struct rig_field *field);
BIGNUM *rig_bytes(struct rig_field *field, const uint8_t bytes[32]); // little-endian, reduced
BIGNUM *rig_small(struct rig_field *field, uint64_t value);
BIGNUM *rig_add(struct rig_field *field, const BIGNUM *a, const BIGNUM *b);
BIGNUM *rig_sub(struct rig_field *field, const BIGNUM *a, const BIGNUM *b);
BIGNUM *rig_mul(struct rig_field *field, const BIGNUM *a, const BIGNUM *b);
BIGNUM *rig_div(struct rig_field *field, const BIGNUM *a, const BIGNUM *b);

extern const char rig_prime_25519[];

#endif
