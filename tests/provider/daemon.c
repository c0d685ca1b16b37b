// SPDX-License-Identifier: Apache-2.0
#include "daemon.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t daemon_pid;
static char daemon_path[80];

// option may be NULL: then value is not looked at.
static void start(const char *backend, const char *option, const char *value)
{
    int ready[2];
    char byte, ready_fd[16];
    snprintf(daemon_path, sizeof daemon_path, "/tmp/eph-provider-sim.%ld", (long)getpid());
    cr_assert_eq(pipe(ready), 0);
    snprintf(ready_fd, sizeof ready_fd, "%d", ready[1]);
    daemon_pid = fork();
    if (daemon_pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        close(ready[0]);
        execl(EPH_SIM_BINARY, EPH_SIM_BINARY, "--backend", backend, "--socket", daemon_path, "--ready-fd", ready_fd,
              option, value, (char *)NULL);
        _exit(127);
    }
    close(ready[1]);
    cr_assert_eq(read(ready[0], &byte, 1), 1, "ephemera-sim does not start");
    close(ready[0]);
}

void daemon_start(const char *faults)
{
    start("model", faults[0] ? "--faults" : NULL, faults);
}

void daemon_start_timed(const char *profile)
{
    start("timed", "--profile", profile);
}

void daemon_stop(int signal)
{
    char attach[100];
    if (daemon_pid <= 0)
        return;
    kill(daemon_pid, SIGCONT); // a stopped one must wake up to end
    kill(daemon_pid, signal);
    waitpid(daemon_pid, NULL, 0);
    daemon_pid = 0;
    snprintf(attach, sizeof attach, "%s.attach", daemon_path);
    unlink(daemon_path);
    unlink(attach);
}

void daemon_signal(int signal)
{
    cr_assert_eq(kill(daemon_pid, signal), 0);
}

void daemon_rig(struct rig *rig, const char *more)
{
    char section[256];
    snprintf(section, sizeof section, "device = socket:%s\n%s", daemon_path, more);
    rig_open(rig, section);
}
