// SPDX-License-Identifier: Apache-2.0
#include "secret.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

bool eph_secret_x25519_scalar(OSSL_LIB_CTX *libctx, uint8_t scalar[EPH_X25519_BYTES])
{
    if (RAND_priv_bytes_ex(libctx, scalar, EPH_X25519_BYTES, 0) <= 0)
        return false;
    scalar[0] &= 248;
    scalar[31] &= 127;
    scalar[31] |= 64;
    return true;
}

bool eph_secret_blind(OSSL_LIB_CTX *libctx, uint8_t blind[EPH_BLIND_BYTES])
{
    // A zero has probability 2^-255: the loop ends unless the DRBG is broken, and then it must not hang.
    for (int attempt = 0; attempt < 4; attempt++) {
        if (RAND_bytes_ex(libctx, blind, EPH_BLIND_BYTES, 0) <= 0)
            return false;
        blind[31] &= 127;
        if (!eph_secret_is_zero(blind, EPH_BLIND_BYTES))
            return true;
    }
    return false;
}

bool eph_secret_is_zero(const uint8_t *secret, size_t bytes)
{
    unsigned any = 0;
    for (size_t i = 0; i < bytes; i++)
        any |= secret[i];
    return any == 0;
}

void eph_secret_wipe(void *secret, size_t bytes)
{
    OPENSSL_cleanse(secret, bytes);
}
