// SPDX-License-Identifier: Apache-2.0
// Intel crypto_mb, the best SIMD software known for this work, when it is installed (Debian: libcrypto-mb12). No
// headers of it are needed: its interface is eight pointers to each operand (crypto_mb documentation, mbx_x25519 and
// mbx_nistp256-384-521).
#include "clock.h"
#include "operation.h"
#include "stop.h"

#include <openssl/rand.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LANES = 8, MAX_WORDS = 9 };

typedef uint32_t x25519_public_fn(uint8_t *shared_or_public[LANES], const uint8_t *const scalar[LANES]);
typedef uint32_t x25519_shared_fn(uint8_t *shared[LANES], const uint8_t *const scalar[LANES],
                                  const uint8_t *const peer[LANES]);
typedef uint32_t nist_public_fn(uint64_t *x[LANES], uint64_t *y[LANES], uint64_t *z[LANES],
                                const uint64_t *const scalar[LANES], uint8_t *buffer);
typedef uint32_t nist_shared_fn(uint8_t *shared[LANES], const uint64_t *const scalar[LANES],
                                const uint64_t *const x[LANES], const uint64_t *const y[LANES],
                                const uint64_t *const z[LANES], uint8_t *buffer);

static const struct curve_row {
    const char *group, *public_name, *shared_name;
    int words;         // of a coordinate and of a scalar
    int top_word_bits; // of a scalar, so that it stays below the order
} curve_rows[] = {
    {"X25519", "mbx_x25519_public_key_mb8", "mbx_x25519_mb8", 4, 64},
    {"P-256", "mbx_nistp256_ecpublic_key_mb8", "mbx_nistp256_ecdh_mb8", 4, 62},
    {"P-384", "mbx_nistp384_ecpublic_key_mb8", "mbx_nistp384_ecdh_mb8", 6, 62},
    {"P-521", "mbx_nistp521_ecpublic_key_mb8", "mbx_nistp521_ecdh_mb8", 9, 8},
};

struct mb_state {
    const struct curve_row *row;
    enum operation operation;
    void *public_fn, *shared_fn; // of the library
    uint64_t scalar[LANES][MAX_WORDS], x[LANES][MAX_WORDS], y[LANES][MAX_WORDS], out_x[LANES][MAX_WORDS],
        out_y[LANES][MAX_WORDS];
    uint8_t secret[LANES][8 * MAX_WORDS];
};

// The library once and for all; NULL when it is not installed or not for this CPU (reason).
static void *library(char reason[200])
{
    static const char *const names[] = {"libcrypto_mb.so.13", "libcrypto_mb.so.12", "libcrypto_mb.so.11",
                                        "libcrypto_mb.so"};
    static void *handle;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !handle; i++)
        handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        snprintf(reason, 200, "not installed (libcrypto_mb.so; Debian 13: libcrypto-mb11, sid: libcrypto-mb12)");
        return NULL;
    }
    int (*applicable)(uint64_t features);
    *(void **)&applicable = dlsym(handle, "mbx_is_crypto_mb_applicable");
    if (!applicable || !applicable(0)) {
        snprintf(reason, 200, "installed, but this CPU lacks AVX-512 IFMA");
        return NULL;
    }
    return handle;
}

static bool is_montgomery(const struct mb_state *state)
{
    return state->row == &curve_rows[0];
}

static bool compute(struct mb_state *state, enum operation operation)
{
    uint64_t *x[LANES], *y[LANES];
    const uint64_t *scalar[LANES], *peer_x[LANES], *peer_y[LANES];
    uint8_t *secret[LANES];
    const uint8_t *scalar_bytes[LANES], *peer_bytes[LANES];
    for (int lane = 0; lane < LANES; lane++) {
        x[lane] = state->out_x[lane];
        y[lane] = state->out_y[lane];
        scalar[lane] = state->scalar[lane];
        scalar_bytes[lane] = (const uint8_t *)state->scalar[lane];
        peer_x[lane] = state->x[lane];
        peer_y[lane] = state->y[lane];
        peer_bytes[lane] = (const uint8_t *)state->x[lane];
        secret[lane] = operation == OPERATION_KEYGEN ? (uint8_t *)state->out_x[lane] : state->secret[lane];
    }
    if (operation == OPERATION_KEYGEN)
        return is_montgomery(state) ? ((x25519_public_fn *)state->public_fn)(secret, scalar_bytes) == 0
                                    : ((nist_public_fn *)state->public_fn)(x, y, NULL, scalar, NULL) == 0;
    return is_montgomery(state) ? ((x25519_shared_fn *)state->shared_fn)(secret, scalar_bytes, peer_bytes) == 0
                                : ((nist_shared_fn *)state->shared_fn)(secret, scalar, peer_x, peer_y, NULL, NULL) == 0;
}

static bool random_scalars(struct mb_state *state)
{
    memset(state->scalar, 0, sizeof(state->scalar));
    for (int lane = 0; lane < LANES; lane++) {
        if (RAND_bytes((unsigned char *)state->scalar[lane], 8 * state->row->words) != 1)
            return false;
        if (state->row->top_word_bits < 64)
            state->scalar[lane][state->row->words - 1] &= (UINT64_C(1) << state->row->top_word_bits) - 1;
    }
    return true;
}

static void *mb_open(const void *where, const struct group *group, enum operation operation, unsigned in_flight,
                     char reason[200])
{
    (void)where;
    (void)in_flight;
    void *handle = library(reason);
    if (!handle)
        return NULL;
    const struct curve_row *row = NULL;
    for (size_t i = 0; i < sizeof(curve_rows) / sizeof(curve_rows[0]); i++)
        if (strcmp(curve_rows[i].group, group->name) == 0)
            row = &curve_rows[i];
    struct mb_state *state = row ? calloc(1, sizeof(*state)) : NULL;
    if (!state) {
        snprintf(reason, 200, "crypto_mb has no %s", group->name);
        return NULL;
    }
    state->row = row;
    state->operation = operation;
    state->public_fn = dlsym(handle, row->public_name);
    state->shared_fn = dlsym(handle, row->shared_name);
    // the peers' points are public keys that the library made itself
    bool good = state->public_fn && state->shared_fn && random_scalars(state) && compute(state, OPERATION_KEYGEN);
    memcpy(state->x, state->out_x, sizeof(state->x));
    memcpy(state->y, state->out_y, sizeof(state->y));
    if (good && random_scalars(state) && compute(state, operation))
        return state;
    snprintf(reason, 200, "crypto_mb refused %s", row->public_name);
    free(state);
    return NULL;
}

static bool mb_run(void *opaque, double seconds, struct operation_slice *slice)
{
    struct mb_state *state = opaque;
    uint64_t begin_ns = clock_wall_ns(), begin_cpu_ns = clock_process_ns(), now_ns = begin_ns;
    uint64_t end_ns = begin_ns + (uint64_t)(seconds * 1e9);
    while (now_ns < end_ns && !stop_requested()) {
        uint64_t start_ns = now_ns;
        if (!compute(state, state->operation)) {
            snprintf(slice->failure, sizeof(slice->failure), "crypto_mb returned an error");
            return false;
        }
        now_ns = clock_wall_ns();
        samples_add(&slice->latency_us, (double)(now_ns - start_ns) / 1e3);
        slice->done += LANES;
    }
    slice->cpu_ns = clock_process_ns() - begin_cpu_ns;
    slice->wall_ns = clock_wall_ns() - begin_ns;
    return true;
}

static void mb_close(void *state)
{
    free(state);
}

const struct operation_backend crypto_mb_backend = {mb_open, mb_run, mb_close};
