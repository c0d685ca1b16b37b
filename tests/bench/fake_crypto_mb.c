// SPDX-License-Identifier: Apache-2.0
// Stands in for Intel's library where it is not installed: the same names, no arithmetic. FAKE_CRYPTO_MB=refuse makes
// it say that the CPU is not good enough, FAKE_CRYPTO_MB=fail makes each operation fail.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

static int mode_is(const char *mode)
{
    const char *wanted = getenv("FAKE_CRYPTO_MB");
    return wanted && strcmp(wanted, mode) == 0;
}

EXPORTED int mbx_is_crypto_mb_applicable(uint64_t features);
int mbx_is_crypto_mb_applicable(uint64_t features)
{
    return features == 0 && !mode_is("refuse");
}

#define FUNCTION(name)                                                                                                 \
    EXPORTED uint32_t name(void *out);                                                                                 \
    uint32_t name(void *out)                                                                                           \
    {                                                                                                                  \
        return out == NULL || mode_is("fail");                                                                         \
    }
FUNCTION(mbx_x25519_public_key_mb8)
FUNCTION(mbx_x25519_mb8)
FUNCTION(mbx_nistp256_ecpublic_key_mb8)
FUNCTION(mbx_nistp256_ecdh_mb8)
FUNCTION(mbx_nistp384_ecpublic_key_mb8)
FUNCTION(mbx_nistp384_ecdh_mb8)
FUNCTION(mbx_nistp521_ecpublic_key_mb8)
FUNCTION(mbx_nistp521_ecdh_mb8)
