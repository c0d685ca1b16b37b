// SPDX-License-Identifier: Apache-2.0
#include "handshake.h"

#include "clock.h"
#include "stop.h"
#include "told.h"
#include "waiter.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BIO_BYTES = 32768, // a whole flight of either side fits, so neither ever waits for room
    MAX_STEPS = 64,    // a handshake takes about 6; more means that it goes nowhere (asynchronous ones are not counted)
    MAX_EVENTS = 256,
    STEPS_A_LOOK = 8, // between looks at the descriptors
};
static const uint64_t STALL_NS = 20000000000u; // without a finished handshake: the device or its driver lost a job
static const uint64_t POLL_NS = 100000;        // pause between looks at a job that has no descriptor

struct connection {
    SSL *server, *client; // owned
    uint64_t start_ns;
    unsigned steps;
    bool server_done, client_done, server_turn, parked;
    struct watched watched; // descriptors of the server's job
    struct told *told;      // borrowed: whom the callback tells
    uint32_t index;
};

struct loop {
    struct tls_pair *pair;
    const struct handshake_load *load;
    struct handshake_result *result;
    struct connection *connections; // load->in_flight of them
    uint32_t *idle;                 // indices of unused connections, a stack
    uint32_t *ready;                // indices of connections that can move, a ring of in_flight
    uint32_t idle_count, ready_head, ready_count, parked;
    struct waiter waiter;
    struct told told;
    uint64_t end_ns, next_arrival_ns, seed, last_progress_ns;
    bool started; // at least one: a slice that the machine slept through still measures something
};

static void push_ready(struct loop *loop, uint32_t index)
{
    loop->ready[(loop->ready_head + loop->ready_count++) % loop->load->in_flight] = index;
}

// Open loop: in order of arrival. Closed loop: any of them, for whose bytes come next is chance; in order, connections
// that began together would stay in step for ever, as those of independent clients do not.
static uint32_t pop_ready(struct loop *loop)
{
    uint32_t size = loop->load->in_flight, *head = &loop->ready[loop->ready_head];
    if (loop->load->arrivals_per_second <= 0) {
        uint32_t *any = &loop->ready[(loop->ready_head + stats_random(&loop->seed) % loop->ready_count) % size];
        uint32_t index = *any;
        *any = *head;
        *head = index;
    }
    loop->ready_head = (loop->ready_head + 1) % size;
    loop->ready_count--;
    return *head;
}

static bool fail(struct loop *loop, const char *what)
{
    char detail[160] = "";
    if (ERR_peek_error())
        ERR_error_string_n(ERR_peek_error(), detail, sizeof(detail));
    ERR_clear_error();
    if (!loop->result->failure[0])
        snprintf(loop->result->failure, sizeof(loop->result->failure), "%s%s%s", what, detail[0] ? ": " : "", detail);
    return false;
}

static int note_answer(SSL *ssl, void *vconnection)
{
    const struct connection *connection = vconnection;
    (void)ssl;
    told_note(connection->told, connection->index);
    return 1;
}

static SSL *new_server(struct loop *loop, struct connection *connection, BIO *bio)
{
    SSL *server = SSL_new(loop->pair->server);
    if (!server)
        return NULL;
    SSL_set_bio(server, bio, bio);
    SSL_set_accept_state(server);
    if (loop->pair->callback &&
        !(SSL_set_async_callback(server, note_answer) && SSL_set_async_callback_arg(server, connection))) {
        SSL_free(server);
        return NULL;
    }
    return server;
}

static bool start(struct loop *loop, uint64_t start_ns)
{
    uint32_t index = loop->idle[--loop->idle_count];
    struct connection *connection = &loop->connections[index];
    BIO *server_bio, *client_bio;
    memset(connection, 0, sizeof(*connection));
    connection->start_ns = start_ns;
    connection->told = &loop->told;
    connection->index = index;
    loop->started = true;
    if (BIO_new_bio_pair(&server_bio, BIO_BYTES, &client_bio, BIO_BYTES) != 1)
        return fail(loop, "out of memory");

    uint64_t begin_ns = clock_thread_ns();
    connection->server = new_server(loop, connection, server_bio);
    uint64_t middle_ns = clock_thread_ns();
    connection->client = SSL_new(loop->pair->client);
    if (connection->client) {
        SSL_set_bio(connection->client, client_bio, client_bio);
        SSL_set_connect_state(connection->client);
        SSL_SESSION *session = loop->load->resume ? SSL_SESSION_dup(loop->pair->session) : NULL;
        if (session)
            SSL_set_session(connection->client, session);
        SSL_SESSION_free(session);
    }
    loop->result->server_cpu_ns += clock_section_ns(begin_ns, middle_ns);
    loop->result->client_cpu_ns += clock_section_ns(middle_ns, clock_thread_ns());
    if (!connection->server || !connection->client)
        return fail(loop, "SSL_new failed");
    push_ready(loop, index);
    return true;
}

static void end_connection(struct loop *loop, struct connection *connection)
{
    uint64_t begin_ns = clock_thread_ns();
    if (connection->server)
        SSL_set_shutdown(connection->server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(connection->server);
    uint64_t middle_ns = clock_thread_ns();
    SSL_free(connection->client);
    loop->result->server_cpu_ns += clock_section_ns(begin_ns, middle_ns);
    loop->result->client_cpu_ns += clock_section_ns(middle_ns, clock_thread_ns());
    connection->server = connection->client = NULL;
}

static int changed_descriptors(void *ssl, OSSL_ASYNC_FD *added, size_t *added_count, OSSL_ASYNC_FD *deleted,
                               size_t *deleted_count)
{
    return SSL_get_changed_async_fds(ssl, added, added_count, deleted, deleted_count);
}

// The job of this connection waits for the device: its callback will come (it may have come already: resume_answered
// finds it all the same), or watch its descriptors, or try again at once when it has none.
static void park(struct loop *loop, uint32_t index)
{
    struct connection *connection = &loop->connections[index];
    uint64_t begin_ns = clock_thread_ns();
    connection->parked = loop->pair->callback || waiter_update(&loop->waiter, &connection->watched, changed_descriptors,
                                                               connection->server, index);
    loop->result->server_cpu_ns += clock_section_ns(begin_ns, clock_thread_ns());
    loop->result->pauses++;
    if (connection->parked)
        loop->parked++;
    else
        push_ready(loop, index);
}

static int step_server(struct loop *loop, struct connection *connection)
{
    struct ideal_device *ideal = loop->pair->is_ideal ? &loop->pair->ideal : NULL;
    struct probe *probe = loop->load->phases ? &loop->result->probe : NULL;
    uint64_t begin_ns = clock_thread_ns();
    if (probe || ideal)
        probe_begin(probe, ideal, true);
    int result = SSL_do_handshake(connection->server);
    int error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(connection->server, result);
    if (probe || ideal)
        probe_end();
    loop->result->server_cpu_ns += clock_section_ns(begin_ns, clock_thread_ns());
    return error;
}

static int step_client(struct loop *loop, struct connection *connection)
{
    uint64_t begin_ns = clock_thread_ns();
    if (loop->pair->is_ideal)
        probe_begin(NULL, &loop->pair->ideal, false);
    int result = SSL_do_handshake(connection->client);
    int error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(connection->client, result);
    if (loop->pair->is_ideal)
        probe_end();
    loop->result->client_cpu_ns += clock_section_ns(begin_ns, clock_thread_ns());
    return error;
}

static void finish(struct loop *loop, uint32_t index)
{
    end_connection(loop, &loop->connections[index]);
    loop->idle[loop->idle_count++] = index;
    loop->result->done++;
    loop->last_progress_ns = clock_wall_ns();
}

// Lets the side whose turn it is move once.
static bool advance(struct loop *loop, uint32_t index)
{
    struct connection *connection = &loop->connections[index];
    bool server = connection->server_turn;
    int error = server ? step_server(loop, connection) : step_client(loop, connection);
    switch (error) {
    case SSL_ERROR_WANT_ASYNC:
        park(loop, index);
        return true;
    case SSL_ERROR_WANT_ASYNC_JOB: // no job free: one of the others must finish first
        push_ready(loop, index);
        return true;
    case SSL_ERROR_NONE:
        if (server) {
            connection->server_done = true;
            samples_add(&loop->result->latency_us, (double)(clock_wall_ns() - connection->start_ns) / 1e3);
            if (loop->load->resume && !SSL_session_reused(connection->server))
                return fail(loop, "server did not resume the session");
        } else
            connection->client_done = true;
        break;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        break;
    default:
        return fail(loop, server ? "server" : "client");
    }
    if (connection->server_done && connection->client_done) {
        finish(loop, index);
        return true;
    }
    if (++connection->steps > MAX_STEPS)
        return fail(loop, "handshake makes no progress");
    connection->server_turn = connection->client_done || (!connection->server_done && !server);
    push_ready(loop, index);
    return true;
}

// Starts what is due now. Open loop: a handshake whose time has come but that finds no connection keeps its scheduled
// start.
static bool start_due(struct loop *loop, uint64_t now_ns)
{
    bool open = loop->load->arrivals_per_second > 0;
    while (loop->idle_count > 0 && !stop_requested()) {
        if (open ? loop->next_arrival_ns > now_ns || loop->next_arrival_ns >= loop->end_ns
                 : now_ns >= loop->end_ns && loop->started)
            return true;
        if (!start(loop, open ? loop->next_arrival_ns : now_ns))
            return false;
        if (open)
            loop->next_arrival_ns += (uint64_t)stats_exponential(&loop->seed, 1e9 / loop->load->arrivals_per_second);
    }
    return true;
}

static uint64_t most_to_wait_ns(const struct loop *loop)
{
    if (loop->ready_count > 0)
        return 0;
    uint64_t now_ns = clock_wall_ns();
    if (loop->next_arrival_ns < loop->end_ns && loop->idle_count > 0 && loop->load->arrivals_per_second > 0)
        return loop->next_arrival_ns > now_ns ? loop->next_arrival_ns - now_ns : 0;
    return 1000 * POLL_NS;
}

// Resumes the jobs whose answers have come, before anything else moves: what they need is still in the caches. Waits
// only when nothing else can move.
static bool resume_answered(struct loop *loop)
{
    uint32_t ids[MAX_EVENTS];
    uint64_t timeout_ns = most_to_wait_ns(loop), begin_ns = clock_thread_ns();
    size_t count = loop->pair->callback ? told_ready(&loop->told, ids, MAX_EVENTS, timeout_ns)
                                        : waiter_ready(&loop->waiter, ids, MAX_EVENTS, timeout_ns);
    if (loop->parked > 0)
        loop->result->server_cpu_ns += clock_section_ns(begin_ns, clock_thread_ns());
    for (size_t i = 0; i < count; i++) {
        struct connection *connection = &loop->connections[ids[i]];
        if (!connection->parked)
            continue;
        connection->parked = false;
        loop->parked--;
        if (!advance(loop, ids[i]))
            return false;
    }
    return true;
}

// Everybody who can move now moves once. In between a server looks for answers: in its own memory, which is cheap, or,
// where the kernel must be asked, not every time.
static bool pass(struct loop *loop)
{
    for (uint32_t left = loop->ready_count; left > 0; left--) {
        if (!advance(loop, pop_ready(loop)))
            return false;
        bool look = loop->pair->callback ? told_any(&loop->told) : left % STEPS_A_LOOK == 0;
        if (loop->parked > 0 && left > 1 && look && !resume_answered(loop))
            return false;
    }
    return true;
}

static bool run(struct loop *loop)
{
    for (;;) {
        uint64_t now_ns = clock_wall_ns();
        bool open = loop->load->arrivals_per_second > 0;
        if (!start_due(loop, now_ns))
            return false;
        uint32_t in_flight = loop->load->in_flight - loop->idle_count;
        if (in_flight == 0)
            loop->last_progress_ns = now_ns;
        else if (now_ns > loop->last_progress_ns + STALL_NS)
            return fail(loop, "no handshake finished for 20 s");
        bool more_to_come = !stop_requested() && (open ? loop->next_arrival_ns : now_ns) < loop->end_ns;
        if (in_flight == 0 && !more_to_come)
            return true;
        if (!pass(loop))
            return false;
        if ((loop->parked > 0 || (open && loop->ready_count == 0)) && !resume_answered(loop))
            return false;
    }
}

static bool loop_init(struct loop *loop)
{
    uint32_t n = loop->load->in_flight;
    loop->connections = calloc(n, sizeof(*loop->connections));
    loop->idle = calloc(n, sizeof(*loop->idle));
    loop->ready = calloc(n, sizeof(*loop->ready));
    loop->waiter.epoll = loop->told.event_fd = -1;
    if (!loop->connections || !loop->idle || !loop->ready || !waiter_open(&loop->waiter) || !told_open(&loop->told, n))
        return fail(loop, "out of memory or descriptors");
    for (uint32_t i = 0; i < n; i++)
        loop->idle[loop->idle_count++] = n - 1 - i;
    loop->seed = loop->load->seed ? loop->load->seed : 1;
    return true;
}

bool handshake_run(struct tls_pair *pair, const struct handshake_load *load, struct handshake_result *result)
{
    struct samples latency_us = result->latency_us;
    *result = (struct handshake_result){.latency_us = latency_us};
    struct loop loop = {.pair = pair, .load = load, .result = result};
    bool good = loop_init(&loop);
    if (good) {
        uint64_t begin_ns = clock_wall_ns();
        uint64_t others_ns = clock_process_ns() - clock_thread_ns();
        loop.last_progress_ns = loop.next_arrival_ns = begin_ns;
        loop.end_ns = begin_ns + (uint64_t)(load->seconds * 1e9);
        good = run(&loop);
        uint64_t others_end_ns = clock_process_ns() - clock_thread_ns();
        result->wall_ns = clock_wall_ns() - begin_ns;
        result->helper_cpu_ns = others_end_ns > others_ns ? others_end_ns - others_ns : 0;
        result->server_cpu_ns += result->helper_cpu_ns;
    }
    for (uint32_t i = 0; loop.connections && i < load->in_flight; i++)
        end_connection(&loop, &loop.connections[i]);
    uint64_t calls = 0;
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        calls += result->probe.calls[phase];
    result->server_cpu_ns -= calls * 2 * clock_thread_cost_ns(); // the probes' own readings
    waiter_close(&loop.waiter);
    told_close(&loop.told);
    free(loop.connections);
    free(loop.idle);
    free(loop.ready);
    return good;
}
