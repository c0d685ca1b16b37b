// SPDX-License-Identifier: Apache-2.0
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

pid_t eph_child_start(const char *const argv[], const char *const environment[], int input_fd, int output_fd)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    for (; *environment != NULL; environment++) {
        const char *equals = strchr(*environment, '=');
        if (equals == NULL) {
            unsetenv(*environment);
            continue;
        }
        char *name = strndup(*environment, (size_t)(equals - *environment));
        if (name == NULL || setenv(name, equals + 1, 1) != 0)
            _exit(126);
        free(name);
    }
    if (dup2(input_fd, STDIN_FILENO) < 0 || dup2(output_fd, STDOUT_FILENO) < 0 || dup2(output_fd, STDERR_FILENO) < 0)
        _exit(126);
    execvp(argv[0], (char *const *)argv);
    _exit(127);
}

// Milliseconds until the child ended or the time is over. True when it was reaped.
static int wait_until(pid_t pid, long deadline_ms, int *status)
{
    while (waitpid(pid, status, WNOHANG) == 0) {
        if (now_ms() >= deadline_ms)
            return 0;
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    return 1;
}

void eph_child_stop(pid_t pid)
{
    int status;
    if (pid <= 0)
        return;
    kill(pid, SIGTERM);
    if (wait_until(pid, now_ms() + 1000, &status))
        return;
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
}

static void read_output(int fd, long deadline_ms, struct eph_child_output *output)
{
    for (;;) {
        char chunk[4096];
        long left = deadline_ms - now_ms();
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (left <= 0 || poll(&wait, 1, (int)left) <= 0)
            return;
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n <= 0)
            return;
        size_t room = sizeof output->text - 1 - output->bytes;
        size_t kept = (size_t)n < room ? (size_t)n : room;
        memcpy(output->text + output->bytes, chunk, kept);
        output->bytes += kept;
        output->text[output->bytes] = 0;
    }
}

int eph_child_run(const char *const argv[], const char *const environment[], const char *input, int timeout_ms,
                  struct eph_child_output *output)
{
    long deadline_ms = now_ms() + timeout_ms;
    int pipes[2], status = -1;
    output->bytes = 0;
    output->text[0] = 0;
    int input_fd = memfd_create("input", MFD_CLOEXEC);
    if (input_fd < 0)
        return -1;
    size_t input_bytes = input != NULL ? strlen(input) : 0;
    if (write(input_fd, input, input_bytes) != (ssize_t)input_bytes || lseek(input_fd, 0, SEEK_SET) != 0 ||
        pipe2(pipes, O_CLOEXEC) != 0) {
        close(input_fd);
        return -1;
    }
    pid_t pid = eph_child_start(argv, environment, input_fd, pipes[1]);
    close(input_fd);
    close(pipes[1]);
    if (pid > 0) {
        read_output(pipes[0], deadline_ms, output);
        if (!wait_until(pid, deadline_ms, &status)) {
            eph_child_stop(pid);
            status = -1;
        }
    }
    close(pipes[0]);
    return pid > 0 && status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
