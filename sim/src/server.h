// SPDX-License-Identifier: Apache-2.0
// The event loop of one thread: clients' messages in, a slice of device work, and sleep when there is neither (for some
// time already, if asked to stay awake).
#ifndef EPH_SIM_SERVER_H
#define EPH_SIM_SERVER_H

#include "device.h"

#include <stdbool.h>
#include <stdint.h>

struct eph_server; // opaque, heap

// device is borrowed. stop_fd (borrowed) ends eph_server_run when readable.
struct eph_server *eph_server_new(struct eph_device *device, int stop_fd);
void eph_server_free(struct eph_server *server); // closes all clients; accepts NULL

// Serves one more client on this stream socket. Takes ownership of fd, also on failure. Returns 0, EBUSY or ENOMEM.
int eph_server_add_client(struct eph_server *server, int fd);
// Listening sockets (ownership taken): vfio-user streams, and the attach protocol of vfio_user.h.
void eph_server_listen(struct eph_server *server, int stream_fd, int attach_fd);
// until_idle: returns as well when the last client has left (embedded device).
void eph_server_run(struct eph_server *server, bool until_idle);

// After a message or completion, and while the card has work in flight, look for more at once instead of sleeping, for
// this long (0, the initial value: never). Takes a core.
void eph_server_stay_awake(struct eph_server *server, uint64_t awake_ns);

// Called between slices of device work and with busy = false before sleeping: a place for a progress display.
void eph_server_on_slice(struct eph_server *server, void (*on_slice)(void *context, bool busy), void *context);

#endif
