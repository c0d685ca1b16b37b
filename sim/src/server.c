// SPDX-License-Identifier: Apache-2.0
#include "server.h"
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
    int controls[MAX_CONTROLS];                   // owned, -1: free
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
    for (unsigned i = 0; i < MAX_CONTROLS; i++)
        server->controls[i] = -1;
    return server;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void eph_server_free(struct eph_server *server)
{
    if (server == NULL)
        return;
    for (unsigned q = 0; q < EPH_MAX_QUEUES; q++)
        eph_session_free(server->sessions[q]);
    for (unsigned i = 0; i < MAX_CONTROLS; i++)
        close_fd(&server->controls[i]);
    close_fd(&server->stream_fd);
    close_fd(&server->attach_fd);
    free(server);
}

void eph_server_listen(struct eph_server *server, int stream_fd, int attach_fd)
{
    server->stream_fd = stream_fd;
    server->attach_fd = attach_fd;
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
    for (unsigned i = 0; fd >= 0 && i < MAX_CONTROLS; i++)
        if (server->controls[i] < 0) {
            server->controls[i] = fd;
            return;
        }
    if (fd >= 0)
        close(fd);
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

enum { POLL_STOP, POLL_STREAM, POLL_ATTACH, POLL_SESSIONS, POLL_CONTROLS = POLL_SESSIONS + EPH_MAX_QUEUES };
enum { POLL_COUNT = POLL_CONTROLS + MAX_CONTROLS };

static void fill(const struct eph_server *server, struct pollfd polls[POLL_COUNT])
{
    for (unsigned i = 0; i < POLL_COUNT; i++)
        polls[i] = (struct pollfd){.fd = -1, .events = POLLIN};
    polls[POLL_STOP].fd = server->stop_fd;
    polls[POLL_STREAM].fd = server->stream_fd;
    polls[POLL_ATTACH].fd = server->attach_fd;
    for (unsigned q = 0; q < EPH_MAX_QUEUES; q++)
        if (server->sessions[q] != NULL)
            polls[POLL_SESSIONS + q] =
                (struct pollfd){server->sessions[q]->fd, eph_session_events(server->sessions[q]), 0};
    for (unsigned i = 0; i < MAX_CONTROLS; i++)
        polls[POLL_CONTROLS + i].fd = server->controls[i];
}

static void serve(struct eph_server *server, const struct pollfd polls[POLL_COUNT])
{
    for (unsigned q = 0; q < EPH_MAX_QUEUES; q++) {
        const struct pollfd *entry = &polls[POLL_SESSIONS + q];
        if (entry->fd < 0 || entry->revents == 0)
            continue;
        // Without POLLIN or POLLOUT only a hang-up is reported: the client left while its reset was under way.
        if (entry->events == 0 || !eph_session_work(server->sessions[q])) {
            eph_session_free(server->sessions[q]);
            server->sessions[q] = NULL;
        }
    }
    for (unsigned i = 0; i < MAX_CONTROLS; i++)
        if (polls[POLL_CONTROLS + i].revents != 0 && !serve_control(server, server->controls[i]))
            close_fd(&server->controls[i]);
    if (polls[POLL_STREAM].revents & POLLIN)
        accept_client(server);
    if (polls[POLL_ATTACH].revents & POLLIN)
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
static const struct timespec *timeout(const struct eph_server *server, bool busy, struct timespec *space)
{
    uint64_t idle_ns = busy ? 0 : eph_device_idle_ns(server->device);
    *space = (struct timespec){(time_t)(idle_ns / 1000000000), (long)(idle_ns % 1000000000)};
    return idle_ns == UINT64_MAX ? NULL : space;
}

void eph_server_run(struct eph_server *server, bool until_idle)
{
    struct pollfd polls[POLL_COUNT];
    bool busy = false;
    while (!until_idle || has_clients(server)) {
        fill(server, polls);
        struct timespec space;
        int ready = ppoll(polls, POLL_COUNT, timeout(server, busy, &space), NULL);
        if (ready < 0 && errno != EINTR)
            return;
        if (ready > 0) {
            if (polls[POLL_STOP].revents != 0)
                return;
            serve(server, polls);
        }
        busy = eph_device_run(server->device);
        if (server->on_slice != NULL)
            server->on_slice(server->on_slice_context, busy);
    }
}
