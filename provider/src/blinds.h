// SPDX-License-Identifier: Apache-2.0
// A stock of projective randomisers: 32 of them from the DRBG cost as much as one. Of one process.
#ifndef EPH_BLINDS_H
#define EPH_BLINDS_H

#include <openssl/types.h>
#include <pthread.h>
#include <stdbool.h>

#include "secret.h"

enum { EPH_BLINDS = 32 };

struct eph_blinds {
    pthread_mutex_t lock;
    unsigned left;                                     // secret[0 .. left - 1] are unused, the others wiped
    uint8_t secret_blind[EPH_BLINDS][EPH_BLIND_BYTES]; // random 255 bits
};

void eph_blinds_init(struct eph_blinds *blinds);
void eph_blinds_fini(struct eph_blinds *blinds, bool ours); // wipes
// A fresh one, not zero, used by nobody else; the caller wipes its copy. False: no randomness. Any thread.
bool eph_blinds_take(struct eph_blinds *blinds, OSSL_LIB_CTX *libctx, uint8_t secret_blind[EPH_BLIND_BYTES]);

#endif
