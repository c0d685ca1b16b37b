// SPDX-License-Identifier: Apache-2.0
#include "stock.h"
#include "clock.h"

#include <openssl/rand.h>
#include <string.h>
#include <sys/mman.h>

#define MAX_AGE_NS UINT64_C(60000000000)

static struct eph_stock_page *map_page(void)
{
    const size_t bytes = sizeof(struct eph_stock_page);
    void *page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return NULL;
    if (madvise(page, bytes, MADV_WIPEONFORK) == 0 && madvise(page, bytes, MADV_DONTDUMP) == 0 &&
        mlock(page, bytes) == 0)
        return page;
    munmap(page, bytes);
    return NULL;
}

void eph_stock_init(struct eph_stock *stock)
{
    pthread_mutex_init(&stock->lock, NULL);
    stock->page = map_page();
}

void eph_stock_fini(struct eph_stock *stock, bool ours)
{
    if (stock->page != NULL) {
        eph_secret_wipe(stock->page, sizeof *stock->page);
        munmap(stock->page, sizeof *stock->page);
    }
    stock->page = NULL;
    if (ours) // else a thread of the parent may have held it at the fork
        pthread_mutex_destroy(&stock->lock);
}

// ---- with the lock held, and a page

static bool too_old(uint64_t made_ns)
{
    return eph_clock_ns(CLOCK_MONOTONIC_COARSE) - made_ns > MAX_AGE_NS;
}

static void take(uint8_t *secret_taken, uint8_t *secret_stock, size_t bytes)
{
    memcpy(secret_taken, secret_stock, bytes);
    eph_secret_wipe(secret_stock, bytes);
}

static bool take_blind(struct eph_stock_page *page, OSSL_LIB_CTX *libctx, uint8_t secret_blind[EPH_BLIND_BYTES])
{
    if (page->blinds == 0 || too_old(page->blinds_made_ns)) {
        if (RAND_bytes_ex(libctx, page->secret_blind[0], sizeof page->secret_blind, 0) <= 0)
            return false;
        page->blinds = EPH_STOCK_BLINDS;
        page->blinds_made_ns = eph_clock_ns(CLOCK_MONOTONIC_COARSE);
    }
    take(secret_blind, page->secret_blind[--page->blinds], EPH_BLIND_BYTES);
    return true;
}

static bool take_scalar(struct eph_stock_page *page, OSSL_LIB_CTX *libctx, uint8_t secret_scalar[EPH_X25519_BYTES])
{
    if (page->scalars == 0 || too_old(page->scalars_made_ns)) {
        if (!eph_secret_x25519_scalars(libctx, page->secret_scalar, EPH_STOCK_SCALARS))
            return false;
        page->scalars = EPH_STOCK_SCALARS;
        page->scalars_made_ns = eph_clock_ns(CLOCK_MONOTONIC_COARSE);
    }
    take(secret_scalar, page->secret_scalar[--page->scalars], EPH_X25519_BYTES);
    return true;
}

// ---- public

static bool draw_blind(struct eph_stock *stock, OSSL_LIB_CTX *libctx, uint8_t secret_blind[EPH_BLIND_BYTES])
{
    if (stock->page == NULL)
        return RAND_bytes_ex(libctx, secret_blind, EPH_BLIND_BYTES, 0) > 0;
    pthread_mutex_lock(&stock->lock);
    bool drawn = take_blind(stock->page, libctx, secret_blind);
    pthread_mutex_unlock(&stock->lock);
    return drawn;
}

bool eph_stock_blind(struct eph_stock *stock, OSSL_LIB_CTX *libctx, uint8_t secret_blind[EPH_BLIND_BYTES])
{
    // A zero has probability 2^-255: the second one means that the DRBG is broken, and then this must not hang.
    for (int attempt = 0; attempt < 2; attempt++) {
        if (!draw_blind(stock, libctx, secret_blind))
            return false;
        secret_blind[EPH_BLIND_BYTES - 1] &= 127;
        if (!eph_secret_is_zero(secret_blind, EPH_BLIND_BYTES))
            return true;
    }
    return false;
}

bool eph_stock_scalar(struct eph_stock *stock, OSSL_LIB_CTX *libctx, uint8_t secret_scalar[EPH_X25519_BYTES])
{
    if (stock->page == NULL) {
        uint8_t(*one)[EPH_X25519_BYTES] = (uint8_t(*)[EPH_X25519_BYTES])secret_scalar;
        return eph_secret_x25519_scalars(libctx, one, 1);
    }
    pthread_mutex_lock(&stock->lock);
    bool drawn = take_scalar(stock->page, libctx, secret_scalar);
    pthread_mutex_unlock(&stock->lock);
    return drawn;
}
