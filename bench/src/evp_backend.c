// SPDX-License-Identifier: Apache-2.0
#include "clock.h"
#include "operation.h"
#include "stop.h"
#include "waiter.h"

#include <openssl/async.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SECRET_BYTES = 1024, MAX_DESCRIPTORS = 8 };
static const uint64_t STALL_NS = 20000000000u;

struct slot {
    EVP_PKEY_CTX *ctx; // owned
    enum operation operation;
    ASYNC_JOB *job;       // libcrypto's
    ASYNC_WAIT_CTX *wait; // owned; NULL for plain calls
    uint64_t start_ns;
    bool running, parked;
};

struct evp_state {
    struct slot *slots; // owned
    unsigned count;
    EVP_PKEY *own, *peer; // owned
    struct waiter waiter;
};

static EVP_PKEY_CTX *keygen_ctx(OSSL_LIB_CTX *libctx, const struct group *group)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(libctx, group->key_type, NULL);
    OSSL_PARAM settings[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)group->key_group, 0),
                             OSSL_PARAM_construct_end()};
    if (ctx && EVP_PKEY_keygen_init(ctx) == 1 && (!group->key_group || EVP_PKEY_CTX_set_params(ctx, settings) == 1))
        return ctx;
    EVP_PKEY_CTX_free(ctx);
    return NULL;
}

static EVP_PKEY_CTX *derive_ctx(OSSL_LIB_CTX *libctx, EVP_PKEY *own, EVP_PKEY *peer)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, own, NULL);
    if (ctx && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, peer) == 1)
        return ctx;
    EVP_PKEY_CTX_free(ctx);
    return NULL;
}

static void evp_close(void *opaque)
{
    struct evp_state *state = opaque;
    if (!state)
        return;
    for (unsigned i = 0; state->slots && i < state->count; i++) {
        EVP_PKEY_CTX_free(state->slots[i].ctx);
        ASYNC_WAIT_CTX_free(state->slots[i].wait);
    }
    waiter_close(&state->waiter);
    EVP_PKEY_free(state->own);
    EVP_PKEY_free(state->peer);
    free(state->slots);
    free(state);
}

static bool prepare(struct evp_state *state, OSSL_LIB_CTX *libctx, const struct group *group, enum operation operation)
{
    EVP_PKEY_CTX *ctx = keygen_ctx(libctx, group);
    bool good = ctx && EVP_PKEY_keygen(ctx, &state->own) == 1 && EVP_PKEY_keygen(ctx, &state->peer) == 1;
    EVP_PKEY_CTX_free(ctx);
    for (unsigned i = 0; good && i < state->count; i++) {
        struct slot *slot = &state->slots[i];
        slot->operation = operation;
        slot->ctx =
            operation == OPERATION_KEYGEN ? keygen_ctx(libctx, group) : derive_ctx(libctx, state->own, state->peer);
        slot->wait = state->count > 1 ? ASYNC_WAIT_CTX_new() : NULL;
        good = slot->ctx && (state->count == 1 || slot->wait);
    }
    return good;
}

static void *evp_open(const void *where, const struct group *group, enum operation operation, unsigned in_flight,
                      char reason[200])
{
    struct evp_state *state = calloc(1, sizeof(*state));
    if (!state) {
        snprintf(reason, 200, "out of memory");
        return NULL;
    }
    state->count = in_flight;
    state->slots = calloc(in_flight, sizeof(*state->slots));
    if (state->slots && waiter_open(&state->waiter) && prepare(state, (OSSL_LIB_CTX *)where, group, operation))
        return state;
    ERR_clear_error();
    snprintf(reason, 200, "%s: no key of that kind, or no memory", group->name);
    evp_close(state);
    return NULL;
}

static int operate(struct slot *slot)
{
    if (slot->operation == OPERATION_KEYGEN) {
        EVP_PKEY *key = NULL;
        int result = EVP_PKEY_keygen(slot->ctx, &key);
        EVP_PKEY_free(key);
        return result == 1;
    }
    unsigned char secret[MAX_SECRET_BYTES];
    size_t bytes = sizeof(secret);
    return EVP_PKEY_derive(slot->ctx, secret, &bytes) == 1;
}

static int operate_in_job(void *argument)
{
    return operate(*(struct slot **)argument);
}

static bool run_plain(struct evp_state *state, uint64_t end_ns, struct operation_slice *slice)
{
    uint64_t now_ns = clock_wall_ns();
    while (now_ns < end_ns && !stop_requested()) {
        uint64_t start_ns = now_ns;
        if (!operate(&state->slots[0]))
            return false;
        now_ns = clock_wall_ns();
        samples_add(&slice->latency_us, (double)(now_ns - start_ns) / 1e3);
        slice->done++;
    }
    return true;
}

// Starts or resumes the slot's job until it ends or waits. False when it failed.
static bool move(struct evp_state *state, unsigned index, struct operation_slice *slice)
{
    OSSL_ASYNC_FD descriptors[MAX_DESCRIPTORS];
    size_t count = 0;
    struct slot *slot = &state->slots[index];
    int result = 0;
    switch (ASYNC_start_job(&slot->job, slot->wait, &result, operate_in_job, &slot, sizeof(slot))) {
    case ASYNC_PAUSE:
        slice->pauses++;
        if (ASYNC_WAIT_CTX_get_all_fds(slot->wait, NULL, &count) == 1 && count > 0 && count <= MAX_DESCRIPTORS &&
            ASYNC_WAIT_CTX_get_all_fds(slot->wait, descriptors, &count) == 1)
            slot->parked = waiter_watch(&state->waiter, descriptors, count, index);
        return true;
    case ASYNC_FINISH:
        slot->running = false;
        samples_add(&slice->latency_us, (double)(clock_wall_ns() - slot->start_ns) / 1e3);
        slice->done++;
        return result == 1;
    case ASYNC_NO_JOBS:
        return true;
    default:
        return false;
    }
}

static bool run_jobs(struct evp_state *state, uint64_t end_ns, struct operation_slice *slice)
{
    uint32_t ids[64];
    unsigned running = 0, parked = 0;
    uint64_t seen = 0, progress_ns = clock_wall_ns();
    for (unsigned i = 0; i < state->count; i++)
        state->slots[i].running = state->slots[i].parked = false;
    do {
        uint64_t now_ns = clock_wall_ns();
        running = parked = 0;
        for (unsigned i = 0; i < state->count; i++) {
            struct slot *slot = &state->slots[i];
            if (!slot->running && now_ns < end_ns && !stop_requested()) {
                slot->running = true;
                slot->start_ns = clock_wall_ns();
            }
            if (slot->running && !slot->parked && !move(state, i, slice))
                return false;
            running += slot->running;
            parked += slot->parked;
        }
        size_t count = parked ? waiter_ready(&state->waiter, ids, 64, parked == running ? 100000000u : 0) : 0;
        for (size_t i = 0; i < count; i++)
            state->slots[ids[i]].parked = false;
        if (slice->done != seen) {
            seen = slice->done;
            progress_ns = now_ns;
        } else if (now_ns > progress_ns + STALL_NS)
            return false;
    } while (running > 0 || (clock_wall_ns() < end_ns && !stop_requested()));
    return true;
}

static bool evp_run(void *opaque, double seconds, struct operation_slice *slice)
{
    struct evp_state *state = opaque;
    uint64_t begin_ns = clock_wall_ns(), begin_cpu_ns = clock_process_ns();
    uint64_t end_ns = begin_ns + (uint64_t)(seconds * 1e9);
    bool good = state->count == 1 ? run_plain(state, end_ns, slice) : run_jobs(state, end_ns, slice);
    slice->cpu_ns = clock_process_ns() - begin_cpu_ns;
    slice->wall_ns = clock_wall_ns() - begin_ns;
    if (!good) {
        ERR_error_string_n(ERR_peek_error(), slice->failure, sizeof(slice->failure));
        ERR_clear_error();
    }
    return good;
}

const struct operation_backend evp_backend = {evp_open, evp_run, evp_close};
