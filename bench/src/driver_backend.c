// SPDX-License-Identifier: Apache-2.0
// The driver's public API without any TLS above it: what one device operation costs the host.
#include "clock.h"
#include "key_material.h"
#include "operation.h"
#include "stop.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_IN_FLIGHT = 63 }; // depth - 1 of the deepest queue
// A polling server looks at its queue when its loop passes by, not as fast as it can; an answer takes a known time.
enum { POLLS_A_LATENCY = 4 };
static const uint64_t POLL_PAUSE_MIN_NS = 20000;
static const uint64_t STALL_NS = 20000000000u;
static const uint64_t DEADLINE_NS =
    10000000000u; // a model computes 63 requests one after the other, which is not its failure

struct driver_state {
    struct eph_device *device; // owned
    struct driver_place place;
    struct key_material material;
    struct eph_request request;
    unsigned in_flight;
    char log[200]; // the driver's last line
};

static void keep_log(void *context, enum eph_log_level level, const char *message)
{
    (void)level;
    snprintf(context, 200, "%.199s", message);
}

static void driver_close(void *opaque)
{
    struct driver_state *state = opaque;
    if (!state)
        return;
    eph_device_close(state->device);
    free(state);
}

// The queue, and a check that it can serve what is asked.
static struct eph_queue *open_queue(struct driver_state *state, char reason[200])
{
    struct eph_queue *queue = NULL;
    struct eph_device_info info;
    enum eph_status status = eph_queue_open(state->device, &queue);
    if (status != EPH_OK) {
        snprintf(reason, 200, "%s: %.100s", eph_status_text(status), state->log);
        return NULL;
    }
    status = eph_device_info(queue, &info);
    if (status != EPH_OK)
        snprintf(reason, 200, "%s", eph_status_text(status));
    else if (!(info.curves & 1u << state->material.curve))
        snprintf(reason, 200, "the device has no program for this curve");
    else if (state->in_flight >= info.queue_entries)
        snprintf(reason, 200, "the queue holds %u requests in flight", info.queue_entries - 1);
    else
        return queue;
    eph_queue_close(queue);
    return NULL;
}

static struct driver_state *open_device(const char *uri, const struct group *group, char reason[200])
{
    struct driver_state *state = calloc(1, sizeof(*state));
    if (!state || !key_material_make(&state->material, group, reason)) {
        free(state);
        return NULL;
    }
    struct eph_options options = {.deadline_ns = DEADLINE_NS, .log = keep_log, .log_context = state->log};
    enum eph_status status = eph_device_open(&state->device, uri, &options);
    if (status == EPH_OK)
        return state;
    snprintf(reason, 200, "%s: %.120s", eph_status_text(status), state->log);
    free(state);
    return NULL;
}

static struct eph_request make_request(const struct key_material *material, enum operation operation)
{
    bool derive = operation == OPERATION_DERIVE;
    return (struct eph_request){.opcode = derive ? EPH_OP_DERIVE : EPH_OP_KEYGEN,
                                .curve = material->curve,
                                .scalar = material->scalar,
                                .peer_x = derive ? material->peer_x : NULL,
                                .peer_y = derive && material->weierstrass ? material->peer_y : NULL,
                                .blind = material->blind};
}

static void *driver_open(const void *where, const struct group *group, enum operation operation, unsigned in_flight,
                         char reason[200])
{
    const struct driver_place *place = where;
    if (in_flight > MAX_IN_FLIGHT) {
        snprintf(reason, 200, "a queue holds %d requests in flight", MAX_IN_FLIGHT);
        return NULL;
    }
    struct driver_state *state = open_device(place->uri, group, reason);
    if (!state)
        return NULL;
    state->place = *place;
    state->in_flight = in_flight;
    state->request = make_request(&state->material, operation);
    // only a look whether it can: each slice opens its own queue, since eph_queue_fd changes a queue for good
    struct eph_queue *queue = open_queue(state, reason);
    if (queue) {
        eph_queue_close(queue);
        return state;
    }
    driver_close(state);
    return NULL;
}

struct flight {
    uint32_t tag;
    uint64_t start_ns;
    bool used;
};

struct driver_loop {
    struct driver_state *state;
    struct eph_queue *queue;
    struct operation_slice *slice;
    struct flight flights[MAX_IN_FLIGHT];
    unsigned count;
    int fd;
    uint64_t pause_ns;    // between polls
    uint64_t idle_cpu_ns; // of sleeping, which is not the operation's cost
};

static bool submit(struct driver_loop *loop)
{
    struct eph_request requests[MAX_IN_FLIGHT];
    uint32_t tags[MAX_IN_FLIGHT];
    unsigned wanted = loop->state->in_flight - loop->count, taken = 0;
    for (unsigned i = 0; i < wanted; i++)
        requests[i] = loop->state->request;
    uint64_t now_ns = clock_wall_ns();
    enum eph_status status = wanted ? eph_submit(loop->queue, requests, wanted, tags) : EPH_OK;
    if (status != EPH_OK) {
        snprintf(loop->slice->failure, sizeof(loop->slice->failure), "submit: %s", eph_status_text(status));
        return false;
    }
    for (unsigned i = 0; i < MAX_IN_FLIGHT && taken < wanted; i++)
        if (!loop->flights[i].used)
            loop->flights[i] = (struct flight){tags[taken++], now_ns, true};
    loop->count += wanted;
    return true;
}

static bool complete(struct driver_loop *loop, const struct eph_completion *completion, uint64_t now_ns)
{
    if (completion->status != EPH_OK || completion->wire_status != EPH_ST_OK) {
        const char *text = completion->status != EPH_OK ? eph_status_text(completion->status)
                                                        : eph_wire_status_text(completion->wire_status);
        snprintf(loop->slice->failure, sizeof(loop->slice->failure), "%s", text);
        return false;
    }
    for (unsigned i = 0; i < MAX_IN_FLIGHT; i++) {
        struct flight *flight = &loop->flights[i];
        if (!flight->used || flight->tag != completion->tag)
            continue;
        flight->used = false;
        samples_add(&loop->slice->latency_us, (double)(now_ns - flight->start_ns) / 1e3);
        break;
    }
    loop->count--;
    loop->slice->done++;
    return true;
}

static void rest(struct driver_loop *loop)
{
    if (loop->fd >= 0) {
        struct pollfd set = {.fd = loop->fd, .events = POLLIN};
        poll(&set, 1, 100);
        return;
    }
    struct timespec pause = {(time_t)(loop->pause_ns / 1000000000u), (long)(loop->pause_ns % 1000000000u)};
    uint64_t begin_ns = clock_thread_ns();
    nanosleep(&pause, NULL);
    loop->idle_cpu_ns += clock_thread_ns() - begin_ns;
}

static bool drive(struct driver_loop *loop, uint64_t end_ns)
{
    struct eph_completion completions[MAX_IN_FLIGHT];
    uint64_t now_ns = clock_wall_ns(), progress_ns = now_ns;
    while (loop->count > 0 || (now_ns < end_ns && !stop_requested())) {
        if (now_ns < end_ns && !stop_requested() && !submit(loop))
            return false;
        size_t found = eph_poll(loop->queue, completions, MAX_IN_FLIGHT);
        now_ns = clock_wall_ns();
        for (size_t i = 0; i < found; i++)
            if (!complete(loop, &completions[i], now_ns))
                return false;
        if (found > 0)
            progress_ns = now_ns;
        else if (now_ns > progress_ns + STALL_NS) {
            snprintf(loop->slice->failure, sizeof(loop->slice->failure), "no completion for 20 s");
            return false;
        } else
            rest(loop);
    }
    return true;
}

// After one operation, so that the driver's running estimate is of this kind.
static uint64_t poll_pause_ns(const struct driver_loop *loop)
{
    struct eph_completion completion;
    const struct eph_request *request = &loop->state->request;
    if (eph_exchange(loop->queue, request, &completion) != EPH_OK)
        return POLL_PAUSE_MIN_NS;
    uint64_t pause_ns = eph_queue_latency_ns(loop->queue, request->opcode, request->curve) / POLLS_A_LATENCY;
    return pause_ns > POLL_PAUSE_MIN_NS ? pause_ns : POLL_PAUSE_MIN_NS;
}

static bool driver_run(void *opaque, double seconds, struct operation_slice *slice)
{
    struct driver_state *state = opaque;
    struct driver_loop loop = {.state = state, .slice = slice, .fd = -1};
    loop.queue = open_queue(state, slice->failure);
    if (!loop.queue)
        return false;
    if (state->place.events)
        loop.fd = eph_queue_fd(loop.queue);
    else
        loop.pause_ns = poll_pause_ns(&loop);
    uint64_t begin_ns = clock_wall_ns(), begin_cpu_ns = clock_process_ns();
    bool good = drive(&loop, begin_ns + (uint64_t)(seconds * 1e9));
    slice->cpu_ns = clock_process_ns() - begin_cpu_ns - loop.idle_cpu_ns;
    slice->wall_ns = clock_wall_ns() - begin_ns;
    eph_queue_close(loop.queue);
    return good;
}

const struct operation_backend driver_backend = {driver_open, driver_run, driver_close};

bool driver_serves(const char *uri, const struct group *group)
{
    char reason[200];
    struct driver_state *state = open_device(uri, group, reason);
    struct eph_queue *queue = state ? open_queue(state, reason) : NULL;
    eph_queue_close(queue);
    driver_close(state);
    return queue != NULL;
}

static bool count_one(struct driver_state *state, struct eph_queue *queue, enum operation operation, uint32_t *cycles,
                      char reason[200])
{
    struct eph_completion completion;
    struct eph_request request = make_request(&state->material, operation);
    enum eph_status status = eph_exchange(queue, &request, &completion);
    if (status == EPH_OK && completion.wire_status == EPH_ST_OK) {
        *cycles = completion.cycles;
        return true;
    }
    snprintf(reason, 200, "%s: %s", operation_names[operation],
             status != EPH_OK ? eph_status_text(status) : eph_wire_status_text(completion.wire_status));
    return false;
}

bool driver_count_cycles(const char *uri, const struct group *group, struct device_cycles *cycles, char reason[200])
{
    struct eph_device_info info;
    struct driver_state *state = open_device(uri, group, reason);
    if (!state)
        return false;
    struct eph_queue *queue = open_queue(state, reason);
    bool good = queue && eph_device_info(queue, &info) == EPH_OK &&
                count_one(state, queue, OPERATION_KEYGEN, &cycles->keygen, reason) &&
                count_one(state, queue, OPERATION_DERIVE, &cycles->derive, reason);
    if (good) {
        cycles->contexts = info.contexts;
        cycles->engines = info.engines;
    }
    eph_queue_close(queue);
    driver_close(state);
    return good;
}
