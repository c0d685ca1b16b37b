// SPDX-License-Identifier: Apache-2.0
// ephemera-sim: the simulated device as a daemon.
#include "guard.h"
#include "measure.h"
#include "progress.h"
#include "server.h"
#include "sockets.h"

#include <ephemera/vfio_user.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <profile.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <timed.h>
#include <unistd.h>
#include <work.h>

enum { EXIT_USAGE = 2, TIMED_AWAKE_US = 10000, MAX_AWAKE_US = 1000000 };

struct arguments {
    const char *backend, *socket_path;
    const char *profile_path;
    struct eph_profile profile;
    struct eph_device_options device;
    long awake_us; // -1: as suits the back end
    bool stats, measure;
    int ready_fd; // -1: none
};

static void print_help(void)
{
    (void)printf(
        "ephemera-sim: serves the SIMULATED Ephemera device over vfio-user, for up to %u clients\n"
        "usage: ephemera-sim --socket PATH [options]\n"
        "  --socket PATH    UNIX socket for vfio-user clients; PATH%s takes attach requests of our driver\n"
        "  --backend NAME   rtl (default)  %s\n"
        "                   model          %s\n"
        "                   timed          %s\n"
        "  --engines N      engines of the model (1..%u)      --contexts N  contexts of its engines\n"
        "  --profile FILE   device that the timed back end imitates (sim/README.md)\n"
        "  --workers N      threads that compute for it, beside the server's own (0..%u; default 0)\n"
        "  --awake-us N     stay awake so long after each message and completion, and while work is in flight\n"
        "                   (default: timed %d, others 0; 0 on a single CPU). A write to a card costs its\n"
        "                   host next to nothing; waking a server that sleeps costs the client some 10 us\n"
        "                   of its CPU for each doorbell. Takes a core while the device is in use\n"
        "  --wave FILE      FST waveform of the rtl back end (large)\n"
        "  --faults SPEC    inject faults; SPEC is a list of:\n%s"
        "  --stats          print counters at exit            --verbose     log each session\n"
        "  --ready-fd N     write a line to descriptor N when clients can connect\n"
        "  --measure        no server: print how fast the back end simulates, and exit\n"
        "Stops on SIGINT and SIGTERM and removes its sockets.\n",
        EPH_MAX_QUEUES, EPH_ATTACH_SUFFIX,
#ifdef EPH_RTL_SIM
        eph_backend_rtl.summary,
#else
        "(not in this build)",
#endif
        eph_backend_model.summary, eph_backend_timed.summary, EPH_MAX_ENGINES, EPH_WORK_MAX_WORKERS, TIMED_AWAKE_US,
        eph_fault_help);
}

__attribute__((format(printf, 1, 2))) static int complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fprintf(stderr, "ephemera-sim: ");
    (void)vfprintf(stderr, format, arguments);
    (void)fprintf(stderr, "\n");
    va_end(arguments);
    return EXIT_USAGE;
}

static bool parse_number(const char *text, long min, long max, long *value)
{
    char *end;
    errno = 0;
    *value = strtol(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *value >= min && *value <= max;
}

static const struct option long_options[] = {
    {"socket", required_argument, NULL, 's'},
    {"backend", required_argument, NULL, 'b'},
    {"engines", required_argument, NULL, 'e'},
    {"contexts", required_argument, NULL, 'c'},
    {"profile", required_argument, NULL, 'p'},
    {"workers", required_argument, NULL, 'W'},
    {"awake-us", required_argument, NULL, 'a'},
    {"wave", required_argument, NULL, 'w'},
    {"faults", required_argument, NULL, 'f'},
    {"stats", no_argument, NULL, 'S'},
    {"verbose", no_argument, NULL, 'v'},
    {"ready-fd", required_argument, NULL, 'r'},
    {"measure", no_argument, NULL, 'm'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

// As parse.
static int parse_profile(struct arguments *arguments)
{
    bool timed = strcmp(arguments->backend, eph_backend_timed.name) == 0;
    struct eph_backend_options *backend = &arguments->device.backend;
    if (!timed && (arguments->profile_path != NULL || backend->workers != 0))
        return complain("--profile and --workers are for --backend timed");
    if (!timed)
        return -1;
    if (arguments->profile_path == NULL)
        return complain("--backend timed: --profile FILE is missing; try --help");
    if (backend->engines != 0 || backend->contexts != 0)
        return complain("--backend timed: engines and contexts are what the profile says");
    char message[512];
    if (!eph_profile_read(&arguments->profile, arguments->profile_path, message, sizeof message))
        return complain("%s", message);
    backend->profile = &arguments->profile;
    return -1;
}

// Returns -1 to go on, else the exit status.
static int parse(int argc, char **argv, struct arguments *arguments)
{
    long value;
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        switch (option) {
        case 's':
            arguments->socket_path = optarg;
            break;
        case 'b':
            arguments->backend = optarg;
            break;
        case 'e':
            if (!parse_number(optarg, 1, EPH_MAX_ENGINES, &value))
                return complain("--engines '%s': a number from 1 to %u", optarg, EPH_MAX_ENGINES);
            arguments->device.backend.engines = (uint32_t)value;
            break;
        case 'c':
            if (!parse_number(optarg, 1, 1024, &value))
                return complain("--contexts '%s': a number from 1 to 1024", optarg);
            arguments->device.backend.contexts = (uint32_t)value;
            break;
        case 'p':
            arguments->profile_path = optarg;
            break;
        case 'W':
            if (!parse_number(optarg, 0, EPH_WORK_MAX_WORKERS, &value))
                return complain("--workers '%s': a number from 0 to %u", optarg, EPH_WORK_MAX_WORKERS);
            arguments->device.backend.workers = (uint32_t)value;
            break;
        case 'a':
            if (!parse_number(optarg, 0, MAX_AWAKE_US, &arguments->awake_us))
                return complain("--awake-us '%s': a number from 0 to %d", optarg, MAX_AWAKE_US);
            break;
        case 'w':
            arguments->device.backend.wave_path = optarg;
            break;
        case 'f':
            arguments->device.faults = optarg;
            break;
        case 'S':
            arguments->stats = true;
            break;
        case 'v':
            arguments->device.verbose = true;
            break;
        case 'r':
            if (!parse_number(optarg, 0, 1 << 20, &value))
                return complain("--ready-fd '%s': a file descriptor", optarg);
            arguments->ready_fd = (int)value;
            break;
        case 'm':
            arguments->measure = true;
            break;
        case 'h':
            print_help();
            return EXIT_SUCCESS;
        default: // getopt has said what
            return complain("try --help");
        }
    }
    if (optind < argc)
        return complain("'%s' not understood; try --help", argv[optind]);
    if (!arguments->measure && arguments->socket_path == NULL)
        return complain("--socket PATH is missing; try --help");
    return parse_profile(arguments);
}

static int complain_about_backend(const struct arguments *arguments, const char *message)
{
    int error = errno;
    if (message[0] != '\0')
        return complain("%s", message);
    if (eph_backend_find(arguments->backend) == NULL)
        return complain("--backend '%s': %s", arguments->backend,
                        errno == ENOTSUP ? "this build has no RTL simulation (EPH_RTL_SIM)" : "rtl, model or timed");
    return complain("back end %s with these options: %s", arguments->backend, strerror(error));
}

static int listen_or_complain(const char *path, int type)
{
    int fd = eph_listen(path, type);
    if (fd < 0)
        (void)complain("%s: %s", path,
                       errno == EADDRINUSE ? "another ephemera-sim serves this socket"
                       : errno == EEXIST   ? "exists and is not a socket"
                                           : strerror(errno));
    return fd;
}

static int take_signals(void) // returns a descriptor that is readable after SIGINT or SIGTERM
{
    (void)eph_guard_install();
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &stop, SFD_CLOEXEC);
}

static void say_ready(const struct arguments *arguments)
{
    char line[512];
    int length = snprintf(line, sizeof line, "ephemera-sim: SIMULATED device ready, back end %s, socket %s\n",
                          arguments->backend, arguments->socket_path);
    (void)fputs(line, stdout);
    (void)fflush(stdout);
    if (arguments->ready_fd >= 0 && length > 0) {
        if (write(arguments->ready_fd, line, (size_t)length) < 0)
            (void)complain("--ready-fd %d: %s", arguments->ready_fd, strerror(errno));
        close(arguments->ready_fd);
    }
}

// On a single CPU who spins takes it from the very server that is measured.
static bool has_several_cpus(void)
{
    cpu_set_t cpus;
    return sched_getaffinity(0, sizeof cpus, &cpus) == 0 && CPU_COUNT(&cpus) > 1;
}

static uint64_t awake_ns(const struct arguments *arguments)
{
    bool timed = strcmp(arguments->backend, eph_backend_timed.name) == 0;
    long us = arguments->awake_us >= 0 ? arguments->awake_us : timed && has_several_cpus() ? TIMED_AWAKE_US : 0;
    return (uint64_t)us * 1000;
}

// Serves until a signal. The attach socket is opened first: whoever sees PATH may use both.
static int serve(const struct arguments *arguments, struct eph_device *device, int stop_fd)
{
    char attach_path[256];
    int length = snprintf(attach_path, sizeof attach_path, "%s%s", arguments->socket_path, EPH_ATTACH_SUFFIX);
    if (length < 0 || (size_t)length >= sizeof attach_path)
        return complain("%s: path too long", arguments->socket_path);
    int attach_fd = listen_or_complain(attach_path, SOCK_SEQPACKET);
    if (attach_fd < 0)
        return EXIT_FAILURE;
    int status = EXIT_FAILURE, stream_fd = listen_or_complain(arguments->socket_path, SOCK_STREAM);
    struct eph_server *server = stream_fd < 0 ? NULL : eph_server_new(device, stop_fd);
    struct eph_progress progress;
    if (server == NULL) {
        close(attach_fd);
    } else {
        eph_progress_init(&progress, device);
        eph_server_on_slice(server, eph_progress_update, &progress);
        eph_server_stay_awake(server, awake_ns(arguments));
        eph_server_listen(server, stream_fd, attach_fd);
        say_ready(arguments);
        eph_server_run(server, false);
        status = EXIT_SUCCESS;
    }
    if (stream_fd >= 0)
        (void)unlink(arguments->socket_path);
    (void)unlink(attach_path);
    eph_server_free(server);
    return status;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.backend = "rtl", .awake_us = -1, .ready_fd = -1};
    eph_backend_register(&eph_backend_timed);
    int status = parse(argc, argv, &arguments);
    if (status >= 0)
        return status;
    char message[512];
    int stop_fd = take_signals();
    if (arguments.measure) {
        status = eph_measure(arguments.backend, &arguments.device.backend, stdout);
        return status == ENOTSUP || status == EINVAL ? (errno = status, complain_about_backend(&arguments, ""))
                                                     : status;
    }
    struct eph_device *device = eph_device_new(arguments.backend, &arguments.device, message, sizeof message);
    if (device == NULL)
        return complain_about_backend(&arguments, message);
    status = serve(&arguments, device, stop_fd);
    if (arguments.stats)
        eph_device_print_stats(device);
    eph_device_log_doubt(device);
    eph_device_free(device);
    close(stop_fd);
    return status;
}
