// SPDX-License-Identifier: Apache-2.0
// The device handle: what was opened early and is inherited by every process that attaches later.
#ifndef EPH_DEVICE_H
#define EPH_DEVICE_H

#include "transport.h"

#include <ephemera/sim_plugin.h>

enum eph_device_kind { EPH_KIND_SIM, EPH_KIND_SOCKET, EPH_KIND_PCI, EPH_KIND_BROKER };

struct eph_device {
    enum eph_device_kind kind;
    char uri[256];
    const char *argument;       // points into uri: back end, path or BDF; "" when none was given
    struct eph_options options; // its strings are owned
    // EPH_KIND_SIM
    void *plugin; // dlopen handle, owned
    eph_sim_start_fn *sim_start;
    eph_sim_stop_fn *sim_stop;
    // EPH_KIND_SOCKET
    int control_fd; // connection to PATH.attach, shared by all processes that inherit it
};

// One line to the application's log. Never a secret in it.
__attribute__((format(printf, 3, 4))) void eph_device_log(const struct eph_device *device, enum eph_log_level level,
                                                          const char *format, ...);

// Attach this process: a socket that speaks vfio-user, and for the embedded simulation the handle of its server.
struct eph_attachment {
    int socket_fd;    // owned by the taker
    void *sim_handle; // to be given to device->sim_stop, in this process only; NULL: none
};

// Start-up half of each kind: load the plugin, connect the control socket. Logs why not.
enum eph_status eph_sim_load(struct eph_device *device);
enum eph_status eph_socket_connect(struct eph_device *device);
enum eph_status eph_pci_open(struct eph_device *device);
// Per-process half.
enum eph_status eph_attach(struct eph_device *device, struct eph_attachment *attachment);
// After a handshake that failed with `status` on an attached socket: when the daemon said why, logs it and returns
// EPH_E_PERMISSION, else returns status.
enum eph_status eph_socket_explain(struct eph_device *device, enum eph_status status);

#endif
