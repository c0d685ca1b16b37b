// SPDX-License-Identifier: Apache-2.0
// libephemera-sim.so: the simulated device inside the application's process, one thread, nothing of it visible but
// these two calls.
#pragma GCC visibility push(default)
#include <ephemera/sim_plugin.h>
#pragma GCC visibility pop

#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct plugin {
    struct eph_device *device; // owned
    struct eph_server *server; // owned
    int stop_fd;               // owned eventfd
    pid_t pid;                 // of the process that has the thread
    pthread_t thread;
};

static void *serve(void *context)
{
    struct plugin *plugin = context;
    eph_server_run(plugin->server, true);
    return NULL;
}

static void plugin_free(struct plugin *plugin)
{
    eph_server_free(plugin->server);
    eph_device_free(plugin->device);
    if (plugin->stop_fd >= 0)
        close(plugin->stop_fd);
    free(plugin);
}

// The application's signals must never be delivered to our thread.
static int start_thread(struct plugin *plugin)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&plugin->thread, NULL, serve, plugin);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

// fd is borrowed: the server has its own descriptor, closed with the session. Returns 0 or an errno value.
static int start(struct plugin *plugin, int fd, const char *backend, const struct eph_sim_options *options)
{
    char message[256];
    struct eph_device_options device = {.quiet = true};
    if (options != NULL) {
        if (options->abi != EPH_SIM_ABI)
            return EPROTO;
        device.backend = (struct eph_backend_options){
            .contexts = options->contexts, .engines = options->engines, .wave_path = options->wave_path};
        device.faults = options->faults;
    }
    errno = ENOMEM;
    plugin->device = eph_device_new(backend, &device, message, sizeof message);
    if (plugin->device == NULL)
        return errno == EINVAL && eph_backend_find(backend) == NULL ? ENOTSUP : errno;
    plugin->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (plugin->stop_fd < 0)
        return errno;
    plugin->server = eph_server_new(plugin->device, plugin->stop_fd);
    if (plugin->server == NULL)
        return ENOMEM;
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0)
        return errno;
    int error = eph_server_add_client(plugin->server, own);
    return error ? error : start_thread(plugin);
}

void *eph_sim_start(int fd, const char *backend, const struct eph_sim_options *options)
{
    int error = ENOMEM;
    struct plugin *plugin = calloc(1, sizeof *plugin);
    if (plugin != NULL) {
        plugin->stop_fd = -1;
        plugin->pid = getpid();
        error = start(plugin, fd, backend, options);
        if (error != 0)
            plugin_free(plugin);
    }
    close(fd);
    errno = error;
    return error ? NULL : plugin;
}

void eph_sim_stop(void *handle)
{
    struct plugin *plugin = handle;
    if (plugin == NULL)
        return;
    if (plugin->pid == getpid()) {
        uint64_t one = 1;
        (void)!write(plugin->stop_fd, &one, sizeof one);
        pthread_join(plugin->thread, NULL);
    } else { // a forked child has a copy of the device, caught at any moment, but neither its thread nor its DMA maps
        plugin->device->abandoned = true;
    }
    plugin_free(plugin);
}
