// SPDX-License-Identifier: Apache-2.0
// Listening UNIX sockets of the daemon.
#ifndef EPH_SIM_SOCKETS_H
#define EPH_SIM_SOCKETS_H

// Listens on path (mode 0600). A socket file that nobody serves any more is replaced; one in use, or another kind of
// file, is not. Returns the descriptor or -1 with errno set: EADDRINUSE in use, EEXIST not a socket, ENAMETOOLONG.
int eph_listen(const char *path, int type);

#endif
