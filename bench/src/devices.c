// SPDX-License-Identifier: Apache-2.0
#include "devices.h"

#include "paths.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { READY_MS = 10000, READY_FD = 3 };

static const struct device device_table[DEVICE_COUNT] = {
    [DEVICE_FAST] = {.name = "fast", .profile = "what-if-300k"},
    [DEVICE_SLOW] = {.name = "slow", .profile = "xc7z020"},
    [DEVICE_DEAD] = {.name = "dead", .profile = "what-if-300k"},
    [DEVICE_INFINITE] = {.name = "infinite", .profile = "infinite"},
};

// In the child: becomes the daemon, or ends.
static void become_daemon(const struct devices *devices, const struct device *device, pid_t parent, int ready)
{
    char program[PATH_MAX], profile[PATH_MAX], relative[96], output[96];
    setpgid(0, 0); // a Ctrl-C of the terminal is for the bench, which still needs its devices then
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    snprintf(relative, sizeof(relative), "../share/ephemera/profiles/%s.profile", device->profile);
    snprintf(output, sizeof(output), "%s/%s.txt", devices->folder, device->name);
    int log = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600), null = open("/dev/null", O_RDONLY);
    if (getppid() != parent || log < 0 || null < 0 || !path_beside_program("ephemera-sim", program, sizeof(program)) ||
        !path_beside_program(relative, profile, sizeof(profile)) || dup2(null, STDIN_FILENO) < 0 ||
        dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
        _exit(127);
    // dup2 clears close-on-exec, unless the descriptor is already the right one
    if (ready == READY_FD ? fcntl(ready, F_SETFD, 0) != 0 : dup2(ready, READY_FD) < 0)
        _exit(127);
    execl(program, program, "--backend", "timed", "--profile", profile, "--socket", device->uri + strlen("socket:"),
          "--stats", "--ready-fd", "3", (char *)NULL);
    _exit(127);
}

// The first line of what the daemon printed, for a message.
static void first_line(const struct devices *devices, const struct device *device, char *line, size_t size)
{
    char path[96];
    snprintf(path, sizeof(path), "%s/%s.txt", devices->folder, device->name);
    FILE *file = fopen(path, "r");
    line[0] = '\0';
    if (file && fgets(line, (int)size, file))
        line[strcspn(line, "\n")] = '\0';
    if (file)
        fclose(file);
}

static void stop(struct device *device)
{
    clockid_t clock;
    struct timespec spent;
    if (device->pid <= 0)
        return;
    if (clock_getcpuclockid(device->pid, &clock) == 0 && clock_gettime(clock, &spent) == 0)
        device->cpu_seconds = (double)spent.tv_sec + (double)spent.tv_nsec / 1e9;
    kill(device->pid, SIGTERM);
    kill(device->pid, SIGCONT);
    for (int wait_ms = 0; waitpid(device->pid, NULL, WNOHANG) == 0; wait_ms++) {
        if (wait_ms == 1000)
            kill(device->pid, SIGKILL);
        poll(NULL, 0, 1);
    }
    device->pid = 0;
}

static bool wait_ready(int fd)
{
    char byte;
    struct pollfd set = {.fd = fd, .events = POLLIN};
    return poll(&set, 1, READY_MS) == 1 && read(fd, &byte, 1) == 1;
}

static void start(struct devices *devices, struct device *device)
{
    int ready[2];
    snprintf(device->uri, sizeof(device->uri), "socket:%s/%s", devices->folder, device->name);
    snprintf(device->label, sizeof(device->label), "%s: %s, timed%s", device->name, device->profile,
             strcmp(device->name, "dead") == 0 ? ", hung" : "");
    if (pipe2(ready, O_CLOEXEC) != 0) {
        snprintf(device->skipped, sizeof(device->skipped), "no descriptors left");
        device->uri[0] = '\0';
        return;
    }
    fflush(NULL); // what is buffered must not be printed twice
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        become_daemon(devices, device, parent, ready[1]);
    }
    close(ready[1]);
    device->pid = pid > 0 ? pid : 0;
    device->simulated = true;
    if (pid <= 0 || !wait_ready(ready[0])) {
        char line[80];
        stop(device);
        first_line(devices, device, line, sizeof(line));
        snprintf(device->skipped, sizeof(device->skipped), "ephemera-sim beside this program did not start%s%s",
                 line[0] ? ": " : "", line);
        device->uri[0] = '\0';
    }
    close(ready[0]);
}

static bool make_folder(struct devices *devices)
{
    const char *parent = getenv("TMPDIR");
    int length =
        snprintf(devices->folder, sizeof(devices->folder), "%s/ephemera-bench-XXXXXX", parent ? parent : P_tmpdir);
    if (length < (int)sizeof(devices->folder) && mkdtemp(devices->folder)) // 0700: the sockets are for us alone
        return true;
    devices->folder[0] = '\0';
    return false;
}

void devices_open(struct devices *devices, const struct device_wishes *wishes)
{
    memset(devices, 0, sizeof(*devices));
    for (int id = DEVICE_FAST; id < DEVICE_COUNT; id++) {
        struct device *device = &devices->list[id];
        *device = device_table[id];
        snprintf(device->skipped, sizeof(device->skipped), "%s",
                 wishes->none ? "--no-device" : "nothing that needs it was asked for");
        if (id == DEVICE_FAST && wishes->uri) {
            device->embedded = strcmp(wishes->uri, "sim") == 0 || strncmp(wishes->uri, "sim:", 4) == 0;
            device->profile = NULL;
            device->user = true;
            device->skipped[0] = '\0';
            snprintf(device->label, sizeof(device->label), "%s", wishes->uri);
            if (snprintf(device->uri, sizeof(device->uri), "%s", wishes->uri) >= (int)sizeof(device->uri)) {
                snprintf(device->skipped, sizeof(device->skipped), "device string too long");
                device->uri[0] = '\0';
            }
        } else if (wishes->wanted[id] && !wishes->none) {
            device->skipped[0] = '\0';
            if (devices->folder[0] || make_folder(devices))
                start(devices, device);
            else
                snprintf(device->skipped, sizeof(device->skipped), "no temporary folder");
        }
    }
}

void devices_hang(struct device *device)
{
    if (device->pid > 0)
        kill(device->pid, SIGSTOP);
}

void devices_stop_hung(struct devices *devices)
{
    stop(&devices->list[DEVICE_DEAD]);
}

void devices_stop(struct devices *devices)
{
    for (int id = DEVICE_FAST; id < DEVICE_COUNT; id++)
        stop(&devices->list[id]);
}

// "completions 44490" and the like, of the daemon's --stats.
static void add_counters(json_t *row, const struct devices *devices, const struct device *device)
{
    static const char *const kept[] = {"completions", "timed_keygens", "timed_derives", "timed_late",
                                       "timed_worst_late_us"};
    char path[96], line[256], key[64];
    long long value;
    snprintf(path, sizeof(path), "%s/%s.txt", devices->folder, device->name);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof(line), file))
        for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
            if (sscanf(line, "%63s %lld", key, &value) == 2 && strcmp(key, kept[i]) == 0)
                json_object_set_new(row, key, json_integer(value));
    if (file)
        fclose(file);
}

json_t *devices_json(const struct devices *devices)
{
    json_t *rows = json_array();
    for (int id = DEVICE_FAST; id < DEVICE_COUNT; id++) {
        const struct device *device = &devices->list[id];
        if (!device->uri[0])
            continue;
        json_t *row =
            json_pack("{s:s, s:s, s:b}", "name", device->name, "device", device->label, "simulated", device->simulated);
        if (device->simulated) {
            json_object_set_new(row, "cpu_seconds", json_real(device->cpu_seconds));
            add_counters(row, devices, device);
        }
        json_array_append_new(rows, row);
    }
    return rows;
}

void devices_close(struct devices *devices)
{
    char path[PATH_MAX];
    devices_stop(devices);
    DIR *folder = devices->folder[0] ? opendir(devices->folder) : NULL;
    struct dirent *entry;
    while (folder && (entry = readdir(folder)) != NULL)
        if (entry->d_name[0] != '.' &&
            snprintf(path, sizeof(path), "%s/%s", devices->folder, entry->d_name) < (int)sizeof(path))
            unlink(path);
    if (folder)
        closedir(folder);
    if (devices->folder[0])
        rmdir(devices->folder);
    devices->folder[0] = '\0';
}
