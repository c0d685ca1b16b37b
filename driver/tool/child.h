// SPDX-License-Identifier: Apache-2.0
// Child processes of `ephemera check`: with an environment of their own and a time limit.
#ifndef EPH_CHILD_H
#define EPH_CHILD_H

#include <stddef.h>
#include <sys/types.h>

struct eph_child_output {
    char text[16384]; // stdout and stderr together, the first part, NUL-terminated
    size_t bytes;
};

// Starts argv[0] (searched in PATH) with `environment` ("NAME=VALUE" sets, "NAME" unsets) on top of ours; input_fd and
// output_fd become its standard input, output and error. argv and environment end with NULL. -1 with errno set.
pid_t eph_child_start(const char *const argv[], const char *const environment[], int input_fd, int output_fd);

// SIGTERM, then SIGKILL after a second; reaps. Accepts 0 and -1.
void eph_child_stop(pid_t pid);

// Runs to the end, at most timeout_ms; input NULL: empty. Exit code, or -1: not started, killed, or out of time.
int eph_child_run(const char *const argv[], const char *const environment[], const char *input, int timeout_ms,
                  struct eph_child_output *output);

#endif
