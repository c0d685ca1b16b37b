// SPDX-License-Identifier: Apache-2.0
// Scalars, blinds and shared secrets: where they come from and how they go away.
#ifndef EPH_SECRET_H
#define EPH_SECRET_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EPH_X25519_BYTES = 32, EPH_BLIND_BYTES = 32 };

// A clamped X25519 scalar (RFC 7748 section 5) from the private DRBG of libctx (NULL: the default context). False: no
// randomness.
bool eph_secret_x25519_scalar(OSSL_LIB_CTX *libctx, uint8_t scalar[EPH_X25519_BYTES]);

// A projective randomiser for the device: random, not zero modulo 2^255, to which the device cuts it. False: no
// randomness.
bool eph_secret_blind(OSSL_LIB_CTX *libctx, uint8_t blind[EPH_BLIND_BYTES]);

// CT: only the answer may leak.
bool eph_secret_is_zero(const uint8_t *secret, size_t bytes);

void eph_secret_wipe(void *secret, size_t bytes);

#endif
