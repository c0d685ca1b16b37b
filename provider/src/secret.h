// SPDX-License-Identifier: Apache-2.0
// Scalars, blinds and shared secrets: where they come from and how they go away.
#ifndef EPH_SECRET_H
#define EPH_SECRET_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EPH_X25519_BYTES = 32, EPH_BLIND_BYTES = 32 };

// n clamped X25519 scalars (RFC 7748 section 5) from the private DRBG of libctx (NULL: the default context); many cost
// little more than one. False: no randomness.
bool eph_secret_x25519_scalars(OSSL_LIB_CTX *libctx, uint8_t scalars[][EPH_X25519_BYTES], size_t n);

// CT: only the answer may leak.
bool eph_secret_is_zero(const uint8_t *secret, size_t bytes);

void eph_secret_wipe(void *secret, size_t bytes);

#endif
