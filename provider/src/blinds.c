// SPDX-License-Identifier: Apache-2.0
#include "blinds.h"

#include <openssl/rand.h>
#include <string.h>

void eph_blinds_init(struct eph_blinds *blinds)
{
    pthread_mutex_init(&blinds->lock, NULL);
}

void eph_blinds_fini(struct eph_blinds *blinds, bool ours)
{
    eph_secret_wipe(blinds->secret_blind, sizeof blinds->secret_blind);
    blinds->left = 0;
    if (ours) // else a thread of the parent may have held it at the fork
        pthread_mutex_destroy(&blinds->lock);
}

static bool refill(struct eph_blinds *blinds, OSSL_LIB_CTX *libctx)
{
    if (RAND_bytes_ex(libctx, blinds->secret_blind[0], sizeof blinds->secret_blind, 0) <= 0)
        return false;
    blinds->left = EPH_BLINDS;
    return true;
}

bool eph_blinds_take(struct eph_blinds *blinds, OSSL_LIB_CTX *libctx, uint8_t secret_blind[EPH_BLIND_BYTES])
{
    bool good = false;
    pthread_mutex_lock(&blinds->lock);
    // A zero has probability 2^-255: the second one means that the DRBG is broken, and then this must not hang.
    for (int attempt = 0; attempt < 2 && !good; attempt++) {
        if (blinds->left == 0 && !refill(blinds, libctx))
            break;
        uint8_t *taken = blinds->secret_blind[--blinds->left];
        memcpy(secret_blind, taken, EPH_BLIND_BYTES);
        eph_secret_wipe(taken, EPH_BLIND_BYTES);
        secret_blind[EPH_BLIND_BYTES - 1] &= 127; // the device cuts it to 255 bits
        good = !eph_secret_is_zero(secret_blind, EPH_BLIND_BYTES);
    }
    pthread_mutex_unlock(&blinds->lock);
    return good;
}
