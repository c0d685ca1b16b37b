// SPDX-License-Identifier: Apache-2.0
// Wycheproof vectors (tests/vectors/wycheproof, see SOURCE there).
#ifndef EPH_WYCHEPROOF_H
#define EPH_WYCHEPROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct eph_x25519_vector {
    unsigned id; // tcId
    uint8_t scalar[32];
    uint8_t peer[32];
    uint8_t shared[32];
    bool zero_shared; // low-order peer: an implementation must refuse it
};

enum { EPH_X25519_VECTORS = 518 };

// All vectors of x25519_test.json into a heap array; the caller frees it. Their number, or 0 after a message to stderr:
// unreadable file, malformed entry, or another number than EPH_X25519_VECTORS.
size_t eph_wycheproof_x25519(struct eph_x25519_vector **vectors);

enum eph_wycheproof_result { EPH_WYCHEPROOF_VALID, EPH_WYCHEPROOF_ACCEPTABLE, EPH_WYCHEPROOF_INVALID };

struct eph_p256_vector {
    unsigned id;        // tcId
    uint8_t scalar[32]; // big-endian
    uint8_t peer[65];   // an encoded point, or what pretends to be one
    size_t peer_bytes;
    uint8_t shared[32];
    enum eph_wycheproof_result result;
};

enum { EPH_P256_VECTORS = 355 };

// Likewise, ecdh_secp256r1_ecpoint_test.json.
size_t eph_wycheproof_p256(struct eph_p256_vector **vectors);

#ifdef __cplusplus
}
#endif

#endif
