// SPDX-License-Identifier: Apache-2.0
// One client's stream socket: framing of vfio-user messages. commands.c gives them their meaning.
#ifndef EPH_SIM_SESSION_H
#define EPH_SIM_SESSION_H

#include "device.h"

#include <ephemera/vfio_user.h>

struct eph_session {
    int fd;                        // owned
    struct eph_function *function; // attached for the life of the session
    bool versioned;                // VERSION was exchanged
    struct eph_vu_header header;
    size_t received;  // bytes of header and payload so far
    uint8_t *payload; // owned, capacity grows on demand
    size_t payload_capacity;
    int fds[EPH_VU_MAX_FDS]; // owned until a command takes them; -1: taken
    unsigned fd_count;
    uint8_t *reply; // owned; header and data
    size_t reply_capacity, reply_bytes, reply_sent;
};

// Takes ownership of fd, also on failure (NULL: no memory).
struct eph_session *eph_session_new(int fd, struct eph_function *function);
void eph_session_free(struct eph_session *session); // closes the socket and detaches the function; accepts NULL

// POLLIN, POLLOUT or 0 (its function is being reset: the client waits).
short eph_session_events(const struct eph_session *session);
// Sends and receives what is possible without blocking. False: the client is gone or broke the protocol; free the
// session.
bool eph_session_work(struct eph_session *session);

// ---- commands.c

// Room for n bytes of reply data; NULL: no memory. Kept when commands return 0.
uint8_t *eph_session_reply_data(struct eph_session *session, size_t bytes);
// Executes one message. Returns 0 or an errno value for the reply. *fatal: answer, then close.
int eph_command_execute(struct eph_session *session, const struct eph_vu_header *header, uint8_t *payload, size_t bytes,
                        bool *fatal);

#endif
