// SPDX-License-Identifier: Apache-2.0
// Who serves what, and what happens when the device does not: on the embedded model and on a daemon with faults.
#include "rig.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct rig rig;
static pid_t daemon_pid;
static char daemon_path[80];

static void setup(void)
{
    unsetenv("EPHEMERA_DEVICE");
    unsetenv("EPHEMERA_OFFLOAD");
    unsetenv("EPHEMERA_STATS");
}

static void stop_daemon(int signal)
{
    if (daemon_pid > 0) {
        kill(daemon_pid, signal);
        waitpid(daemon_pid, NULL, 0);
    }
    daemon_pid = 0;
}

static void teardown(void)
{
    char attach[100];
    if (rig.ours != NULL)
        rig_close(&rig);
    stop_daemon(SIGTERM);
    snprintf(attach, sizeof attach, "%s.attach", daemon_path);
    unlink(daemon_path);
    unlink(attach);
}

TestSuite(route, .init = setup, .fini = teardown, .timeout = 60);

// Starts ephemera-sim on the model with these faults ("": none); returns when it listens.
static void start_daemon(const char *faults)
{
    int ready[2];
    char byte, ready_fd[16];
    snprintf(daemon_path, sizeof daemon_path, "/tmp/eph-route-test.%ld", (long)getpid());
    cr_assert_eq(pipe(ready), 0);
    snprintf(ready_fd, sizeof ready_fd, "%d", ready[1]);
    daemon_pid = fork();
    if (daemon_pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        close(ready[0]);
        if (faults[0])
            execl(EPH_SIM_BINARY, EPH_SIM_BINARY, "--backend", "model", "--socket", daemon_path, "--ready-fd", ready_fd,
                  "--faults", faults, (char *)NULL);
        else
            execl(EPH_SIM_BINARY, EPH_SIM_BINARY, "--backend", "model", "--socket", daemon_path, "--ready-fd", ready_fd,
                  (char *)NULL);
        _exit(127);
    }
    close(ready[1]);
    cr_assert_eq(read(ready[0], &byte, 1), 1, "ephemera-sim does not start");
    close(ready[0]);
}

static void open_on_daemon(const char *more)
{
    char section[256];
    snprintf(section, sizeof section, "device = socket:%s\noffload = always\n%s", daemon_path, more);
    rig_open(&rig, section);
}

static uint64_t on_device(void)
{
    return rig_operations(&rig, EPH_OP_KEYGEN, EPH_STATS_SERVED_DEVICE) +
           rig_operations(&rig, EPH_OP_DERIVE, EPH_STATS_SERVED_DEVICE);
}

static uint64_t in_software(void)
{
    return rig_operations(&rig, EPH_OP_KEYGEN, EPH_STATS_SERVED_SOFTWARE) +
           rig_operations(&rig, EPH_OP_DERIVE, EPH_STATS_SERVED_SOFTWARE);
}

Test(route, always_sends_everything_to_the_device)
{
    rig_open(&rig, "device = sim:model\noffload = always\n");
    rig_agree(&rig);
    cr_assert_eq(on_device(), 2);
    cr_assert_eq(in_software(), 0);
    cr_assert(rig_counters(&rig).device_cycles > 0);
}

Test(route, never_does_not_even_open_the_device)
{
    rig_open(&rig, "device = socket:/nonexistent\noffload = never\n");
    rig_agree(&rig);
    cr_assert_eq(in_software(), 2);
    cr_assert_eq(rig_counters(&rig).policy[EPH_POLICY_NEVER], 2);
    cr_assert_eq(rig_fallbacks(&rig), 0);
}

Test(route, auto_keeps_to_software_where_the_device_is_slower)
{
    rig_open(&rig, "device = sim:model\noffload = auto\n");
    for (int i = 0; i < 20; i++)
        rig_agree(&rig);
    cr_assert_eq(on_device(), 0);
    cr_assert_eq(in_software(), 40);
    cr_assert(rig_counters(&rig).policy[EPH_POLICY_SLOWER] >= 20);
    cr_assert_eq(rig_fallbacks(&rig), 0);
}

static void derive_with_imported_key(void)
{
    uint8_t scalar[32] = {1, 2, 3}, u[32] = {9}, secret[32];
    EVP_PKEY *own = rig_private(rig.ours, scalar), *peer = rig_public(rig.ours, u);
    cr_assert(rig_derive(rig.ours, own, peer, secret));
    EVP_PKEY_free(own);
    EVP_PKEY_free(peer);
}

Test(route, imported_keys_stay_in_software)
{
    rig_open(&rig, "device = sim:model\noffload = auto\n");
    derive_with_imported_key();
    cr_assert_eq(rig_counters(&rig).policy[EPH_POLICY_IMPORTED], 1);
}

Test(route, imported_keys_go_to_the_device_when_always)
{
    rig_open(&rig, "device = sim:model\noffload = always\n");
    derive_with_imported_key();
    cr_assert_eq(on_device(), 1);
}

Test(route, wrong_configuration_means_software_and_is_counted)
{
    static const char *const wrong[] = {"device = nonsense\n", "offload = sometimes\n", "deadline_ms = soon\n",
                                        "pool = many\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        rig_open(&rig, wrong[i]);
        rig_agree(&rig);
        cr_assert_eq(rig_counters(&rig).fallbacks[EPH_CAUSE_CONFIG], 2, "%s", wrong[i]);
        cr_assert_eq(in_software(), 2);
        rig_close(&rig);
    }
    rig.ours = NULL;
}

Test(route, no_device_means_software_and_is_counted)
{
    rig_open(&rig, "device = socket:/nonexistent\noffload = always\n");
    rig_agree(&rig);
    cr_assert_eq(rig_counters(&rig).fallbacks[EPH_CAUSE_NO_DEVICE], 2);
    cr_assert_eq(in_software(), 2);
}

Test(route, killed_daemon_is_noticed_and_survived)
{
    start_daemon("");
    open_on_daemon("");
    rig_agree(&rig);
    cr_assert_eq(on_device(), 2);
    stop_daemon(SIGKILL);
    for (int i = 0; i < 4; i++)
        rig_agree(&rig);
    cr_assert_eq(on_device(), 2);
    cr_assert_eq(in_software(), 8);
    cr_assert(rig_counters(&rig).fallbacks[EPH_CAUSE_GONE] >= 1);
    cr_assert_eq(rig_fallbacks(&rig), 8);
}

Test(route, daemon_that_comes_back_is_used_again)
{
    start_daemon("");
    open_on_daemon("");
    rig_agree(&rig);
    stop_daemon(SIGKILL);
    rig_agree(&rig);
    start_daemon("");
    uint64_t before = on_device();
    for (int i = 0; i < 100 && on_device() == before; i++) { // the first back-off is a second
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        rig_agree(&rig);
    }
    cr_assert(on_device() > before);
    before = on_device();
    rig_agree(&rig);
    cr_assert_eq(on_device(), before + 2);
}

// Answers with flipped bits: each must be caught, each result must still be right (rig_agree).
Test(route, corrupt_results_are_caught_by_our_check)
{
    start_daemon("corrupt=1/3,seed=4"); // with this seed the first one, which answers the self-test, is right
    open_on_daemon("");
    for (int i = 0; i < 30; i++)
        rig_agree(&rig);
    cr_assert_eq(rig_counters(&rig).fallbacks[EPH_CAUSE_BAD_RESULT], rig_fallbacks(&rig));
    cr_assert(in_software() >= 5);
    cr_assert_eq(on_device() + in_software(), 60);
    cr_assert_eq(in_software(), rig_fallbacks(&rig));
}

// A device that noticed a damaged scalar: software instead, under a cause of its own.
Test(route, what_the_device_refuses_itself_is_computed_in_software)
{
    start_daemon("check@3,check=1/5,seed=4"); // with this seed the first one, which answers the self-test, is right
    open_on_daemon("");
    for (int i = 0; i < 30; i++)
        rig_agree(&rig);
    cr_assert(rig_counters(&rig).fallbacks[EPH_CAUSE_DEVICE_CHECK] >= 4);
    cr_assert_eq(on_device() + in_software(), 60);
    cr_assert_eq(in_software(), rig_fallbacks(&rig));
}

Test(route, lost_completions_cost_a_deadline_not_a_handshake)
{
    start_daemon("lost@3"); // the first one answers the self-test
    open_on_daemon("deadline_ms = 50\n");
    for (int i = 0; i < 10; i++)
        rig_agree(&rig);
    cr_assert(rig_counters(&rig).fallbacks[EPH_CAUSE_TIMEOUT] >= 1);
    cr_assert_eq(in_software(), rig_fallbacks(&rig));
    cr_assert_eq(on_device() + in_software(), 20);
}

static uint64_t milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// Stopped, it neither answers nor goes away: the first use waits some seconds for it, later ones do not.
Test(route, silent_daemon_delays_the_first_use_alone)
{
    start_daemon("");
    open_on_daemon("");
    kill(daemon_pid, SIGSTOP);
    uint64_t start = milliseconds();
    rig_agree(&rig);
    cr_assert(milliseconds() - start < 5000);
    start = milliseconds();
    for (int i = 0; i < 10; i++)
        rig_agree(&rig);
    cr_assert(milliseconds() - start < 1000);
    cr_assert_eq(on_device(), 0);
    cr_assert_eq(rig_fallbacks(&rig), 22);
    kill(daemon_pid, SIGCONT);
}

// Silent in mid-service: one deadline for each call until the breaker opens, then none.
Test(route, daemon_that_falls_silent_costs_deadlines)
{
    start_daemon("");
    open_on_daemon("deadline_ms = 50\n");
    rig_agree(&rig);
    kill(daemon_pid, SIGSTOP);
    uint64_t start = milliseconds();
    for (int i = 0; i < 10; i++)
        rig_agree(&rig);
    cr_assert(milliseconds() - start < 2000);
    cr_assert_eq(on_device(), 2);
    cr_assert(rig_counters(&rig).fallbacks[EPH_CAUSE_TIMEOUT] >= 3);
    cr_assert(rig_counters(&rig).breaker != 0);
    kill(daemon_pid, SIGCONT);
}

static void *agree_often(void *unused)
{
    for (int i = 0; i < 25; i++)
        rig_agree(&rig);
    return unused;
}

Test(route, four_threads)
{
    pthread_t threads[4];
    rig_open(&rig, "device = sim:model\noffload = always\n");
    rig_agree(&rig); // attached: no thread meets another one that is attaching
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, agree_often, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(on_device(), 202);
    cr_assert_eq(rig_fallbacks(&rig), 0);
}

Test(route, threads_that_meet_an_attach_do_not_wait)
{
    pthread_t threads[4];
    rig_open(&rig, "device = sim:model\noffload = always\n");
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, agree_often, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(on_device() + in_software(), 200);
    cr_assert_eq(in_software(), rig_counters(&rig).fallbacks[EPH_CAUSE_ATTACHING]);
}

static void in_children(int children)
{
    for (int i = 0; i < children; i++) {
        pid_t child = fork();
        cr_assert(child >= 0);
        if (child == 0) {
            rig_agree(&rig);
            rig_agree(&rig);
            _exit(0);
        }
        int status = -1;
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

Test(route, each_forked_child_attaches_by_itself)
{
    rig_open(&rig, "device = sim:model\noffload = always\n");
    rig_agree(&rig);
    in_children(3);
    rig_agree(&rig);
    cr_assert_eq(on_device(), 2 + 3 * 4 + 2);
    cr_assert_eq(rig_fallbacks(&rig), 0);
}

Test(route, workers_forked_before_first_use_share_a_daemon)
{
    start_daemon("");
    open_on_daemon("");
    in_children(3);
    cr_assert_eq(on_device(), 3 * 4);
    cr_assert_eq(rig_fallbacks(&rig), 0);
}

Test(route, unloading_and_loading_again_works)
{
    for (int i = 0; i < 3; i++) {
        rig_open(&rig, "device = sim:model\noffload = always\n");
        rig_agree(&rig);
        cr_assert_eq(on_device(), 2);
        rig_close(&rig);
    }
    rig.ours = NULL;
}
