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

enum { MAX_SECRET_BYTES = 1024, MAX_EVENTS = 256 };
static const uint64_t STALL_NS = 20000000000u;

struct slot {
    EVP_PKEY_CTX *ctx; // owned
    enum operation operation;
    ASYNC_JOB *job;       // libcrypto's
    ASYNC_WAIT_CTX *wait; // owned; NULL for plain calls
    struct watched watched;
    uint64_t start_ns;
    bool parked;
};

struct evp_state {
    struct slot *slots; // owned
    unsigned count;
    bool jobs;            // each call inside an ASYNC_JOB
    EVP_PKEY *own, *peer; // owned
    struct waiter waiter;
    uint32_t *ready; // owned; slots that can move, a ring of count
    unsigned ready_head, ready_count;
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
    free(state->ready);
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
        slot->wait = state->jobs ? ASYNC_WAIT_CTX_new() : NULL;
        good = slot->ctx && (!state->jobs || slot->wait);
    }
    return good;
}

static void *open_state(const void *where, const struct group *group, enum operation operation, unsigned in_flight,
                        bool jobs, char reason[200])
{
    struct evp_state *state = calloc(1, sizeof(*state));
    if (!state) {
        snprintf(reason, 200, "out of memory");
        return NULL;
    }
    state->count = in_flight;
    state->jobs = jobs;
    state->waiter.epoll = -1;
    state->slots = calloc(in_flight, sizeof(*state->slots));
    state->ready = calloc(in_flight, sizeof(*state->ready));
    if (state->slots && state->ready && waiter_open(&state->waiter) &&
        prepare(state, (OSSL_LIB_CTX *)where, group, operation))
        return state;
    ERR_clear_error();
    snprintf(reason, 200, "%s: no key of that kind, or no memory", group->name);
    evp_close(state);
    return NULL;
}

static void *evp_open(const void *where, const struct group *group, enum operation operation, unsigned in_flight,
                      char reason[200])
{
    return open_state(where, group, operation, in_flight, in_flight > 1, reason);
}

static void *evp_job_open(const void *where, const struct group *group, enum operation operation, unsigned in_flight,
                          char reason[200])
{
    return open_state(where, group, operation, in_flight, true, reason);
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

static int changed_descriptors(void *wait, OSSL_ASYNC_FD *added, size_t *added_count, OSSL_ASYNC_FD *deleted,
                               size_t *deleted_count)
{
    return ASYNC_WAIT_CTX_get_changed_fds(wait, added, added_count, deleted, deleted_count);
}

static void push_ready(struct evp_state *state, uint32_t index)
{
    state->ready[(state->ready_head + state->ready_count++) % state->count] = index;
}

static uint32_t pop_ready(struct evp_state *state)
{
    uint32_t index = state->ready[state->ready_head];
    state->ready_head = (state->ready_head + 1) % state->count;
    state->ready_count--;
    return index;
}

enum move { MOVE_WAITS, MOVE_READY, MOVE_DONE, MOVE_FAILED };

// Starts or resumes the slot's job until it ends or waits.
static enum move move(struct evp_state *state, uint32_t index, struct operation_slice *slice)
{
    struct slot *slot = &state->slots[index];
    int result = 0;
    if (!slot->job)
        slot->start_ns = clock_wall_ns();
    switch (ASYNC_start_job(&slot->job, slot->wait, &result, operate_in_job, &slot, sizeof(slot))) {
    case ASYNC_PAUSE:
        slice->pauses++;
        slot->parked = waiter_update(&state->waiter, &slot->watched, changed_descriptors, slot->wait, index);
        return slot->parked ? MOVE_WAITS : MOVE_READY;
    case ASYNC_FINISH:
        slot->job = NULL;
        samples_add(&slice->latency_us, (double)(clock_wall_ns() - slot->start_ns) / 1e3);
        slice->done++;
        return result == 1 ? MOVE_DONE : MOVE_FAILED;
    case ASYNC_NO_JOBS: // no job free: one of the others must finish first
        return MOVE_READY;
    default:
        return MOVE_FAILED;
    }
}

// Moves every slot that can, once. Slots whose time is over end with their job. False when an operation failed.
static bool turn(struct evp_state *state, uint64_t end_ns, unsigned *running, struct operation_slice *slice)
{
    for (unsigned left = state->ready_count; left > 0; left--) {
        uint32_t index = pop_ready(state);
        switch (move(state, index, slice)) {
        case MOVE_FAILED:
            return false;
        case MOVE_DONE:
            if (clock_wall_ns() < end_ns && !stop_requested())
                push_ready(state, index);
            else
                (*running)--;
            break;
        case MOVE_READY:
            push_ready(state, index);
            break;
        case MOVE_WAITS:
            break;
        }
    }
    return true;
}

static bool run_jobs(struct evp_state *state, uint64_t end_ns, struct operation_slice *slice)
{
    uint32_t ids[MAX_EVENTS];
    uint64_t seen = 0, progress_ns = clock_wall_ns();
    unsigned running = state->count;
    state->ready_head = state->ready_count = 0;
    for (uint32_t i = 0; i < state->count; i++)
        push_ready(state, i);
    while (running > 0) {
        if (!turn(state, end_ns, &running, slice))
            return false;
        if (running > state->ready_count) {
            size_t count = waiter_ready(&state->waiter, ids, MAX_EVENTS, state->ready_count ? 0 : 100000000u);
            for (size_t i = 0; i < count; i++) {
                struct slot *slot = &state->slots[ids[i]];
                if (slot->parked)
                    push_ready(state, ids[i]);
                slot->parked = false;
            }
        }
        if (slice->done != seen) {
            seen = slice->done;
            progress_ns = clock_wall_ns();
        } else if (clock_wall_ns() > progress_ns + STALL_NS)
            return false;
    }
    return true;
}

static bool evp_run(void *opaque, double seconds, struct operation_slice *slice)
{
    struct evp_state *state = opaque;
    uint64_t begin_ns = clock_wall_ns(), begin_cpu_ns = clock_process_ns();
    uint64_t end_ns = begin_ns + (uint64_t)(seconds * 1e9);
    bool good = state->jobs ? run_jobs(state, end_ns, slice) : run_plain(state, end_ns, slice);
    slice->cpu_ns = clock_process_ns() - begin_cpu_ns;
    slice->wall_ns = clock_wall_ns() - begin_ns;
    if (!good) {
        ERR_error_string_n(ERR_peek_error(), slice->failure, sizeof(slice->failure));
        ERR_clear_error();
    }
    return good;
}

const struct operation_backend evp_backend = {evp_open, evp_run, evp_close};
const struct operation_backend evp_job_backend = {evp_job_open, evp_run, evp_close};
