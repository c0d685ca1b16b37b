// SPDX-License-Identifier: Apache-2.0
// Operations inside async jobs: they overlap, each has its own descriptor, and whatever happens to the device or the
// connection while they are paused leaves nothing behind.
#include "daemon.h"
#include "rig.h"

#include <criterion/criterion.h>
#include <openssl/async.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct rig rig;

static void setup(void)
{
    unsetenv("EPHEMERA_DEVICE");
    unsetenv("EPHEMERA_OFFLOAD");
    unsetenv("EPHEMERA_STATS");
}

static void teardown(void)
{
    if (rig.ours != NULL)
        rig_close(&rig);
    daemon_stop(SIGTERM);
}

TestSuite(async, .init = setup, .fini = teardown, .timeout = 60);

// ---- jobs

enum { MAX_JOBS = 270 };

struct task {
    int (*body)(void *); // its argument is the address of the task's address
    ASYNC_JOB *job;
    ASYNC_WAIT_CTX *context;
    int state; // ASYNC_PAUSE, ASYNC_FINISH
    int result;
};

static struct task tasks[MAX_JOBS]; // static: fibres of abandoned jobs stay reachable for LeakSanitizer

static int agree(void *unused)
{
    (void)unused;
    rig_agree(&rig);
    return 1;
}

static int generate(void *unused)
{
    (void)unused;
    EVP_PKEY_free(rig_generate(rig.ours));
    return 1;
}

static int generate_twice(void *unused)
{
    return generate(unused) && generate(unused);
}

static void run(struct task *task)
{
    task->state = ASYNC_start_job(&task->job, task->context, &task->result, task->body, NULL, 0);
    cr_assert(task->state == ASYNC_PAUSE || task->state == ASYNC_FINISH, "job state %d", task->state);
    cr_assert(task->state == ASYNC_PAUSE || task->result == 1);
}

static void start(struct task *task, int (*body)(void *))
{
    *task = (struct task){.body = body, .context = ASYNC_WAIT_CTX_new()};
    cr_assert(task->context != NULL);
    run(task);
}

static struct pollfd wanted(const struct task *task)
{
    size_t count = 0;
    OSSL_ASYNC_FD fd = -1;
    cr_assert(ASYNC_WAIT_CTX_get_all_fds(task->context, NULL, &count));
    cr_assert_eq(count, 1);
    cr_assert(ASYNC_WAIT_CTX_get_all_fds(task->context, &fd, &count));
    return (struct pollfd){.fd = fd, .events = POLLIN};
}

// Resumes what is ready until all have finished. Returns the number of pauses.
static unsigned finish(struct task *task, int count)
{
    unsigned pauses = 0;
    for (;;) {
        struct pollfd fds[MAX_JOBS];
        struct task *paused[MAX_JOBS];
        nfds_t n = 0;
        for (int i = 0; i < count; i++)
            if (task[i].state == ASYNC_PAUSE) {
                paused[n] = &task[i];
                fds[n++] = wanted(&task[i]);
            }
        if (n == 0)
            break;
        cr_assert(poll(fds, n, 10000) > 0, "nobody wakes %lu paused jobs", (unsigned long)n);
        for (nfds_t i = 0; i < n; i++)
            if (fds[i].revents != 0) {
                run(paused[i]);
                pauses++;
            }
    }
    for (int i = 0; i < count; i++)
        ASYNC_WAIT_CTX_free(task[i].context);
    return pauses;
}

static uint64_t milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t on_device(void)
{
    return rig_operations(&rig, EPH_OP_KEYGEN, EPH_STATS_SERVED_DEVICE) +
           rig_operations(&rig, EPH_OP_DERIVE, EPH_STATS_SERVED_DEVICE);
}

// An attach and the thread, so that what follows counts descriptors and time of jobs alone.
static void warm_up(void)
{
    start(&tasks[0], agree);
    finish(tasks, 1);
}

// ---- overlap

Test(async, jobs_pause_and_agree)
{
    rig_open(&rig, "device = sim:model\noffload = always\n");
    warm_up();
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 16; i++)
            start(&tasks[i], agree);
        cr_assert(finish(tasks, 16) >= 16);
    }
    struct eph_stats_counters counters = rig_counters(&rig);
    cr_assert_eq(on_device(), 2 * 161);
    cr_assert_eq(counters.async_resumed, 2 * 161);
    cr_assert_eq(counters.async_paused, 0);
    cr_assert_eq(counters.async_abandoned, 0);
    cr_assert_eq(rig_fallbacks(&rig), 0);
}

// A device of 20 ms: one by one, 32 keys and derivations would take 1.28 s.
Test(async, jobs_overlap_on_a_slow_device)
{
    daemon_start("late=1/1:20ms");
    daemon_rig(&rig, "offload = always\n");
    warm_up();
    uint64_t begin = milliseconds();
    for (int i = 0; i < 32; i++)
        start(&tasks[i], agree);
    cr_assert_eq(rig_counters(&rig).async_paused, 32);
    for (int i = 0; i < 32; i++)
        for (int j = 0; j < i; j++)
            cr_assert_neq(wanted(&tasks[i]).fd, wanted(&tasks[j]).fd, "two connections share a descriptor");
    finish(tasks, 32);
    cr_assert(milliseconds() - begin < 640);
    cr_assert_eq(on_device(), 2 * 33);
}

static void *thread_of_jobs(void *vtasks)
{
    struct task *own = vtasks;
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 8; i++)
            start(&own[i], agree);
        finish(own, 8);
    }
    ASYNC_cleanup_thread();
    return NULL;
}

Test(async, four_threads_of_jobs)
{
    pthread_t threads[4];
    rig_open(&rig, "device = sim:model\noffload = always\n");
    warm_up();
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, thread_of_jobs, &tasks[i * 8]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(on_device(), 2 + 4 * 5 * 8 * 2);
    cr_assert_eq(rig_fallbacks(&rig), 0);
}

Test(async, pooled_keys_do_not_pause)
{
    rig_open(&rig, "device = sim:model\noffload = always\npool = 16\n");
    for (int i = 0; i < 1000 && rig_counters(&rig).pool_keys < 4; i++) {
        start(&tasks[0], generate);
        finish(tasks, 1);
    }
    uint64_t before = rig_operations(&rig, EPH_OP_KEYGEN, EPH_STATS_SERVED_POOL);
    start(&tasks[0], generate);
    cr_assert_eq(tasks[0].state, ASYNC_FINISH);
    finish(tasks, 1);
    cr_assert_eq(rig_operations(&rig, EPH_OP_KEYGEN, EPH_STATS_SERVED_POOL), before + 1);
}

static int ask_size(void *unused)
{
    (void)unused;
    size_t bytes = 0;
    uint8_t scalar[32] = {1, 2, 3}, u[32] = {9};
    EVP_PKEY *own = rig_private(rig.ours, scalar), *peer = rig_public(rig.ours, u);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(rig.ours, own, NULL);
    bool good = EVP_PKEY_derive_init(context) > 0 && EVP_PKEY_derive_set_peer_ex(context, peer, 0) > 0 &&
                EVP_PKEY_derive(context, NULL, &bytes) > 0 && bytes == 32;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(own);
    EVP_PKEY_free(peer);
    return good;
}

Test(async, question_for_the_size_does_not_pause)
{
    rig_open(&rig, "device = sim:model\noffload = always\n");
    start(&tasks[0], ask_size);
    cr_assert_eq(tasks[0].state, ASYNC_FINISH);
    finish(tasks, 1);
    cr_assert_eq(on_device(), 0);
}

// ---- policy

// What software and offloads cost is measured on the first operations, so some of them go to the device.
Test(async, auto_measures_software_then_offloads)
{
    rig_open(&rig, "device = sim:model\noffload = auto\n");
    for (int i = 0; i < 40; i++) {
        start(&tasks[0], agree);
        finish(tasks, 1);
    }
    struct eph_stats_counters counters = rig_counters(&rig);
    cr_assert(counters.policy[EPH_POLICY_UNMEASURED] >= 16);
    cr_assert(counters.async_resumed >= 8);
    cr_assert_eq(counters.policy[EPH_POLICY_SLOWER], 0);
    cr_assert_eq(counters.policy[EPH_POLICY_LATE], 0);
    cr_assert_eq(on_device(), counters.async_resumed);
}

// A single connection has nothing to do while its job is paused, so the offload saves nothing. A device of 5 ms: the
// process is idle meanwhile.
Test(async, auto_leaves_a_lone_connection_to_software)
{
    daemon_start("late=1/1:5ms");
    daemon_rig(&rig, "offload = auto\ndeadline_ms = 1000\n");
    for (int i = 0; i < 60; i++) {
        start(&tasks[0], agree);
        finish(tasks, 1);
    }
    cr_expect_geq(on_device(), 8, "no trial");
    cr_expect_leq(on_device(), 24, "trial without end");
    cr_expect_geq(rig_counters(&rig).policy[EPH_POLICY_NO_RELIEF], 60);
}

Test(async, auto_offloads_connections_that_keep_each_other_company)
{
    daemon_start("late=1/1:5ms");
    daemon_rig(&rig, "offload = auto\ndeadline_ms = 1000\n");
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 16; i++)
            start(&tasks[i], agree);
        finish(tasks, 16);
    }
    cr_expect_geq(on_device(), 200, "of 320: %" PRIu64, on_device());
    cr_expect_eq(rig_counters(&rig).policy[EPH_POLICY_NO_RELIEF], 0);
}

Test(async, auto_keeps_to_software_when_the_answer_would_come_late)
{
    daemon_start("late=1/1:50ms");
    daemon_rig(&rig, "offload = auto\ndeadline_ms = 80\n");
    for (int i = 0; i < 40; i++) {
        start(&tasks[0], agree);
        finish(tasks, 1);
    }
    cr_assert(rig_counters(&rig).policy[EPH_POLICY_LATE] >= 40);
    cr_assert_eq(on_device(), 0);
}

Test(async, more_paused_jobs_than_allowed_are_done_in_software)
{
    enum { ALLOWED = 256, AT_ONCE = 32, MORE = 8 };
    rig_open(&rig, "device = sim:model\noffload = always\n");
    warm_up();
    for (int i = 0; i < ALLOWED + MORE; i++) {
        start(&tasks[i], generate);
        cr_assert_eq(tasks[i].state, i < ALLOWED ? ASYNC_PAUSE : ASYNC_FINISH);
        if (i % AT_ONCE == AT_ONCE - 1 && i < ALLOWED) { // room in the device's queue
            struct pollfd fd = wanted(&tasks[i]);
            cr_assert(poll(&fd, 1, 5000) == 1);
        }
        if (i == ALLOWED - 1)
            cr_assert_eq(rig_counters(&rig).async_paused, ALLOWED);
    }
    finish(tasks, ALLOWED + MORE);
    cr_assert_eq(rig_counters(&rig).fallbacks[EPH_CAUSE_ASYNC_FULL], MORE);
    cr_assert_eq(rig_fallbacks(&rig), MORE);
    cr_assert_eq(rig_counters(&rig).async_paused, 0);
}

// HAProxy 2.6 stops with a FATAL when it closes a connection whose descriptor no pause has shown to it.
Test(async, descriptor_appears_with_a_pause_only)
{
    daemon_start("");
    daemon_rig(&rig, "offload = always\n");
    warm_up();
    daemon_stop(SIGKILL);
    start(&tasks[0], generate);
    size_t count = 0;
    cr_assert(ASYNC_WAIT_CTX_get_all_fds(tasks[0].context, NULL, &count));
    cr_assert_eq(count, tasks[0].state == ASYNC_PAUSE ? 1 : 0);
    finish(tasks, 1);
    start(&tasks[0], generate); // by now the device is known to be gone
    cr_assert_eq(tasks[0].state, ASYNC_FINISH);
    cr_assert(ASYNC_WAIT_CTX_get_all_fds(tasks[0].context, NULL, &count));
    cr_assert_eq(count, 0);
    finish(tasks, 1);
}

// ---- applications that do otherwise

Test(async, job_resumed_too_early_pauses_again)
{
    daemon_start("late=1/1:20ms");
    daemon_rig(&rig, "offload = always\n");
    warm_up();
    unsigned resumes = 0;
    for (start(&tasks[0], agree); tasks[0].state == ASYNC_PAUSE; resumes++)
        run(&tasks[0]);
    cr_assert(resumes > 2);
    cr_assert(resumes < 2000, "%u resumes: nothing slows a spinning application down", resumes);
    finish(tasks, 1);
    cr_assert_eq(on_device(), 4);
}

static int agree_without_pausing(void *unused)
{
    ASYNC_block_pause();
    agree(unused);
    ASYNC_unblock_pause();
    return 1;
}

Test(async, job_that_may_not_pause_waits)
{
    rig_open(&rig, "device = sim:model\noffload = always\n");
    warm_up();
    start(&tasks[0], agree_without_pausing);
    cr_assert_eq(tasks[0].state, ASYNC_FINISH);
    finish(tasks, 1);
    cr_assert_eq(on_device(), 4);
}

// Connections freed while their jobs are paused, before and after the device has answered.
Test(async, abandoned_jobs_leave_no_job_and_no_descriptor)
{
    daemon_start("late=1/1:20ms");
    daemon_rig(&rig, "offload = always\n");
    warm_up();
    int before = rig_descriptors();
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 16; i++)
            start(&tasks[round * 16 + i], generate);
        if (round % 2 == 1)
            nanosleep(&(struct timespec){.tv_nsec = 60000000}, NULL);
        for (int i = 0; i < 16; i++)
            ASYNC_WAIT_CTX_free(tasks[round * 16 + i].context);
        cr_assert_eq(rig_counters(&rig).async_paused, 0);
    }
    cr_assert_eq(rig_counters(&rig).async_abandoned, 64);
    cr_assert_eq(rig_descriptors(), before);
    start(&tasks[64], agree);
    finish(&tasks[64], 1);
    cr_assert_eq(rig_descriptors(), before);
    cr_assert_eq(on_device(), 4);
}

// As much as the jobs of the first rounds needed must do for all others.
static long resident_pages(void)
{
    long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    cr_assert(file != NULL && fscanf(file, "%ld %ld", &total, &resident) == 2);
    fclose(file);
    return resident;
}

#ifdef __SANITIZE_ADDRESS__ // whose quarantine keeps what was freed
#define GROWS true
#else
#define GROWS false
#endif

Test(async, memory_stays_flat, .disabled = GROWS)
{
    long settled = 0;
    rig_open(&rig, "device = sim:model\noffload = always\n");
    for (int round = 0; round < 60; round++) {
        for (int i = 0; i < 32; i++)
            start(&tasks[i], agree);
        finish(tasks, 32);
        if (round == 20)
            settled = resident_pages();
    }
    cr_assert(resident_pages() - settled < 64, "%ld pages more", resident_pages() - settled);
}

// ---- the device fails while jobs are paused

Test(async, killed_device_means_software_for_paused_jobs)
{
    daemon_start("late=1/1:100ms");
    daemon_rig(&rig, "offload = always\n");
    warm_up();
    for (int i = 0; i < 32; i++)
        start(&tasks[i], agree);
    daemon_stop(SIGKILL);
    uint64_t begin = milliseconds();
    finish(tasks, 32);
    cr_assert(milliseconds() - begin < 3000);
    struct eph_stats_counters counters = rig_counters(&rig);
    cr_assert_eq(on_device(), 2);
    cr_assert(counters.fallbacks[EPH_CAUSE_GONE] >= 32);
    cr_assert_eq(rig_fallbacks(&rig), 64);
    cr_assert_eq(counters.async_paused, 0);
}

Test(async, silent_device_costs_a_deadline)
{
    daemon_start("");
    daemon_rig(&rig, "offload = always\ndeadline_ms = 100\n");
    warm_up();
    daemon_signal(SIGSTOP);
    uint64_t begin = milliseconds();
    for (int i = 0; i < 32; i++)
        start(&tasks[i], agree);
    finish(tasks, 32);
    cr_assert(milliseconds() - begin < 2000);
    cr_assert(rig_counters(&rig).fallbacks[EPH_CAUSE_TIMEOUT] >= 3);
    cr_assert_eq(rig_fallbacks(&rig), 64);
    daemon_signal(SIGCONT);
}

// The thread sleeps for good after a second without work; the next job must wake it even if the device stays silent.
Test(async, silent_device_after_a_pause_costs_a_deadline)
{
    daemon_start("");
    daemon_rig(&rig, "offload = always\ndeadline_ms = 100\n");
    warm_up();
    nanosleep(&(struct timespec){.tv_sec = 1, .tv_nsec = 300000000}, NULL);
    daemon_signal(SIGSTOP);
    uint64_t begin = milliseconds();
    start(&tasks[0], agree);
    finish(tasks, 1);
    cr_assert(milliseconds() - begin < 1500);
    cr_assert_eq(rig_fallbacks(&rig), 2);
    daemon_signal(SIGCONT);
}

Test(async, corrupt_answers_are_caught)
{
    daemon_start("corrupt=1/3,seed=4"); // with this seed the first one, which answers the self-test, is right
    daemon_rig(&rig, "offload = always\n");
    for (int i = 0; i < 32; i++)
        start(&tasks[i], agree);
    finish(tasks, 32);
    cr_assert(rig_counters(&rig).fallbacks[EPH_CAUSE_BAD_RESULT] >= 5);
    cr_assert_eq(rig_counters(&rig).fallbacks[EPH_CAUSE_BAD_RESULT], rig_fallbacks(&rig));
}

// ---- fork

Test(async, forked_copy_of_a_paused_job_goes_on_in_software)
{
    daemon_start("late=1/1:20ms");
    daemon_rig(&rig, "offload = always\n");
    warm_up();
    start(&tasks[0], generate);
    cr_assert_eq(tasks[0].state, ASYNC_PAUSE);
    pid_t child = fork();
    if (child == 0) {
        run(&tasks[0]);
        bool done = tasks[0].state == ASYNC_FINISH;
        start(&tasks[1], agree); // with a thread of its own
        finish(&tasks[1], 1);
        _exit(done ? 0 : 1);
    }
    int status = -1;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    finish(tasks, 1);
    cr_assert_eq(rig_operations(&rig, EPH_OP_KEYGEN, EPH_STATS_SERVED_DEVICE), 3);
}

// The second operation of the copy finds its parent's channel in its context, whose descriptor both processes hold.
Test(async, forked_copy_of_a_job_pauses_with_a_descriptor_of_its_own)
{
    daemon_start("late=1/1:20ms");
    daemon_rig(&rig, "offload = always\n");
    warm_up();
    start(&tasks[0], generate_twice);
    int shared = wanted(&tasks[0]).fd;
    pid_t child = fork();
    if (child == 0) {
        run(&tasks[0]);
        bool paused = tasks[0].state == ASYNC_PAUSE;
        finish(tasks, 1);
        _exit(paused ? 0 : 1);
    }
    int status = -1;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    nanosleep(&(struct timespec){.tv_nsec = 60000000}, NULL);
    eventfd_t count = 0;
    cr_assert_eq(eventfd_read(shared, &count), 0, "the child has taken our event");
    cr_assert_eq(count, 1);
    eventfd_write(shared, 1);
    finish(tasks, 1);
    cr_assert_eq(rig_counters(&rig).async_paused, 0);
}
