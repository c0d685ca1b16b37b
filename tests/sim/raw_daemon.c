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
    for (unsigned i = 8; arguments != NULL && *arguments != NULL && i < MAX_ARGUMENTS - 1; i++)
        list[i] = *arguments++;
    (void)dup2(output, STDOUT_FILENO);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); // a failed test leaves no daemon behind
    (void)execv(EPH_SIM_BINARY, (char *const *)list);
    _exit(127);
}

void raw_daemon_start(struct raw_daemon *daemon, const char *backend, const char *const *arguments)
{
    int output[2], ready[2];
    (void)snprintf(daemon->directory, sizeof daemon->directory, "%s", P_tmpdir "/eph-sim-XXXXXX");
    cr_assert_not_null(mkdtemp(daemon->directory));
    (void)snprintf(daemon->path, sizeof daemon->path, "%s/socket", daemon->directory);
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

static int wait_for(struct raw_daemon *daemon)
{
    int status = 0;
    cr_assert_eq(waitpid(daemon->pid, &status, 0), daemon->pid);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int raw_daemon_stop(struct raw_daemon *daemon, int signal)
{
    (void)kill(daemon->pid, signal);
    int status = wait_for(daemon);
    close(daemon->output);
    if (signal != SIGKILL)
        cr_assert_eq(rmdir(daemon->directory), 0, "the daemon left files behind in %s", daemon->directory);
    return status;
}

unsigned long long raw_daemon_stop_counter(struct raw_daemon *daemon, const char *name)
{
    char text[8192];
    size_t length = 0;
    (void)kill(daemon->pid, SIGTERM);
    for (ssize_t got; (got = read(daemon->output, text + length, sizeof text - 1 - length)) > 0;)
        length += (size_t)got;
    text[length] = '\0';
    cr_assert_eq(raw_daemon_stop(daemon, 0), 0);
    char line[64];
    (void)snprintf(line, sizeof line, "\n%s ", name);
    const char *found = strstr(text, line);
    cr_assert_not_null(found, "no counter %s in:\n%s", name, text);
    return strtoull(found + strlen(line), NULL, 10);
}
