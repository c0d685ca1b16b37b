// SPDX-License-Identifier: Apache-2.0
#include "secret.h"

#include <openssl/rand.h>
#include <string.h>

bool eph_secret_x25519_scalars(OSSL_LIB_CTX *libctx, uint8_t scalars[][EPH_X25519_BYTES], size_t n)
{
    if (RAND_priv_bytes_ex(libctx, scalars[0], n * EPH_X25519_BYTES, 0) <= 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        scalars[i][0] &= 248;
        scalars[i][31] &= 127;
        scalars[i][31] |= 64;
    }
    return true;
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
    explicit_bzero(secret, bytes); // OPENSSL_cleanse writes eight bytes at a time
}
