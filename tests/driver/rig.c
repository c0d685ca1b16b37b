// SPDX-License-Identifier: Apache-2.0
#include "rig.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

uint64_t rig_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void rig_sleep_ms(unsigned ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&left, &left))
        ;
}

static void keep_line(void *context, enum eph_log_level level, const char *message)
{
    (void)level;
    struct rig *rig = context;
    size_t used = strlen(rig->log);
    snprintf(rig->log + used, sizeof rig->log - used, "%s\n", message);
}

enum eph_status rig_try_open(struct rig *rig, const struct fake_settings *settings, const char *uri)
{
    unsigned deadline_ms = rig->deadline_ms ? rig->deadline_ms : RIG_DEADLINE_MS;
    *rig = (struct rig){.deadline_ms = deadline_ms};
    if (!uri) {
        rig->fake = fake_start(settings);
        uri = fake_uri(rig->fake);
    }
    struct eph_options options = {.deadline_ns = deadline_ms * 1000000ull, .log = keep_line, .log_context = rig};
    enum eph_status status = eph_device_open(&rig->device, uri, &options);
    return status == EPH_OK ? eph_queue_open(rig->device, &rig->queue) : status;
}

void rig_open(struct rig *rig, const struct fake_settings *settings)
{
    enum eph_status status = rig_try_open(rig, settings, NULL);
    cr_assert_eq(status, EPH_OK, "queue does not open: %s; %s", eph_status_text(status), rig->log);
}

void rig_open_patient(struct rig *rig)
{
    rig->deadline_ms = RIG_PATIENT_MS;
    rig_open(rig, NULL);
}

void rig_close(struct rig *rig)
{
    eph_queue_close(rig->queue);
    eph_device_close(rig->device);
    if (rig->fake)
        fake_stop(rig->fake);
}

void rig_make(struct rig_request *made, unsigned seed)
{
    for (unsigned i = 0; i < 32; i++) {
        made->scalar[i] = (uint8_t)(seed * 31 + i * 7 + 1);
        made->peer[i] = (uint8_t)(seed * 17 + i * 3 + 9);
        made->blind[i] = (uint8_t)(i + 1);
    }
    made->request = (struct eph_request){.opcode = EPH_OP_DERIVE,
                                         .curve = EPH_CURVE_X25519,
                                         .scalar = made->scalar,
                                         .peer_x = made->peer,
                                         .blind = made->blind};
}

bool rig_is_right(const struct rig_request *made, const struct eph_completion *completion)
{
    uint8_t answer[32];
    fake_answer(made->scalar, made->peer, answer);
    return completion->status == EPH_OK && completion->wire_status == EPH_ST_OK &&
           !memcmp(completion->result, answer, sizeof answer);
}

enum eph_status rig_exchange(struct rig *rig, unsigned seed, uint64_t *took_ms)
{
    struct rig_request made;
    struct eph_completion completion;
    rig_make(&made, seed);
    uint64_t start_ms = rig_now_ms();
    enum eph_status status = eph_exchange(rig->queue, &made.request, &completion);
    if (took_ms)
        *took_ms = rig_now_ms() - start_ms;
    cr_assert_eq(completion.status, status);
    if (status == EPH_OK && completion.wire_status == EPH_ST_OK)
        cr_assert(rig_is_right(&made, &completion), "a wrong result was handed out");
    return status;
}

enum eph_status rig_submit(struct rig *rig, unsigned seed, unsigned n, uint32_t *tags)
{
    struct rig_request made[64];
    struct eph_request requests[64];
    for (unsigned i = 0; i < n; i++) {
        rig_make(&made[i], seed + i);
        requests[i] = made[i].request;
    }
    return eph_submit(rig->queue, requests, n, tags);
}

bool rig_wait_right(struct rig *rig, unsigned seed, uint32_t tag)
{
    struct rig_request made;
    struct eph_completion completion;
    rig_make(&made, seed);
    return eph_wait(rig->queue, tag, &completion, 0) == EPH_OK && completion.tag == tag &&
           rig_is_right(&made, &completion);
}

struct eph_queue_stats rig_stats(struct rig *rig)
{
    struct eph_queue_stats stats;
    eph_queue_get_stats(rig->queue, &stats);
    return stats;
}
