// SPDX-License-Identifier: Apache-2.0
// From a device handle to a socket that speaks vfio-user: the embedded simulation (plugin) or an ephemera-sim daemon.
#include "device.h"
#include "util.h"

#include <ephemera/vfio_user.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char plugin_name[] = "libephemera-sim.so";

// ---- embedded simulation

// Directory of the file that holds this code: the provider module, or the program itself.
static bool own_directory(char directory[PATH_MAX])
{
    Dl_info info;
    char path[PATH_MAX];
    bool found = dladdr((void *)(uintptr_t)eph_device_open, &info) && info.dli_fname && strchr(info.dli_fname, '/') &&
                 realpath(info.dli_fname, path);
    if (!found && !realpath("/proc/self/exe", path)) // a program started by its bare name
        return false;
    *strrchr(path, '/') = 0;
    strcpy(directory, path);
    return true;
}

static void *load_plugin_at(const struct eph_device *device, const char *path)
{
    // NODELETE: the plugin's run-time library must not vanish under a thread or an exit handler.
    void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!plugin)
        eph_device_log(device, EPH_LOG_ERROR, "device=%s: can not load the simulation: %s", device->uri, dlerror());
    return plugin;
}

static void *load_plugin(const struct eph_device *device)
{
    if (device->options.sim_plugin)
        return load_plugin_at(device, device->options.sim_plugin);
    static const char *const places[] = {"", "/../lib", "/.."};
    char directory[PATH_MAX];
    if (!own_directory(directory))
        return NULL;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char path[PATH_MAX + 64];
        snprintf(path, sizeof path, "%s%s/%s", directory, places[i], plugin_name);
        if (!access(path, R_OK))
            return load_plugin_at(device, path);
    }
    eph_device_log(device, EPH_LOG_ERROR, "device=%s: %s is not in %s, its ../lib or its parent", device->uri,
                   plugin_name, directory);
    return NULL;
}

enum eph_status eph_sim_load(struct eph_device *device)
{
    device->plugin = load_plugin(device);
    if (!device->plugin)
        return EPH_E_NO_DEVICE;
    device->sim_start = (eph_sim_start_fn *)(uintptr_t)dlsym(device->plugin, "eph_sim_start");
    device->sim_stop = (eph_sim_stop_fn *)(uintptr_t)dlsym(device->plugin, "eph_sim_stop");
    if (device->sim_start && device->sim_stop)
        return EPH_OK;
    eph_device_log(device, EPH_LOG_ERROR, "device=%s: %s is not a simulation plugin", device->uri, plugin_name);
    return EPH_E_PROTOCOL;
}

static enum eph_status attach_sim(struct eph_device *device, int server_fd, struct eph_attachment *attachment)
{
    const char *backend = *device->argument ? device->argument : "rtl";
    struct eph_sim_options options = {.abi = EPH_SIM_ABI, .faults = device->options.sim_faults};
    attachment->sim_handle = device->sim_start(server_fd, backend, &options); // takes server_fd, also on failure
    if (attachment->sim_handle)
        return EPH_OK;
    int error = errno;
    eph_device_log(device, EPH_LOG_ERROR, "device=%s: simulation back end %s did not start: %s", device->uri, backend,
                   strerror(error));
    return error == ENOTSUP ? EPH_E_UNSUPPORTED : error == EINVAL ? EPH_E_INVALID : EPH_E_NO_DEVICE;
}

// ---- daemon

// Private keys go there: root's or our own daemon, nobody else's.
static bool peer_is_trusted(int fd)
{
    struct ucred peer;
    socklen_t bytes = sizeof peer;
    return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) && (peer.uid == 0 || peer.uid == geteuid());
}

enum eph_status eph_socket_connect(struct eph_device *device)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(device->argument) + sizeof EPH_ATTACH_SUFFIX > sizeof address.sun_path) {
        eph_device_log(device, EPH_LOG_ERROR, "device=%s: path longer than %zu characters", device->uri,
                       sizeof address.sun_path - sizeof EPH_ATTACH_SUFFIX);
        return EPH_E_INVALID;
    }
    sprintf(address.sun_path, "%s%s", device->argument, EPH_ATTACH_SUFFIX);
    // Non-blocking: connect(2) to a hung daemon with a full backlog would wait for ever.
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address)) {
        int error = errno;
        eph_close_fd(&fd);
        eph_device_log(device, EPH_LOG_ERROR, "device=%s: no ephemera-sim answers at %s: %s", device->uri,
                       address.sun_path, strerror(error));
        return error == EACCES || error == EPERM ? EPH_E_PERMISSION : EPH_E_NO_DEVICE;
    }
    if (!peer_is_trusted(fd)) {
        eph_close_fd(&fd);
        eph_device_log(device, EPH_LOG_ERROR, "device=%s: its server is neither root's nor ours; refused", device->uri);
        return EPH_E_PERMISSION;
    }
    if (device->control_fd < 0) {
        device->control_fd = fd;
        return EPH_OK;
    }
    // Replaced in place: another thread may be about to use the number.
    bool replaced = dup3(fd, device->control_fd, O_CLOEXEC) >= 0;
    close(fd);
    return replaced ? EPH_OK : EPH_E_NO_MEMORY;
}

// Replies only explain failures (a refused function shows as a closed socket), so nobody waits for them. They are
// drained here; processes that share the connection may read each other's.
static int32_t newest_reply_error(int control_fd)
{
    struct eph_attach_reply reply;
    int32_t error = 0;
    while (recv(control_fd, &reply, sizeof reply, MSG_DONTWAIT) == (ssize_t)sizeof reply)
        if (reply.magic == EPH_ATTACH_MAGIC)
            error = reply.error;
    return error;
}

enum eph_status eph_socket_explain(struct eph_device *device, enum eph_status status)
{
    if (device->kind != EPH_KIND_SOCKET)
        return status;
    struct pollfd reply = {.fd = device->control_fd, .events = POLLIN};
    eph_poll_until(&reply, 1, eph_now_ns() + 100 * EPH_NS_PER_MS);
    int32_t error = newest_reply_error(device->control_fd);
    if (!error)
        return status;
    eph_device_log(device, EPH_LOG_ERROR, "device=%s: the daemon refused us: %s", device->uri,
                   error == EBUSY ? "all its functions are taken" : strerror(error));
    return EPH_E_PERMISSION;
}

static bool send_attach_request(int control_fd, int server_fd)
{
    struct eph_attach_request request = {.magic = EPH_ATTACH_MAGIC, .version = 1};
    struct iovec part = {&request, sizeof request};
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof server_fd)] = {0};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof server_fd);
    memcpy(CMSG_DATA(header), &server_fd, sizeof server_fd);
    ssize_t sent;
    do
        sent = sendmsg(control_fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)sizeof request;
}

static enum eph_status attach_socket(struct eph_device *device, int server_fd)
{
    newest_reply_error(device->control_fd);
    bool sent = send_attach_request(device->control_fd, server_fd);
    if (!sent && eph_socket_connect(device) == EPH_OK) // the daemon was restarted since
        sent = send_attach_request(device->control_fd, server_fd);
    close(server_fd);
    if (sent)
        return EPH_OK;
    eph_device_log(device, EPH_LOG_ERROR, "device=%s: the daemon is gone", device->uri);
    return EPH_E_GONE;
}

enum eph_status eph_attach(struct eph_device *device, struct eph_attachment *attachment)
{
    *attachment = (struct eph_attachment){.socket_fd = -1};
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
        eph_device_log(device, EPH_LOG_ERROR, "device=%s: socketpair: %s", device->uri, strerror(errno));
        return EPH_E_NO_MEMORY;
    }
    enum eph_status status =
        device->kind == EPH_KIND_SIM ? attach_sim(device, pair[1], attachment) : attach_socket(device, pair[1]);
    if (status == EPH_OK)
        attachment->socket_fd = pair[0];
    else
        close(pair[0]);
    return status;
}
