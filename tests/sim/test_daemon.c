// SPDX-License-Identifier: Apache-2.0
// ephemera-sim as a command: clear errors, sockets that come and go properly.
#include "raw_client.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_USAGE = 2 };

TestSuite(daemon, .timeout = 60);

static void expect_complaint(int status, const char *needle, const char *const *arguments)
{
    char output[4096];
    int got = raw_run(arguments, output, sizeof output);
    cr_assert_eq(got, status, "exit status %d: %s", got, output);
    cr_assert_not_null(strstr(output, needle), "'%s' expected, got: %s", needle, output);
    cr_assert_eq(strchr(output, '\n'), output + strlen(output) - 1, "one line expected, got: %s", output);
}

#define COMPLAINT(status, needle, ...) expect_complaint(status, needle, (const char *const[]){__VA_ARGS__, NULL})

Test(daemon, says_in_one_line_what_is_wrong_with_its_arguments)
{
    COMPLAINT(EXIT_USAGE, "--socket PATH is missing", "--verbose");
    COMPLAINT(EXIT_USAGE, "'surplus' not understood", "--socket", "x", "surplus");
    COMPLAINT(EXIT_USAGE, "--engines '9'", "--socket", "x", "--engines", "9");
    COMPLAINT(EXIT_USAGE, "--contexts '4x'", "--socket", "x", "--contexts", "4x");
    COMPLAINT(EXIT_USAGE, "--ready-fd '-1'", "--socket", "x", "--ready-fd", "-1");
    COMPLAINT(EXIT_USAGE, "--awake-us '-1': a number from 0 to 1000000", "--socket", "x", "--awake-us", "-1");
    COMPLAINT(EXIT_USAGE, "--backend 'fpga': rtl, model or timed", "--socket", "x", "--backend", "fpga");
    COMPLAINT(EXIT_USAGE, "fault 'lost=2' not understood", "--socket", "x", "--backend", "model", "--faults",
              "dup=1/3,lost=2");
    COMPLAINT(EXIT_USAGE, "fault 'late=1/3:5s' not", "--socket", "x", "--backend", "model", "--faults", "late=1/3:5s");
    COMPLAINT(EXIT_USAGE, "fault 'broken@1' not", "--socket", "x", "--backend", "model", "--faults", "broken@1");
    COMPLAINT(EXIT_USAGE, "back end model with these options", "--socket", "x", "--backend", "model", "--wave",
              "x.fst");
}

Test(daemon, explains_itself)
{
    char output[8192];
    cr_assert_eq(raw_run((const char *const[]){"--help", NULL}, output, sizeof output), 0);
    cr_assert_not_null(strstr(output, "SIMULATED"));
    cr_assert_not_null(strstr(output, "--faults SPEC"));
}

Test(daemon, says_ready_in_one_line_and_keeps_its_sockets_private)
{
    struct raw_daemon daemon;
    raw_daemon_start(&daemon, raw_backend(), NULL);
    char line[512] = {0}, expected[512], attach_path[128];
    cr_assert_gt(read(daemon.output, line, sizeof line - 1), 0);
    (void)snprintf(expected, sizeof expected, "ephemera-sim: SIMULATED device ready, back end %s, socket %s\n",
                   raw_backend(), daemon.path);
    cr_assert_str_eq(line, expected);
    (void)snprintf(attach_path, sizeof attach_path, "%s%s", daemon.path, EPH_ATTACH_SUFFIX);
    struct stat status;
    cr_assert_eq(stat(daemon.path, &status), 0);
    cr_assert_eq(status.st_mode & 0777, 0600);
    cr_assert_eq(stat(attach_path, &status), 0);
    cr_assert_eq(status.st_mode & 0777, 0600);
    cr_assert_eq(raw_daemon_stop(&daemon, SIGINT), 0, "Ctrl-C is an orderly end");
}

Test(daemon, refuses_a_socket_in_use_and_replaces_a_stale_one)
{
    struct raw_daemon daemon, next;
    raw_daemon_start(&daemon, raw_backend(), NULL);
    COMPLAINT(EXIT_FAILURE, "another ephemera-sim serves this socket", "--backend", "model", "--socket", daemon.path);
    struct raw_client client;
    raw_connect(&client, daemon.path);
    cr_assert_gt(raw_version(&client), 0, "the first one was not disturbed");
    raw_close(&client);
    cr_assert_eq(raw_daemon_stop(&daemon, SIGKILL), 128 + SIGKILL);
    cr_assert_eq(access(daemon.path, F_OK), 0, "SIGKILL leaves the socket files");
    raw_daemon_restart(&next, &daemon);
    raw_connect(&client, next.path);
    cr_assert_gt(raw_version(&client), 0);
    raw_close(&client);
    cr_assert_eq(raw_daemon_stop(&next, SIGTERM), 0);
}

Test(daemon, never_touches_a_file_that_is_no_socket)
{
    char path[] = P_tmpdir "/eph-sim-file-XXXXXX";
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, "precious", 8), 8);
    COMPLAINT(EXIT_FAILURE, "exists and is not a socket", "--backend", "model", "--socket", path);
    struct stat status;
    cr_assert_eq(fstat(fd, &status), 0);
    cr_assert_eq(status.st_size, 8);
    cr_assert_eq(status.st_nlink, 1);
    close(fd);
    cr_assert_eq(unlink(path), 0);
    COMPLAINT(EXIT_FAILURE, "No such file or directory", "--backend", "model", "--socket",
              "/nonexistent/directory/socket");
    char longer[200];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    COMPLAINT(EXIT_FAILURE, "File name too long", "--backend", "model", "--socket", longer);
}

static unsigned long long cpu_ticks(pid_t pid)
{
    char path[64], text[1024];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    cr_assert_not_null(fgets(text, sizeof text, file));
    (void)fclose(file);
    unsigned long long user, system;
    cr_assert_eq(
        sscanf(strrchr(text, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system), 2);
    return user + system;
}

Test(daemon, uses_no_cpu_while_idle)
{
    struct raw_daemon daemon;
    struct raw_client client;
    struct raw_queue queue;
    struct eph_cqe cqe;
    struct eph_sqe sqe = raw_rfc7748(1);
    raw_daemon_start(&daemon, raw_backend(), NULL);
    raw_connect(&client, daemon.path);
    raw_open_function(&client);
    raw_queue_setup(&queue, &client, 3);
    raw_queue_put(&queue, &sqe);
    raw_queue_ring(&queue);
    cr_assert(raw_queue_get(&queue, &cqe, 30000));
    usleep(100000);
    unsigned long long before = cpu_ticks(daemon.pid);
    usleep(500000); // 50 ticks of a busy loop
    cr_assert_leq(cpu_ticks(daemon.pid) - before, 2);
    raw_close(&client);
    cr_assert_eq(raw_daemon_stop(&daemon, SIGTERM), 0);
}

Test(daemon, measures_itself)
{
    char output[4096];
    cr_assert_eq(raw_run((const char *const[]){"--measure", "--backend", raw_backend(), NULL}, output, sizeof output),
                 0);
    cr_assert_not_null(strstr(output, "SIMULATED one x25519 derive"));
    cr_assert_not_null(strstr(output, "SIMULATED one x25519 keygen"));
}

Test(daemon, writes_a_waveform_on_request)
{
    struct raw_daemon daemon;
    struct raw_client client;
    struct stat status;
    char path[] = P_tmpdir "/eph-sim-wave-XXXXXX";
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    if (strcmp(raw_backend(), "rtl") == 0) { // the model has no waveform, and says so: see above
        raw_daemon_start(&daemon, "rtl", (const char *const[]){"--wave", path, NULL});
        raw_connect(&client, daemon.path);
        cr_assert_gt(raw_version(&client), 0);
        cr_assert_eq(raw_read32(&client, EPH_REG_MAGIC), (uint32_t)EPH_MAGIC);
        raw_close(&client);
        cr_assert_eq(raw_daemon_stop(&daemon, SIGTERM), 0);
        cr_assert_eq(stat(path, &status), 0);
        cr_assert_gt(status.st_size, 1000);
    }
    cr_assert_eq(unlink(path), 0);
}
