// SPDX-License-Identifier: Apache-2.0
#include "raw_client.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_ARGUMENTS = 24 };

const char *raw_backend(void)
{
    const char *backend = getenv("EPH_TEST_BACKEND");
    return backend != NULL ? backend : "model";
}

static void run_daemon(const struct raw_daemon *daemon, const char *backend, const char *const *arguments, int output,
                       int ready)
{
    char ready_text[16];
    (void)snprintf(ready_text, sizeof ready_text, "%d", ready);
    const char *list[MAX_ARGUMENTS] = {EPH_SIM_BINARY, "--stats",    "--backend",  backend,
                                       "--socket",     daemon->path, "--ready-fd", ready_text};
    unsigned count = 8;
    if (getenv("EPH_TEST_PROFILE") != NULL) {
        list[count++] = "--profile";
        list[count++] = getenv("EPH_TEST_PROFILE");
    }
    while (arguments != NULL && *arguments != NULL && count < MAX_ARGUMENTS - 1)
        list[count++] = *arguments++;
    (void)dup2(output, STDOUT_FILENO);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); // a failed test leaves no daemon behind
    (void)execv(EPH_SIM_BINARY, (char *const *)list);
    _exit(127);
}

static void spawn(struct raw_daemon *daemon, const char *backend, const char *const *arguments)
{
    int output[2], ready[2];
    cr_assert_eq(pipe2(output, O_CLOEXEC), 0);
    cr_assert_eq(pipe(ready), 0);
    daemon->pid = fork();
    cr_assert_geq(daemon->pid, 0);
    if (daemon->pid == 0)
        run_daemon(daemon, backend, arguments, output[1], ready[1]);
    close(output[1]);
    close(ready[1]);
    daemon->output = output[0];
    char byte;
    cr_assert_eq(read(ready[0], &byte, 1), 1, "ephemera-sim did not become ready");
    close(ready[0]);
}

void raw_daemon_start(struct raw_daemon *daemon, const char *backend, const char *const *arguments)
{
    (void)snprintf(daemon->directory, sizeof daemon->directory, "%s", P_tmpdir "/eph-sim-XXXXXX");
    cr_assert_not_null(mkdtemp(daemon->directory));
    (void)snprintf(daemon->path, sizeof daemon->path, "%s/socket", daemon->directory);
    spawn(daemon, backend, arguments);
}

void raw_daemon_restart(struct raw_daemon *daemon, const struct raw_daemon *killed)
{
    *daemon = *killed;
    spawn(daemon, raw_backend(), NULL);
}

static int wait_for(pid_t pid)
{
    int status = 0;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int raw_daemon_stop(struct raw_daemon *daemon, int signal)
{
    (void)kill(daemon->pid, signal);
    int status = wait_for(daemon->pid);
    close(daemon->output);
    if (signal != SIGKILL)
        cr_assert_eq(rmdir(daemon->directory), 0, "the daemon left files behind in %s", daemon->directory);
    return status;
}

static void read_all(int fd, char *text, size_t text_bytes)
{
    size_t length = 0;
    for (ssize_t got; (got = read(fd, text + length, text_bytes - 1 - length)) > 0;)
        length += (size_t)got;
    text[length] = '\0';
}

unsigned long long raw_daemon_stop_counter(struct raw_daemon *daemon, const char *name)
{
    char text[8192];
    (void)kill(daemon->pid, SIGTERM);
    read_all(daemon->output, text, sizeof text);
    cr_assert_eq(raw_daemon_stop(daemon, 0), 0);
    char line[64];
    (void)snprintf(line, sizeof line, "\n%s ", name);
    const char *found = strstr(text, line);
    cr_assert_not_null(found, "no counter %s in:\n%s", name, text);
    return strtoull(found + strlen(line), NULL, 10);
}

int raw_run(const char *const *arguments, char *output, size_t output_bytes)
{
    const char *list[MAX_ARGUMENTS] = {EPH_SIM_BINARY};
    for (unsigned i = 1; *arguments != NULL && i < MAX_ARGUMENTS - 1; i++)
        list[i] = *arguments++;
    int pipe_fds[2];
    cr_assert_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        (void)dup2(pipe_fds[1], STDOUT_FILENO);
        (void)dup2(pipe_fds[1], STDERR_FILENO);
        (void)execv(EPH_SIM_BINARY, (char *const *)list);
        _exit(127);
    }
    close(pipe_fds[1]);
    read_all(pipe_fds[0], output, output_bytes);
    close(pipe_fds[0]);
    return wait_for(pid);
}
