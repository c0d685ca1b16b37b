// SPDX-License-Identifier: Apache-2.0
// The timed back end stays awake while it is used, so that its clients do not pay for waking it, and sleeps when it is
// not. EPH_TEST_PROFILE: a device that takes milliseconds at most.
#include "raw_client.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_MS = 30000, ATTEMPTS = 10, RINGS = 40 };

static struct raw_daemon daemon_;
static struct raw_client client;
static struct raw_queue queue;

static void start(const char *awake_us) // NULL: the default
{
    raw_daemon_start(&daemon_, "timed", awake_us != NULL ? (const char *const[]){"--awake-us", awake_us, NULL} : NULL);
    raw_connect(&client, daemon_.path);
    raw_open_function(&client);
    raw_queue_setup(&queue, &client, EPH_MAX_LOG2_DEPTH);
}

static unsigned long long stop_and_count(const char *name)
{
    raw_close(&client);
    return raw_daemon_stop_counter(&daemon_, name);
}

static void derive_one(uint32_t tag)
{
    struct eph_sqe sqe = raw_request(EPH_OP_DERIVE, tag);
    struct eph_cqe cqe;
    raw_queue_put(&queue, &sqe);
    raw_queue_ring(&queue);
    cr_assert(raw_queue_get(&queue, &cqe, ANSWER_MS));
    cr_assert_eq(cqe.tag, tag);
}

// How often the daemon has given up its CPU by itself: it slept.
static unsigned long daemon_sleeps(void)
{
    static const char name[] = "\nvoluntary_ctxt_switches:";
    char path[64], text[4096];
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)daemon_.pid);
    FILE *file = fopen(path, "re");
    cr_assert_not_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    const char *found = strstr(text, name);
    cr_assert_not_null(found);
    return strtoul(found + strlen(name), NULL, 10);
}

static double daemon_cpu_ms(void)
{
    clockid_t clock;
    struct timespec used;
    cr_assert_eq(clock_getcpuclockid(daemon_.pid, &clock), 0);
    cr_assert_eq(clock_gettime(clock, &used), 0);
    return (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6;
}

// Doorbells a millisecond apart, of a queue with nothing to do. Returns how often the daemon slept meanwhile.
static unsigned long sleeps_between_doorbells(void)
{
    unsigned long before = daemon_sleeps();
    for (int i = 0; i < RINGS; i++) {
        raw_post32(&client, EPH_DOORBELL_BASE + EPH_DB_CQ_HEAD, queue.cq_head);
        (void)usleep(1000);
    }
    return daemon_sleeps() - before;
}

TestSuite(awake, .timeout = 110);

Test(awake, no_doorbell_wakes_a_device_in_use)
{
    start("200000"); // long against what a loaded machine lets us wait
    unsigned long fewest = RINGS;
    for (int i = 0; i < ATTEMPTS && fewest > RINGS / 10; i++) {
        unsigned long slept = sleeps_between_doorbells();
        fewest = slept < fewest ? slept : fewest;
    }
    cr_assert_leq(fewest, RINGS / 10, "slept %lu times between %d doorbells", fewest, RINGS);
    cr_assert_gt(stop_and_count("spin_us"), 0ull);
}

Test(awake, one_that_may_sleep_is_woken_by_each)
{
    start("0");
    derive_one(1);
    unsigned long most = 0;
    for (int i = 0; i < ATTEMPTS && most < RINGS / 2; i++) {
        unsigned long slept = sleeps_between_doorbells();
        most = slept > most ? slept : most;
    }
    cr_assert_geq(most, RINGS / 2, "slept %lu times between %d doorbells", most, RINGS);
    cr_assert_eq(stop_and_count("spin_us"), 0ull);
}

Test(awake, the_timed_back_end_is_so_unless_told_otherwise)
{
    cpu_set_t cpus;
    cr_assert_eq(sched_getaffinity(0, sizeof cpus, &cpus), 0);
    start(NULL);
    derive_one(1);
    unsigned long long spin_us = stop_and_count("spin_us");
    if (CPU_COUNT(&cpus) > 1)
        cr_assert_gt(spin_us, 0ull);
    else
        cr_assert_eq(spin_us, 0ull);
}

Test(awake, on_a_single_cpu_it_is_not)
{
    cpu_set_t cpus, one;
    cr_assert_eq(sched_getaffinity(0, sizeof cpus, &cpus), 0);
    CPU_ZERO(&one);
    for (int cpu = 0; CPU_COUNT(&one) == 0; cpu++)
        if (CPU_ISSET(cpu, &cpus))
            CPU_SET(cpu, &one);
    cr_assert_eq(sched_setaffinity(0, sizeof one, &one), 0);
    start(NULL);
    derive_one(1);
    cr_assert_eq(stop_and_count("spin_us"), 0ull);
}

Test(awake, an_idle_device_costs_no_cpu)
{
    start("2000");
    derive_one(1);
    double least = 1000;
    for (int i = 0; i < 3 && least > 20; i++) {
        (void)usleep(50000);
        double before = daemon_cpu_ms();
        (void)usleep(1000000);
        double used = daemon_cpu_ms() - before;
        least = used < least ? used : least;
    }
    cr_assert_leq(least, 20, "%.1f ms of CPU in a second of idleness", least);
    derive_one(2);
    (void)stop_and_count("spin_us");
}

Test(awake, work_in_flight_keeps_it_awake)
{
    start("1"); // over long before the derive is
    struct eph_sqe sqe = raw_request(EPH_OP_DERIVE, 1);
    for (uint32_t i = 0; i < 60; i++)
        raw_queue_put(&queue, &sqe);
    raw_queue_ring(&queue);
    for (uint32_t i = 0; i < 60; i++) {
        struct eph_cqe cqe;
        cr_assert(raw_queue_get(&queue, &cqe, ANSWER_MS));
    }
    for (uint32_t i = 0; i < 100; i++)
        derive_one(i);
    unsigned long long spin_us = stop_and_count("spin_us"); // most of the 100 ms
    cr_assert_gt(spin_us, 10000ull, "%llu us", spin_us);
}
