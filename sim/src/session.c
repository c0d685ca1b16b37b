// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGES_PER_TURN = 64 }; // then the other clients have theirs

struct eph_session *eph_session_new(int fd, struct eph_function *function)
{
    struct eph_session *session = calloc(1, sizeof *session);
    if (session == NULL) {
        close(fd);
        return NULL;
    }
    session->fd = fd;
    session->function = function;
    return session;
}

static void close_fds(struct eph_session *session)
{
    for (unsigned i = 0; i < session->fd_count; i++)
        if (session->fds[i] >= 0)
            close(session->fds[i]);
    session->fd_count = 0;
}

void eph_session_free(struct eph_session *session)
{
    if (session == NULL)
        return;
    close(session->fd);
    close_fds(session);
    eph_function_detach(session->function);
    free(session->payload);
    free(session->reply);
    free(session);
}

short eph_session_events(const struct eph_session *session)
{
    if (session->function->resetting)
        return 0;
    return session->reply_sent < session->reply_bytes ? POLLOUT : POLLIN;
}

static bool ensure(uint8_t **buffer, size_t *capacity, size_t bytes)
{
    if (bytes <= *capacity)
        return true;
    uint8_t *grown = realloc(*buffer, bytes);
    if (grown == NULL)
        return false;
    *buffer = grown;
    *capacity = bytes;
    return true;
}

uint8_t *eph_session_reply_data(struct eph_session *session, size_t bytes)
{
    size_t total = sizeof(struct eph_vu_header) + bytes;
    if (!ensure(&session->reply, &session->reply_capacity, total))
        return NULL;
    session->reply_bytes = total;
    return session->reply + sizeof(struct eph_vu_header);
}

static void take_fds(struct eph_session *session, struct msghdr *message)
{
    for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control != NULL; control = CMSG_NXTHDR(message, control)) {
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(control) + i * sizeof fd, sizeof fd);
            if (session->fd_count < EPH_VU_MAX_FDS)
                session->fds[session->fd_count++] = fd;
            else
                close(fd);
        }
    }
}

enum progress { PROGRESS, WOULD_BLOCK, ENDED };

static enum progress progress_of(ssize_t done)
{
    if (done > 0)
        return PROGRESS;
    return done < 0 && (errno == EAGAIN || errno == EINTR) ? WOULD_BLOCK : ENDED;
}

// MSG_DONTWAIT instead of O_NONBLOCK: the open file description belongs to the client as well.
static enum progress receive(struct eph_session *session, void *buffer, size_t bytes)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * EPH_VU_MAX_FDS)];
    struct iovec vector = {buffer, bytes};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t done = recvmsg(session->fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (done >= 0)
        take_fds(session, &message);
    if (done > 0)
        session->received += (size_t)done;
    return progress_of(done);
}

static enum progress flush(struct eph_session *session)
{
    while (session->reply_sent < session->reply_bytes) {
        ssize_t done = send(session->fd, session->reply + session->reply_sent,
                            session->reply_bytes - session->reply_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (done <= 0)
            return progress_of(done);
        session->reply_sent += (size_t)done;
    }
    session->reply_bytes = session->reply_sent = 0;
    return PROGRESS;
}

static bool header_valid(const struct eph_vu_header *header)
{
    return header->bytes >= sizeof *header && header->bytes <= EPH_VU_MAX_MESSAGE &&
           (header->flags & EPH_VU_TYPE_MASK) == EPH_VU_COMMAND;
}

static bool execute(struct eph_session *session)
{
    const struct eph_vu_header *request = &session->header;
    size_t bytes = request->bytes - sizeof *request;
    bool fatal = false;
    session->function->device->stats.messages++;
    session->reply_bytes = 0;
    int error = eph_command_execute(session, request, session->payload, bytes, &fatal);
    close_fds(session);
    if (error != 0)
        eph_device_trace(session->function->device, "function %u: command %u answered %s", session->function->queue,
                         request->command, strerror(error));
    if (error != 0 || session->reply_bytes == 0)
        if (eph_session_reply_data(session, 0) == NULL)
            return false;
    struct eph_vu_header reply = {.id = request->id,
                                  .command = request->command,
                                  .bytes = (uint32_t)session->reply_bytes,
                                  .flags = EPH_VU_REPLY | (error ? EPH_VU_ERROR : 0),
                                  .error = (uint32_t)error};
    memcpy(session->reply, &reply, sizeof reply);
    if (request->flags & EPH_VU_NO_REPLY)
        session->reply_bytes = 0;
    if (fatal)
        (void)flush(session); // the client hears why before the socket closes
    return !fatal;
}

// Receives one message or a part of it and executes it when complete.
static enum progress receive_message(struct eph_session *session)
{
    if (session->received < sizeof session->header) {
        enum progress progress = receive(session, (uint8_t *)&session->header + session->received,
                                         sizeof session->header - session->received);
        if (progress != PROGRESS || session->received < sizeof session->header)
            return progress;
        if (!header_valid(&session->header) ||
            !ensure(&session->payload, &session->payload_capacity, session->header.bytes - sizeof session->header)) {
            session->function->device->stats.protocol_errors++;
            eph_device_log(session->function->device, "function %u: bad message header, closing",
                           session->function->queue);
            return ENDED;
        }
    }
    if (session->received < session->header.bytes) {
        enum progress progress = receive(session, session->payload + session->received - sizeof session->header,
                                         session->header.bytes - session->received);
        if (progress != PROGRESS || session->received < session->header.bytes)
            return progress;
    }
    session->received = 0;
    return execute(session) ? PROGRESS : ENDED;
}

bool eph_session_work(struct eph_session *session)
{
    for (unsigned i = 0; i < MESSAGES_PER_TURN && !session->function->resetting; i++) {
        enum progress progress = flush(session);
        if (progress == PROGRESS)
            progress = receive_message(session);
        if (progress != PROGRESS)
            return progress == WOULD_BLOCK;
    }
    return true;
}
