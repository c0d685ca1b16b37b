// SPDX-License-Identifier: Apache-2.0
#include "own_cpu.h"
#include "profile.h"
#include "timed.h"
#include "work.h"

#include <clock.h>
#include <errno.h>
#include <model_card.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

enum {
    TIMER_SLACK_NS = 1000,
    LATE_NS = 100000,
    DOUBTFUL_PERCENT = 5,
    DOUBTFUL_WAIT_NS = 10000000,
    MAX_CONTEXTS = EPH_MAX_ENGINES * EPH_MODEL_MAX_CONTEXTS
};

struct timed {
    struct eph_model_card card;
    struct eph_profile profile;
    uint64_t opened_ns;
    struct eph_own_cpu opened_cpu; // of the server's thread
    // When each context of the described device has ended what was given to it. Context i belongs to engine i %
    // engines.
    uint64_t free_ns[MAX_CONTEXTS];
    struct eph_work work;
    struct eph_request *in_flight[EPH_WORK_SLOTS]; // sorted by due_ns
    size_t count;
    uint64_t derives, keygens;             // started
    uint64_t answers, late, worst_late_ns; // late: by more than LATE_NS
};

// ---- life

static void *timed_open(const struct eph_backend_options *options, const struct eph_host *host)
{
    if (options->profile == NULL || options->contexts != 0 || options->engines != 0 || options->wave_path != NULL) {
        errno = EINVAL;
        return NULL;
    }
    struct timed *timed = calloc(1, sizeof *timed);
    if (timed == NULL)
        return NULL;
    if (!eph_work_init(&timed->work, options->workers)) {
        int error = errno;
        free(timed);
        errno = error;
        return NULL;
    }
    const struct eph_profile *profile = options->profile;
    timed->profile = *profile;
    timed->card.host = *host;
    timed->card.contexts = profile->contexts;
    timed->card.engines = profile->engines;
    timed->card.clock_khz = profile->clock_khz;
    timed->card.features = EPH_FEATURE_TIMED | EPH_FEATURE_AWAKE;
    timed->card.curves = UINT32_C(1) << EPH_CURVE_X25519;
    timed->card.operations = (profile->keygen_cycles != 0 ? UINT32_C(1) << EPH_OP_KEYGEN : 0) |
                             (profile->derive_cycles != 0 ? UINT32_C(1) << EPH_OP_DERIVE : 0);
    eph_model_card_reset(&timed->card);
    timed->opened_ns = eph_clock_ns();
    timed->opened_cpu = eph_own_cpu_read();
    (void)prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS); // the 50 us of the default would show in every latency
    return timed;
}

static void drop_all(struct timed *timed)
{
    for (size_t i = 0; i < timed->count; i++) {
        eph_work_withdraw(&timed->work, timed->in_flight[i]);
        eph_work_free(&timed->work, timed->in_flight[i]);
    }
    timed->count = 0;
    memset(timed->free_ns, 0, sizeof timed->free_ns);
}

static void timed_close(void *device, bool orderly)
{
    struct timed *timed = device;
    if (timed == NULL)
        return;
    if (orderly) { // a forked copy has no workers to join
        drop_all(timed);
        eph_work_fini(&timed->work);
    }
    explicit_bzero(timed, sizeof *timed);
    free(timed);
}

// ---- registers

static uint64_t timed_cycles(void *device) // the clock of the described device never stops
{
    struct timed *timed = device;
    return (uint64_t)((double)(eph_clock_ns() - timed->opened_ns) * timed->profile.clock_khz / 1e6);
}

static uint32_t timed_read32(void *device, uint32_t offset)
{
    struct timed *timed = device;
    timed->card.cycles = timed_cycles(timed);
    return eph_model_card_read32(&timed->card, offset);
}

static void timed_write32(void *device, uint32_t offset, uint32_t value)
{
    struct timed *timed = device;
    if (offset != EPH_REG_CTRL) {
        eph_model_card_write32(&timed->card, offset, value);
    } else if (value & EPH_CTRL_RESET) {
        drop_all(timed);
        eph_model_card_reset(&timed->card);
    }
}

// ---- time

// The device's answer to what it has no program for; OK otherwise.
static enum eph_wire_status refusal(const struct timed *timed, const struct eph_sqe *sqe)
{
    if (sqe->opcode != EPH_OP_KEYGEN && sqe->opcode != EPH_OP_DERIVE)
        return EPH_ST_BAD_OP;
    bool program = sqe->curve == EPH_CURVE_X25519 && (timed->card.operations >> sqe->opcode & 1) != 0;
    return program ? EPH_ST_OK : EPH_ST_BAD_CURVE;
}

// Gives a command to the context that is free first. Returns when that context will have ended it.
static uint64_t occupy(struct timed *timed, uint32_t cycles, uint64_t now)
{
    uint32_t contexts = timed->profile.engines * timed->profile.contexts, first = 0;
    if (timed->profile.infinite_rate)
        return now;
    for (uint32_t i = 1; i < contexts; i++)
        if (timed->free_ns[i] < timed->free_ns[first])
            first = i;
    uint64_t start = timed->free_ns[first] > now ? timed->free_ns[first] : now;
    timed->free_ns[first] = start + (uint64_t)cycles * 1000000 / timed->profile.clock_khz;
    timed->card.busy[first % timed->profile.engines] += cycles / timed->profile.contexts; // its turns on the multiplier
    return timed->free_ns[first];
}

static void insert(struct timed *timed, struct eph_request *request)
{
    size_t i = timed->count++;
    for (; i > 0 && timed->in_flight[i - 1]->due_ns > request->due_ns; i--)
        timed->in_flight[i] = timed->in_flight[i - 1];
    timed->in_flight[i] = request;
}

static void start_one(struct timed *timed, struct eph_model_queue *queue, struct eph_request *request, uint64_t now)
{
    request->queue = queue->id;
    request->cqe.tag = request->sqe.tag;
    request->cqe.generation = request->sqe.generation;
    request->cqe.status = (uint16_t)refusal(timed, &request->sqe);
    request->cqe.cycles = EPH_FIXED_CYCLES;
    if (request->cqe.status == EPH_ST_OK) {
        bool derive = request->sqe.opcode == EPH_OP_DERIVE;
        request->cqe.cycles = derive ? timed->profile.derive_cycles : timed->profile.keygen_cycles;
        timed->derives += derive;
        timed->keygens += !derive;
        now = occupy(timed, request->cqe.cycles, now);
    }
    request->due_ns = now + timed->profile.pcie_round_trip_ns;
    insert(timed, request);
    eph_work_post(&timed->work, request);
}

static void look(struct timed *timed)
{
    for (unsigned q = 0; q < EPH_MAX_QUEUES; q++)
        if (timed->card.queues[q].state == EPH_QSTATE_ON) {
            eph_model_queue_look(&timed->card.queues[q]);
            eph_model_card_latch_error(&timed->card, &timed->card.queues[q]);
        }
}

static bool timed_sleep(void *device)
{
    struct timed *timed = device;
    bool work = false;
    for (unsigned q = 0; q < EPH_MAX_QUEUES; q++) {
        work |= eph_model_queue_sleep(&timed->card.queues[q]);
        eph_model_card_latch_error(&timed->card, &timed->card.queues[q]);
    }
    return work;
}

static void start_all(struct timed *timed)
{
    uint64_t now = eph_clock_ns();
    for (struct eph_model_queue *queue; (queue = eph_model_card_next(&timed->card)) != NULL;) {
        struct eph_request *request = eph_work_new(&timed->work); // a slot for each entry of each queue: never NULL
        if (request == NULL)
            return;
        if (eph_model_queue_fetch(queue, &request->sqe))
            start_one(timed, queue, request, now);
        else
            eph_work_free(&timed->work, request);
        eph_model_card_latch_error(&timed->card, queue);
    }
}

static void deliver(struct timed *timed, struct eph_request *request, uint64_t now)
{
    uint64_t late = now - request->due_ns;
    timed->answers++;
    timed->late += late > LATE_NS;
    if (late > timed->worst_late_ns)
        timed->worst_late_ns = late;
    struct eph_model_queue *queue = &timed->card.queues[request->queue];
    eph_model_queue_complete(queue, &request->cqe);
    eph_model_card_latch_error(&timed->card, queue);
    eph_work_free(&timed->work, request);
}

// All that is due and computed.
static void deliver_due(struct timed *timed)
{
    uint64_t now = eph_clock_ns();
    size_t kept = 0, i = 0;
    for (; i < timed->count && timed->in_flight[i]->due_ns <= now; i++) {
        if (eph_work_done(&timed->work, timed->in_flight[i]))
            deliver(timed, timed->in_flight[i], now);
        else
            timed->in_flight[kept++] = timed->in_flight[i];
    }
    if (kept == i)
        return;
    memmove(&timed->in_flight[kept], &timed->in_flight[i], (timed->count - i) * sizeof *timed->in_flight);
    timed->count -= i - kept;
}

// Due already, or next to be; NULL: nothing waits for its computation.
static struct eph_request *first_to_compute(struct timed *timed)
{
    for (size_t i = 0; i < timed->count; i++)
        if (!eph_work_done(&timed->work, timed->in_flight[i]))
            return timed->in_flight[i];
    return NULL;
}

// One computation a turn at most, since doorbells and completions wait for it. With workers, the server's thread
// computes only what they have not begun in time.
static bool timed_run(void *device)
{
    struct timed *timed = device;
    deliver_due(timed);
    look(timed);
    start_all(timed);
    struct eph_request *waiting = first_to_compute(timed);
    if (waiting == NULL || (timed->work.workers != 0 && waiting->due_ns > eph_clock_ns()))
        return false;
    eph_work_compute(&timed->work, waiting);
    return true;
}

static uint64_t timed_idle_ns(void *device)
{
    struct timed *timed = device;
    uint64_t now = eph_clock_ns();
    if (timed->count == 0)
        return UINT64_MAX;
    return timed->in_flight[0]->due_ns > now ? timed->in_flight[0]->due_ns - now : 0;
}

// Of the server's thread since the device was opened.
static struct eph_own_cpu own_cpu(const struct timed *timed)
{
    struct eph_own_cpu now = eph_own_cpu_read();
    now.used_ns -= timed->opened_cpu.used_ns;
    now.waited_ns -= timed->opened_cpu.waited_ns;
    return now;
}

static void timed_print_stats(void *device)
{
    struct timed *timed = device;
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"timed_derives", timed->derives},
        {"timed_keygens", timed->keygens},
        {"timed_answers", timed->answers},
        {"timed_late", timed->late},
        {"timed_worst_late_us", timed->worst_late_ns / 1000},
        {"timed_cpu_wait_us", own_cpu(timed).waited_ns / 1000}, // the server's thread could not look at doorbells
        {"timed_compute_us", eph_work_compute_ns(&timed->work) / 1000}, // wall time, all threads
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        (void)printf("%s %llu\n", rows[i].name, (unsigned long long)rows[i].value);
}

// Lateness counts from the moment when a doorbell was seen. Before that it waits unseen whenever others have the CPU.
static bool timed_doubt(void *device, char *text, size_t text_bytes)
{
    struct timed *timed = device;
    struct eph_own_cpu cpu = own_cpu(timed);
    uint64_t wanted_ns = cpu.used_ns + cpu.waited_ns;
    bool late = timed->late * 100 > timed->answers * DOUBTFUL_PERCENT;
    bool waited = cpu.waited_ns > DOUBTFUL_WAIT_NS && cpu.waited_ns * 100 > wanted_ns * DOUBTFUL_PERCENT;
    if (timed->answers == 0 || (!late && !waited))
        return false;
    (void)snprintf(text, text_bytes,
                   "%s on this machine: %llu of %llu answers came more than %d us late, the worst %llu us; others had "
                   "the CPU for %llu %% of the time that the daemon wanted it",
                   late ? "the described rate was not sustained" : "the described times are doubtful",
                   (unsigned long long)timed->late, (unsigned long long)timed->answers, LATE_NS / 1000,
                   (unsigned long long)(timed->worst_late_ns / 1000),
                   (unsigned long long)(wanted_ns == 0 ? 0 : cpu.waited_ns * 100 / wanted_ns));
    return true;
}

const struct eph_backend eph_backend_timed = {
    .name = "timed",
    .summary = "true results when the device that --profile describes would have given them",
    .open = timed_open,
    .close = timed_close,
    .read32 = timed_read32,
    .write32 = timed_write32,
    .run = timed_run,
    .cycles = timed_cycles,
    .idle_ns = timed_idle_ns,
    .sleep = timed_sleep,
    .print_stats = timed_print_stats,
    .doubt = timed_doubt,
};
