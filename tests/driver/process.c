// SPDX-License-Identifier: Apache-2.0
// What a process does around a queue: fork, signals, many descriptors, a daemon that restarts.
#include "rig.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(process, .timeout = 60);

Test(process, belongs_to_the_process_that_opened_it)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    pid_t child = fork();
    if (!child) {
        struct eph_completion completion;
        uint32_t tag;
        struct eph_device_info info;
        bool refused = rig_submit(&rig, 1, 1, &tag) == EPH_E_FORKED &&
                       eph_wait(rig.queue, 0, &completion, 0) == EPH_E_FORKED &&
                       eph_device_info(rig.queue, &info) == EPH_E_FORKED && eph_queue_fd(rig.queue) == -1 &&
                       eph_poll(rig.queue, &completion, 1) == 0;
        eph_queue_close(rig.queue);
        // The device handle is inherited: a queue of our own, over the same control socket.
        struct rig own = {.device = rig.device};
        bool works = eph_queue_open(own.device, &own.queue) == EPH_OK;
        for (unsigned i = 0; works && i < 20; i++)
            works = rig_exchange(&own, i, NULL) == EPH_OK;
        eph_queue_close(own.queue);
        _exit(refused && works ? 0 : 1);
    }
    for (unsigned i = 0; i < 50; i++)
        cr_expect_eq(rig_exchange(&rig, 100 + i, NULL), EPH_OK);
    int status = -1;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect_eq(status, 0);
    cr_expect_eq(rig_exchange(&rig, 7, NULL), EPH_OK, "the child's close must not end the parent's queue");
    rig_close(&rig);
}

static void ignore_signal(int number)
{
    (void)number;
}

Test(process, does_not_mind_signals)
{
    struct sigaction action = {.sa_handler = ignore_signal}; // no SA_RESTART
    sigaction(SIGALRM, &action, NULL);
    struct itimerval often = {.it_interval.tv_usec = 300, .it_value.tv_usec = 300};
    struct rig rig = {0};
    setitimer(ITIMER_REAL, &often, NULL);
    rig_open_patient(&rig);
    for (unsigned i = 0; i < 300; i++)
        cr_assert_eq(rig_exchange(&rig, i, NULL), EPH_OK);
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    signal(SIGPIPE, SIG_DFL);
    fake_hang_up(rig.fake);
    cr_expect_eq(rig_exchange(&rig, 1, NULL), EPH_E_GONE, "and SIGPIPE did not end us");
    rig_close(&rig);
}

Test(process, works_with_descriptors_above_1024)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < 2048)
        cr_skip_test("RLIMIT_NOFILE is below 2048");
    limit.rlim_cur = 2048;
    setrlimit(RLIMIT_NOFILE, &limit);
    int low = open("/dev/null", O_RDONLY | O_CLOEXEC), fd = low;
    while (fd >= 0 && fd < 1100)
        fd = dup(low);
    struct rig rig = {0};
    rig_open_patient(&rig);
    cr_assert_gt(eph_queue_fd(rig.queue), 1024);
    for (unsigned i = 0; i < 50; i++)
        cr_expect_eq(rig_exchange(&rig, i, NULL), EPH_OK);
    rig_close(&rig);
}

Test(process, attaches_again_to_a_restarted_daemon)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    fake_hang_up(rig.fake);
    cr_expect_eq(rig_exchange(&rig, 1, NULL), EPH_E_GONE);
    eph_queue_close(rig.queue);
    rig.queue = NULL;
    cr_expect_eq(eph_queue_open(rig.device, &rig.queue), EPH_OK, "%s", rig.log);
    cr_expect_eq(rig_exchange(&rig, 2, NULL), EPH_OK);
    rig_close(&rig);
}
