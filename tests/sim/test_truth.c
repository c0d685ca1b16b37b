// SPDX-License-Identifier: Apache-2.0
// The timed back end says when this machine could not carry the device that it stands for.
#include "raw_client.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER_MS = 30000, ATTEMPTS = 10, BATCH = 63 };

struct outcome {
    unsigned long long answers, late, worst_us, compute_us, cpu_us, wait_us;
    char errors[1024]; // what the daemon wrote on standard error
};

static void write_file(char *path, const char *text)
{
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static unsigned long long counter(const char *text, const char *name)
{
    char line[64];
    (void)snprintf(line, sizeof line, "\n%s ", name);
    const char *found = strstr(text, line);
    cr_assert_not_null(found, "no counter %s in:\n%s", name, text);
    return strtoull(found + strlen(line), NULL, 10);
}

static size_t read_until_end(int fd, char *text, size_t text_bytes)
{
    size_t length = 0;
    for (ssize_t got; (got = read(fd, text + length, text_bytes - 1 - length)) > 0;)
        length += (size_t)got;
    text[length] = '\0';
    return length;
}

// A daemon whose standard error goes to a file, as our own does meanwhile.
static void start(struct raw_daemon *daemon, const char *profile, char *errors_path)
{
    write_file(errors_path, "");
    int own = dup(STDERR_FILENO), file = open(errors_path, O_WRONLY | O_CLOEXEC);
    cr_assert(own >= 0 && file >= 0);
    cr_assert_geq(dup2(file, STDERR_FILENO), 0);
    raw_daemon_start(daemon, "timed", (const char *const[]){"--profile", profile, "--awake-us", "1000000", NULL});
    cr_assert_geq(dup2(own, STDERR_FILENO), 0);
    close(own);
    close(file);
}

// Rivals for the one CPU that we and our children have from now on, for as long.
static void take_the_cpu_away(unsigned milliseconds)
{
    pid_t rivals[8];
    for (size_t i = 0; i < sizeof rivals / sizeof *rivals; i++)
        if ((rivals[i] = fork()) == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;)
                continue;
        }
    (void)usleep(1000 * milliseconds);
    for (size_t i = 0; i < sizeof rivals / sizeof *rivals; i++) {
        (void)kill(rivals[i], SIGKILL);
        (void)waitpid(rivals[i], NULL, 0);
    }
}

// One batch of derives on the device of this text, then rivals for its CPU.
static void run(const char *profile_text, unsigned rivals_ms, struct outcome *outcome)
{
    char profile[] = P_tmpdir "/eph-profile-XXXXXX", errors[] = P_tmpdir "/eph-errors-XXXXXX", stats[8192];
    struct raw_daemon daemon;
    struct raw_client client;
    struct raw_queue queue;
    struct eph_cqe cqe;
    write_file(profile, profile_text);
    start(&daemon, profile, errors);
    (void)unlink(profile);
    raw_connect(&client, daemon.path);
    raw_open_function(&client);
    raw_queue_setup(&queue, &client, EPH_MAX_LOG2_DEPTH);
    for (uint32_t i = 0; i < BATCH; i++) {
        struct eph_sqe sqe = raw_request(EPH_OP_DERIVE, i);
        raw_queue_put(&queue, &sqe);
    }
    raw_queue_ring(&queue);
    for (uint32_t i = 0; i < BATCH; i++)
        cr_assert(raw_queue_get(&queue, &cqe, ANSWER_MS));
    if (rivals_ms != 0)
        take_the_cpu_away(rivals_ms);
    raw_close(&client);
    (void)kill(daemon.pid, SIGTERM);
    (void)read_until_end(daemon.output, stats, sizeof stats);
    cr_assert_eq(raw_daemon_stop(&daemon, 0), 0);
    int fd = open(errors, O_RDONLY | O_CLOEXEC);
    (void)read_until_end(fd, outcome->errors, sizeof outcome->errors);
    close(fd);
    (void)unlink(errors);
    outcome->answers = counter(stats, "timed_answers");
    outcome->late = counter(stats, "timed_late");
    outcome->worst_us = counter(stats, "timed_worst_late_us");
    outcome->cpu_us = counter(stats, "cpu_us");
    outcome->wait_us = counter(stats, "timed_cpu_wait_us");
    outcome->compute_us = counter(stats, "timed_compute_us");
}

static const char slow_enough[] =
    "engines=1\nclock_mhz=1\ncontexts=64\nx25519.derive=200000\npcie_round_trip_ns=0\n"; // a derive in 200 ms

static bool says(const struct outcome *outcome, const char *what)
{
    return strstr(outcome->errors, what) != NULL;
}

// What it says about lateness is what it counted; a loaded machine may well give reason to.
static void expect_truth(const struct outcome *outcome)
{
    bool late = outcome->late * 100 > outcome->answers * 5;
    cr_assert_eq(outcome->answers, (unsigned long long)BATCH);
    cr_assert_eq(says(outcome, "the described rate was not sustained"), late, "%llu late: %s", outcome->late,
                 outcome->errors);
    if (outcome->errors[0] != '\0')
        cr_assert_eq(strchr(outcome->errors, '\n'), outcome->errors + strlen(outcome->errors) - 1, "one line: %s",
                     outcome->errors);
}

TestSuite(truth, .timeout = 110);

Test(truth, tells_in_one_line_that_the_rate_was_not_sustained)
{
    struct outcome got;
    char expected[256];
    run("engines=1\nclock_mhz=100\ncontexts=64\nx25519.derive=100\npcie_round_trip_ns=0\n", 0, &got); // in 1 us
    expect_truth(&got);
    cr_assert_gt(got.late, BATCH * 5ull / 100, "a machine of a million derives a second?");
    cr_assert_gt(got.worst_us, 100ull);
    (void)snprintf(expected, sizeof expected,
                   "ephemera-sim: the described rate was not sustained on this machine: %llu of %d answers came more "
                   "than 100 us late, the worst %llu us; others had the CPU for ",
                   got.late, BATCH, got.worst_us);
    cr_assert_eq(strncmp(got.errors, expected, strlen(expected)), 0, "'%s...' expected, got: %s", expected, got.errors);
    cr_assert_gt(got.compute_us, 0ull);
}

Test(truth, is_silent_when_it_was)
{
    struct outcome got = {.errors = "not run"};
    for (int i = 0; i < ATTEMPTS && got.errors[0] != '\0'; i++) {
        run(slow_enough, 0, &got);
        expect_truth(&got);
    }
    cr_assert(got.errors[0] == '\0' || got.late != 0 || got.wait_us * 100 > (got.cpu_us + got.wait_us) * 4,
              "%llu us waited, %llu us used: %s", got.wait_us, got.cpu_us, got.errors);
}

Test(truth, tells_that_others_had_the_cpu)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    cr_assert_eq(sched_setaffinity(0, sizeof one, &one), 0);
    struct outcome got = {.late = BATCH};
    for (int i = 0; i < ATTEMPTS && got.late * 100 > got.answers * 5; i++) { // none late, and still in doubt
        run(slow_enough, 400, &got);
        expect_truth(&got);
        cr_assert_gt(got.wait_us, 50000ull);
        cr_assert(says(&got, "others had the CPU for "), "%llu us waited, but: %s", got.wait_us, got.errors);
    }
}
