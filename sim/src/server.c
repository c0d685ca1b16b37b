// SPDX-License-Identifier: Apache-2.0
#include "server.h"
#include "clock.h"
#include "session.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_CONTROLS = 256 }; // open attach connections: one for each application, whatever its number of processes

struct eph_server {
    struct eph_device *device;                    // borrowed
    int stop_fd;                                  // borrowed
    int stream_fd, attach_fd;                     // owned, -1: none
    struct eph_session *sessions[EPH_MAX_QUEUES]; // owned, indexed by hardware queue
    int controls[MAX_CONTROLS];                   // owned, the first control_count
    unsigned control_count;
    uint64_t awake_ns;      // how long to look for more after an event, instead of sleeping; 0: not at all
    uint64_t last_event_ns; // when the last message or completion was seen
    uint64_t events;        // how many there were until then
    void (*on_slice)(void *context, bool busy);
    void *on_slice_context;
};

struct eph_server *eph_server_new(struct eph_device *device, int stop_fd)
{
    struct eph_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return NULL;
    server->device = device;
    server->stop_fd = stop_fd;
    server->stream_fd = server->attach_fd = -1;
    return server;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

void eph_server_free(struct eph_server *server)
{
    if (server == NULL)
        return;
    for (unsigned q = 0; q < EPH_MAX_QUEUES; q++)
        eph_session_free(server->sessions[q]);
    for (unsigned i = 0; i < server->control_count; i++)
        close_fd(server->controls[i]);
    close_fd(server->stream_fd);
    close_fd(server->attach_fd);
    free(server);
}

void eph_server_listen(struct eph_server *server, int stream_fd, int attach_fd)
{
    server->stream_fd = stream_fd;
    server->attach_fd = attach_fd;
}

void eph_server_stay_awake(struct eph_server *server, uint64_t awake_ns)
{
    server->awake_ns = awake_ns;
}

void eph_server_on_slice(struct eph_server *server, void (*on_slice)(void *context, bool busy), void *context)
{
    server->on_slice = on_slice;
    server->on_slice_context = context;
}

int eph_server_add_client(struct eph_server *server, int fd)
{
    struct eph_function *function = eph_function_attach(server->device);
    if (function == NULL) {
        close(fd);
        return EBUSY;
    }
    struct eph_session *session = eph_session_new(fd, function);
    if (session == NULL) {
        eph_function_detach(function);
        return ENOMEM;
    }
    server->sessions[function->queue] = session;
    return 0;
}

static void accept_client(struct eph_server *server)
{
    int fd = accept4(server->stream_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        (void)eph_server_add_client(server, fd); // refused clients read end of file; logged and counted there
}

static void accept_control(struct eph_server *server)
{
    int fd = accept4(server->attach_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0 && server->control_count < MAX_CONTROLS)
        server->controls[server->control_count++] = fd;
    else
        close_fd(fd);
}

static bool is_stream_socket(int fd)
{
    int type = 0;
    socklen_t bytes = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &bytes) == 0 && type == SOCK_STREAM;
}

// Receives one attach request; the descriptor in it becomes a client. Returns false when the connection has ended.
static bool serve_control(struct eph_server *server, int control)
{
    struct eph_attach_request request = {0};
    _Alignas(struct cmsghdr) char space[CMSG_SPACE(sizeof(int))];
    struct iovec vector = {&request, sizeof request};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    ssize_t done = recvmsg(control, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (done <= 0)
        return done < 0 && (errno == EAGAIN || errno == EINTR);
    int fd = -1;
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    if (rights != NULL && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(rights), sizeof fd);
    struct eph_attach_reply reply = {.magic = EPH_ATTACH_MAGIC, .error = EINVAL};
    if (done == sizeof request && request.magic == EPH_ATTACH_MAGIC && request.version == 1 && fd >= 0 &&
        is_stream_socket(fd))
        reply.error = eph_server_add_client(server, fd);
    else if (fd >= 0)
        close(fd);
    return send(control, &reply, sizeof reply, MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof reply;
}

// ---- the loop

enum { POLL_STOP, POLL_STREAM, POLL_ATTACH, POLL_FIXED };

// What one turn of the loop looks at: descriptors in use only, since a turn without sleep should cost a microsecond.
// After the fixed ones come the sessions, then the controls.
struct turn {
    struct pollfd polls[POLL_FIXED + EPH_MAX_QUEUES + MAX_CONTROLS];
    unsigned count;
    struct eph_session **sessions[EPH_MAX_QUEUES]; // place in the server of each session among them
    unsigned session_count;
};

static void watch(struct turn *turn, int fd, short events)
{
    turn->polls[turn->count++] = (struct pollfd){fd, events, 0};
}

static void fill(struct eph_server *server, struct turn *turn)
{
    turn->count = turn->session_count = 0;
    watch(turn, server->stop_fd, POLLIN);
    watch(turn, server->stream_fd, POLLIN);
    watch(turn, server->attach_fd, POLLIN);
    for (unsigned q = 0; q < EPH_MAX_QUEUES; q++)
        if (server->sessions[q] != NULL) {
            turn->sessions[turn->session_count++] = &server->sessions[q];
            watch(turn, server->sessions[q]->fd, eph_session_events(server->sessions[q]));
        }
    for (unsigned i = 0; i < server->control_count; i++)
        watch(turn, server->controls[i], POLLIN);
}

static void serve(struct eph_server *server, const struct turn *turn)
{
    const struct pollfd *entry = &turn->polls[POLL_FIXED];
    for (unsigned i = 0; i < turn->session_count; i++, entry++) {
        struct eph_session **session = turn->sessions[i];
        if (entry->revents == 0)
            continue;
        // Without POLLIN or POLLOUT only a hang-up is reported: the client left while its reset was under way.
        if (entry->events == 0 || !eph_session_work(*session)) {
            eph_session_free(*session);
            *session = NULL;
        }
    }
    for (unsigned i = server->control_count; i-- > 0;) // backwards: the last one takes the place of one that ended
        if (entry[i].revents != 0 && !serve_control(server, server->controls[i])) {
            close(server->controls[i]);
            server->controls[i] = server->controls[--server->control_count];
        }
    if (turn->polls[POLL_STREAM].revents & POLLIN)
        accept_client(server);
    if (turn->polls[POLL_ATTACH].revents & POLLIN)
        accept_control(server);
}

static bool has_clients(const struct eph_server *server)
{
    for (unsigned q = 0; q < EPH_MAX_QUEUES; q++)
        if (server->sessions[q] != NULL)
            return true;
    return false;
}

// NULL: without end.
static const struct timespec *timeout(uint64_t sleep_ns, struct timespec *space)
{
    *space = (struct timespec){(time_t)(sleep_ns / 1000000000), (long)(sleep_ns % 1000000000)};
    return sleep_ns == UINT64_MAX ? NULL : space;
}

// A device takes doorbells whenever they come. Who sleeps must be woken, and whoever rings pays for that; so we do not
// while the card has work, nor for a while after the last event.
static bool awake(const struct eph_server *server, uint64_t now)
{
    if (server->awake_ns == 0 || !has_clients(server))
        return false;
    return now - server->last_event_ns < server->awake_ns || eph_device_idle_ns(server->device) != UINT64_MAX;
}

// Ends a turn that began at start_ns; spun: it looked for work that was not there. No sched_yield: measured, whoever
// else wants this CPU then has nearly all of it, and answers are late by its time slices.
static void account(struct eph_server *server, uint64_t start_ns, bool spun)
{
    struct eph_device_stats *stats = &server->device->stats;
    uint64_t events = stats->messages + stats->completions, now = eph_clock_ns();
    if (events != server->events)
        server->last_event_ns = now;
    else if (spun)
        stats->spin_ns += now - start_ns;
    server->events = events;
}

void eph_server_run(struct eph_server *server, bool until_idle)
{
    struct turn turn;
    bool busy = false;
    while (!until_idle || has_clients(server)) {
        fill(server, &turn);
        uint64_t start_ns = eph_clock_ns();
        bool spinning = !busy && awake(server, start_ns);
        uint64_t sleep_ns = busy || spinning ? 0 : eph_device_idle_ns(server->device);
        if (sleep_ns > 0 && eph_device_sleep(server->device))
            sleep_ns = 0;
        struct timespec space;
        int ready = ppoll(turn.polls, turn.count, timeout(sleep_ns, &space), NULL);
        if (ready < 0 && errno != EINTR)
            return;
        if (ready > 0) {
            if (turn.polls[POLL_STOP].revents != 0)
                return;
            serve(server, &turn);
        }
        busy = eph_device_run(server->device);
        account(server, start_ns, spinning && !busy);
        if (server->on_slice != NULL)
            server->on_slice(server->on_slice_context, busy);
    }
}
