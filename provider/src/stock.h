// SPDX-License-Identifier: Apache-2.0
// Random numbers drawn ahead: 32 of them from the DRBG cost little more than one. Of one process; in one page that is
// locked, not dumped, and wiped by fork, so that a child finds an empty stock. Each number is given once and wiped;
// none is older than a minute. Where memory can not be locked there is no stock, and each call draws for itself.
#ifndef EPH_STOCK_H
#define EPH_STOCK_H

#include <openssl/types.h>
#include <pthread.h>
#include <stdbool.h>

#include "secret.h"

enum { EPH_STOCK_BLINDS = 32, EPH_STOCK_SCALARS = 16 };

struct eph_stock_page {                       // all zero: empty
    uint64_t blinds_made_ns, scalars_made_ns; // CLOCK_MONOTONIC
    unsigned blinds, scalars;                 // the first so many are unused, the others wiped
    uint8_t secret_blind[EPH_STOCK_BLINDS][EPH_BLIND_BYTES];
    uint8_t secret_scalar[EPH_STOCK_SCALARS][EPH_X25519_BYTES];
};

struct eph_stock {
    pthread_mutex_t lock;
    struct eph_stock_page *page; // owned; NULL: no stock
};

void eph_stock_init(struct eph_stock *stock);
void eph_stock_fini(struct eph_stock *stock, bool ours); // wipes

// A projective randomiser for the device: random, not zero modulo 2^255, to which the device cuts it. The caller wipes
// its copy. False: no randomness. libctx NULL: the default context. Any thread.
bool eph_stock_blind(struct eph_stock *stock, OSSL_LIB_CTX *libctx, uint8_t secret_blind[EPH_BLIND_BYTES]);
// A clamped scalar, as eph_secret_x25519_scalars.
bool eph_stock_scalar(struct eph_stock *stock, OSSL_LIB_CTX *libctx, uint8_t secret_scalar[EPH_X25519_BYTES]);

#endif
