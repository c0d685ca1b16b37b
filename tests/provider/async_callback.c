// SPDX-License-Identifier: Apache-2.0
// Operations inside async jobs of an application that has set a callback (SSL_set_async_callback): it is told by a call
// instead of a descriptor.
#include "daemon.h"
#include "rig.h"

#include <criterion/criterion.h>
#include <openssl/async.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

enum { JOBS = 32 };

struct task {
    ASYNC_JOB *job;
    ASYNC_WAIT_CTX *context;
    atomic_uint told; // calls
    int state;
};

static struct rig rig;
static struct task tasks[JOBS];
static ASYNC_JOB *lost[4 * JOBS]; // abandoned: their fibres stay reachable for LeakSanitizer
static sem_t something_told;
static struct timespec nap; // of every call

static void setup(void)
{
    unsetenv("EPHEMERA_DEVICE");
    unsetenv("EPHEMERA_OFFLOAD");
    unsetenv("EPHEMERA_STATS");
    sem_init(&something_told, 0, 0);
}

static void teardown(void)
{
    if (rig.ours != NULL)
        rig_close(&rig);
    daemon_stop(SIGTERM);
}

TestSuite(async_callback, .init = setup, .fini = teardown, .timeout = 60);

static int tell(void *vtask)
{
    struct task *task = vtask;
    nanosleep(&nap, NULL);
    atomic_fetch_add(&task->told, 1);
    sem_post(&something_told);
    return 1;
}

static int agree(void *unused)
{
    (void)unused;
    rig_agree(&rig);
    return 1;
}

static void run(struct task *task)
{
    int result = 0;
    task->state = ASYNC_start_job(&task->job, task->context, &result, agree, NULL, 0);
    cr_assert(task->state == ASYNC_PAUSE || (task->state == ASYNC_FINISH && result == 1), "job state %d", task->state);
}

static void start(struct task *task, bool callback)
{
    task->job = NULL;
    task->context = ASYNC_WAIT_CTX_new();
    atomic_store(&task->told, 0);
    cr_assert(!callback || ASYNC_WAIT_CTX_set_callback(task->context, tell, task));
    run(task);
}

static unsigned paused(void)
{
    unsigned count = 0;
    for (int i = 0; i < JOBS; i++)
        count += tasks[i].state == ASYNC_PAUSE;
    return count;
}

// Resumes who was told until all have finished.
static void finish(void)
{
    while (paused() > 0) {
        struct timespec limit;
        clock_gettime(CLOCK_REALTIME, &limit);
        limit.tv_sec += 10;
        cr_assert_eq(sem_timedwait(&something_told, &limit), 0, "nobody tells %u paused jobs", paused());
        for (int i = 0; i < JOBS; i++)
            if (tasks[i].state == ASYNC_PAUSE && atomic_exchange(&tasks[i].told, 0) > 0)
                run(&tasks[i]);
    }
}

static void free_contexts(void)
{
    for (int i = 0; i < JOBS; i++)
        ASYNC_WAIT_CTX_free(tasks[i].context);
}

static void warm_up(void)
{
    start(&tasks[0], true);
    finish();
    ASYNC_WAIT_CTX_free(tasks[0].context);
}

Test(async_callback, jobs_are_told_by_their_callback_and_need_no_descriptor)
{
    rig_open(&rig, "device = sim:model\noffload = always\n");
    warm_up();
    int before = rig_descriptors();
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < JOBS; i++) {
            start(&tasks[i], true);
            cr_expect_eq(ASYNC_WAIT_CTX_get_status(tasks[i].context), ASYNC_STATUS_OK);
        }
        cr_expect_eq(rig_descriptors(), before);
        finish();
        free_contexts();
    }
    struct eph_stats_counters counters = rig_counters(&rig);
    cr_expect_eq(counters.async_resumed, 2 * (1 + 10 * JOBS));
    cr_expect_eq(counters.async_paused, 0);
    cr_expect_eq(rig_fallbacks(&rig), 0);
}

// The thread that lands an answer is still inside the callback when its connection is freed: freeing waits for it, and
// afterwards nobody is told any more.
Test(async_callback, nobody_is_told_once_the_connection_is_freed)
{
    daemon_start("late=1/1:5ms");
    daemon_rig(&rig, "offload = always\n");
    warm_up();
    nap.tv_nsec = 1000000;
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < JOBS; i++)
            start(&tasks[i], true);
        nanosleep(&(struct timespec){.tv_nsec = round * 4000000}, NULL);
        unsigned told[JOBS];
        for (int i = 0; i < JOBS; i++) {
            lost[round * JOBS + i] = tasks[i].job;
            ASYNC_WAIT_CTX_free(tasks[i].context);
            told[i] = atomic_load(&tasks[i].told);
        }
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        for (int i = 0; i < JOBS; i++)
            cr_expect_eq(atomic_load(&tasks[i].told), told[i]);
        cr_expect_eq(rig_counters(&rig).async_paused, 0);
    }
    nap.tv_nsec = 0;
    cr_expect_eq(rig_counters(&rig).async_abandoned, 4 * JOBS);
}

static struct pollfd shown(const struct task *task)
{
    size_t count = 0;
    OSSL_ASYNC_FD fd = OSSL_BAD_ASYNC_FD;
    cr_assert(ASYNC_WAIT_CTX_get_all_fds(task->context, NULL, &count) && count == 1);
    cr_assert(ASYNC_WAIT_CTX_get_all_fds(task->context, &fd, &count));
    return (struct pollfd){.fd = fd, .events = POLLIN};
}

Test(async_callback, connection_may_go_back_to_descriptors)
{
    daemon_start("late=1/1:5ms");
    daemon_rig(&rig, "offload = always\n");
    start(&tasks[0], true);
    cr_expect_eq(shown(&tasks[0]).fd, OSSL_BAD_ASYNC_FD);
    finish();
    cr_assert(ASYNC_WAIT_CTX_set_callback(tasks[0].context, NULL, NULL));
    for (run(&tasks[0]); tasks[0].state == ASYNC_PAUSE; run(&tasks[0])) {
        struct pollfd fd = shown(&tasks[0]);
        cr_expect_neq(fd.fd, OSSL_BAD_ASYNC_FD);
        cr_assert_eq(poll(&fd, 1, 10000), 1);
    }
    cr_expect_eq(atomic_load(&tasks[0].told), 0);
    cr_expect_eq(rig_counters(&rig).async_resumed, 4);
    ASYNC_WAIT_CTX_free(tasks[0].context);
}
