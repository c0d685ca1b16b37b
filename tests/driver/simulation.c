// SPDX-License-Identifier: Apache-2.0
// The driver on the simulated device: embedded (EPH_TEST_DEVICE: "sim:model" or "sim") and as a daemon (model back
// end). No arithmetic here: known answers of RFC 7748, and both ends of an exchange must agree.
#include "rig.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(simulation, .timeout = 120);

static const char *device_uri(void)
{
    const char *uri = getenv("EPH_TEST_DEVICE");
    return uri ? uri : "sim:model";
}

// The Verilated device takes half a second for a derive: fewer of them.
static unsigned rounds(unsigned model, unsigned rtl)
{
    return strcmp(device_uri(), "sim:model") ? rtl : model;
}

static void say(void *context, enum eph_log_level level, const char *message)
{
    (void)context;
    (void)level;
    fprintf(stderr, "%s\n", message);
}

static struct eph_device *open_device(const char *uri, uint64_t deadline_ms, const char *faults)
{
    struct eph_options options = {.deadline_ns = deadline_ms * 1000000, .sim_faults = faults, .log = say};
    struct eph_device *device;
    cr_assert_eq(eph_device_open(&device, uri, &options), EPH_OK);
    return device;
}

static struct eph_queue *open_queue(struct eph_device *device)
{
    struct eph_queue *queue;
    cr_assert_eq(eph_queue_open(device, &queue), EPH_OK);
    return queue;
}

static void unhex(const char *text, uint8_t *out)
{
    for (unsigned i = 0, value; i < 32; i++)
        out[i] = (uint8_t)(sscanf(text + 2 * i, "%2x", &value) == 1 ? value : 0);
}

static enum eph_status operate(struct eph_queue *queue, enum eph_opcode opcode, const uint8_t *scalar,
                               const uint8_t *peer, struct eph_completion *completion)
{
    static const uint8_t blind[32] = {3, 1, 4, 1, 5, 9};
    struct eph_request request = {
        .opcode = opcode, .curve = EPH_CURVE_X25519, .scalar = scalar, .peer_x = peer, .blind = blind};
    return eph_exchange(queue, &request, completion);
}

// Two fresh keys, exchanged both ways. Any failure: false.
static bool agree(struct eph_queue *queue, unsigned seed)
{
    uint8_t scalar[2][32];
    struct eph_completion public[2], shared[2];
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned j = 0; j < 32; j++)
            scalar[i][j] = (uint8_t)(seed * 101 + i * 53 + j * 29 + seed / 7);
        if (operate(queue, EPH_OP_KEYGEN, scalar[i], NULL, &public[i]) != EPH_OK || public[i].wire_status != EPH_ST_OK)
            return false;
    }
    for (unsigned i = 0; i < 2; i++)
        if (operate(queue, EPH_OP_DERIVE, scalar[i], public[!i].result, &shared[i]) != EPH_OK ||
            shared[i].wire_status != EPH_ST_OK)
            return false;
    return !memcmp(shared[0].result, shared[1].result, 32) && memcmp(public[0].result, public[1].result, 32);
}

Test(simulation, knows_rfc_7748)
{
    uint8_t alice[32], alice_public[32], bob[32], bob_public[32], shared[32];
    static const uint8_t zero[32];
    unhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a", alice);
    unhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a", alice_public);
    unhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb", bob);
    unhex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f", bob_public);
    unhex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742", shared);
    struct eph_device *device = open_device(device_uri(), 0, NULL);
    struct eph_queue *queue = open_queue(device);
    struct eph_device_info info;
    cr_assert_eq(eph_device_info(queue, &info), EPH_OK);
    cr_expect(info.features & EPH_FEATURE_SIMULATED);
    cr_expect_str_eq(info.transport, "vfio-user");
    struct eph_completion first, completion;
    cr_assert_eq(operate(queue, EPH_OP_KEYGEN, alice, NULL, &first), EPH_OK);
    cr_expect_arr_eq(first.result, alice_public, 32);
    cr_assert_eq(operate(queue, EPH_OP_KEYGEN, bob, NULL, &completion), EPH_OK);
    cr_expect_arr_eq(completion.result, bob_public, 32);
    cr_expect_eq(completion.cycles, first.cycles, "cycles depend on the scalar");
    cr_assert_eq(operate(queue, EPH_OP_DERIVE, alice, bob_public, &completion), EPH_OK);
    cr_expect_arr_eq(completion.result, shared, 32);
    cr_assert_eq(operate(queue, EPH_OP_DERIVE, bob, zero, &completion), EPH_OK);
    cr_expect_eq(completion.wire_status, EPH_ST_ZERO);
    cr_expect_arr_eq(completion.result, zero, 32);
    uint64_t predicted_ns = eph_queue_latency_ns(queue, EPH_OP_DERIVE, EPH_CURVE_X25519);
    cr_expect(predicted_ns > 0 && predicted_ns < 20 * info.selftest_ns, "%lu", predicted_ns);
    struct eph_queue_stats stats;
    eph_queue_get_stats(queue, &stats);
    cr_expect_eq(stats.completed, 4);
    cr_expect_eq(stats.breaker, EPH_BREAKER_CLOSED);
    eph_queue_close(queue);
    eph_device_close(device);
}

struct worker {
    struct eph_queue *queue;
    unsigned first, count, right;
};

static void *agree_often(void *context)
{
    struct worker *worker = context;
    for (unsigned i = 0; i < worker->count; i++)
        worker->right += agree(worker->queue, worker->first + i);
    return NULL;
}

Test(simulation, serves_four_threads)
{
    struct eph_device *device = open_device(device_uri(), 60000, NULL);
    struct eph_queue *queue = open_queue(device);
    pthread_t threads[4];
    struct worker workers[4];
    for (unsigned i = 0; i < 4; i++) {
        workers[i] = (struct worker){.queue = queue, .first = i * 1000, .count = rounds(50, 1)};
        pthread_create(&threads[i], NULL, agree_often, &workers[i]);
    }
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        cr_expect_eq(workers[i].right, workers[i].count);
    }
    struct eph_queue_stats stats;
    eph_queue_get_stats(queue, &stats);
    cr_expect_eq(stats.completed, 4 * 4 * rounds(50, 1));
    cr_expect_eq(stats.dropped_tag + stats.dropped_generation + stats.dropped_phase, 0);
    eph_queue_close(queue);
    eph_device_close(device);
}

Test(simulation, is_opened_anew_by_each_child)
{
    struct eph_device *device = open_device(device_uri(), 60000, NULL);
    struct eph_queue *queue = open_queue(device);
    cr_expect(agree(queue, 1));
    pid_t children[2];
    for (unsigned i = 0; i < 2; i++) {
        children[i] = fork();
        if (!children[i]) {
            eph_queue_close(queue);
            struct eph_queue *own;
            bool works = eph_queue_open(device, &own) == EPH_OK;
            for (unsigned r = 0; works && r < rounds(10, 1); r++)
                works = agree(own, 100 * i + r);
            if (works)
                eph_queue_close(own);
            eph_device_close(device);
            _exit(works ? 0 : 1);
        }
    }
    cr_expect(agree(queue, 2));
    for (unsigned i = 0; i < 2; i++) {
        int status;
        cr_expect_eq(waitpid(children[i], &status, 0), children[i]);
        cr_expect_eq(status, 0);
    }
    cr_expect(agree(queue, 3));
    eph_queue_close(queue);
    eph_device_close(device);
}

// ---- the daemon

struct daemon {
    pid_t pid;
    char path[96], uri[128];
};

static void start_daemon(struct daemon *daemon)
{
    int ready[2];
    char byte, fd_text[16];
    const char *directory = getenv("TMPDIR");
    snprintf(daemon->path, sizeof daemon->path, "%.60s/eph-sim-%d", directory ? directory : P_tmpdir, getpid());
    snprintf(daemon->uri, sizeof daemon->uri, "socket:%s", daemon->path);
    cr_assert_eq(pipe(ready), 0);
    daemon->pid = fork();
    if (!daemon->pid) {
        snprintf(fd_text, sizeof fd_text, "%d", ready[1]);
        execl(EPH_SIM_BINARY, EPH_SIM_BINARY, "--backend", "model", "--socket", daemon->path, "--ready-fd", fd_text,
              NULL);
        _exit(127);
    }
    close(ready[1]);
    cr_assert_eq(read(ready[0], &byte, 1), 1, "the daemon does not start");
    close(ready[0]);
}

static void stop_daemon(struct daemon *daemon, int number)
{
    kill(daemon->pid, number);
    waitpid(daemon->pid, NULL, 0);
    if (number == SIGKILL) {
        char attach[128];
        snprintf(attach, sizeof attach, "%s.attach", daemon->path);
        unlink(daemon->path);
        unlink(attach);
    }
}

Test(daemon, serves_several_processes_and_may_be_killed, .timeout = 60)
{
    struct daemon daemon;
    start_daemon(&daemon);
    struct eph_device *device = open_device(daemon.uri, 5000, NULL);
    for (unsigned i = 0; i < 4; i++)
        if (!fork()) {
            struct eph_queue *own;
            bool works = eph_queue_open(device, &own) == EPH_OK;
            for (unsigned r = 0; works && r < 20; r++)
                works = agree(own, 100 * i + r);
            _exit(works ? 0 : 1);
        }
    int status, failures = 0;
    for (unsigned i = 0; i < 4; i++) {
        cr_assert_gt(wait(&status), 0);
        failures += status != 0;
    }
    cr_expect_eq(failures, 0);
    struct eph_queue *queue = open_queue(device);
    cr_expect(agree(queue, 1));
    stop_daemon(&daemon, SIGKILL);
    struct eph_completion completion;
    uint64_t start_ms = rig_now_ms();
    cr_expect_eq(operate(queue, EPH_OP_KEYGEN, (const uint8_t[32]){9}, NULL, &completion), EPH_E_GONE);
    cr_expect_lt(rig_now_ms() - start_ms, 1000);
    eph_queue_close(queue);
    cr_expect_neq(eph_queue_open(device, &queue), EPH_OK);
    start_daemon(&daemon); // a restarted daemon is found again
    queue = open_queue(device);
    cr_expect(agree(queue, 2));
    eph_queue_close(queue);
    eph_device_close(device);
    stop_daemon(&daemon, SIGTERM);
}

Test(daemon, is_readmitted_after_it_hung, .timeout = 60)
{
    struct daemon daemon;
    start_daemon(&daemon);
    struct eph_device *device = open_device(daemon.uri, 100, NULL);
    struct eph_queue *queue = open_queue(device);
    struct eph_completion completion;
    kill(daemon.pid, SIGSTOP);
    unsigned timeouts = 0;
    for (unsigned i = 0; i < 20; i++) {
        uint64_t start_ms = rig_now_ms();
        timeouts += operate(queue, EPH_OP_KEYGEN, (const uint8_t[32]){9}, NULL, &completion) == EPH_E_TIMEOUT;
        cr_expect_lt(rig_now_ms() - start_ms, 100 + RIG_SLACK_MS);
        rig_sleep_ms(10);
    }
    cr_expect_eq(timeouts, 3, "then the breaker answers");
    kill(daemon.pid, SIGCONT);
    bool back = false;
    for (unsigned i = 0; i < 500 && !back; i++) {
        back = operate(queue, EPH_OP_KEYGEN, (const uint8_t[32]){9}, NULL, &completion) == EPH_OK;
        rig_sleep_ms(10);
    }
    cr_expect(back, "not readmitted");
    for (unsigned i = 0; i < 20; i++)
        cr_expect(agree(queue, i));
    eph_queue_close(queue);
    eph_device_close(device);
    stop_daemon(&daemon, SIGTERM);
}

Test(daemon, is_reached_after_chroot_and_setuid, .timeout = 60)
{
    if (getuid())
        cr_skip_test("needs root, for chroot");
    struct daemon daemon;
    start_daemon(&daemon);
    struct eph_device *device = open_device(daemon.uri, 5000, NULL);
    char empty[] = P_tmpdir "/eph-empty-XXXXXX";
    cr_assert(mkdtemp(empty));
    pid_t child = fork();
    if (!child) {
        if (chroot(empty) || chdir("/") || setgid(65534) || setuid(65534))
            _exit(2);
        struct eph_queue *own;
        _exit(eph_queue_open(device, &own) == EPH_OK && agree(own, 5) ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    cr_expect_eq(status, 0);
    rmdir(empty);
    eph_device_close(device);
    stop_daemon(&daemon, SIGTERM);
}

// ---- injected faults (the model's fault injector; completion 1 is the known-answer test)

struct fault_case {
    const char *faults;
    enum eph_status first; // what the first request sees
    bool comes_back;       // and is the device in service again within seconds?
};

Test(faults, end_in_an_error_and_a_way_back, .timeout = 100)
{
    static const struct fault_case cases[] = {
        {"lost@2", EPH_E_TIMEOUT, true},     {"wrongtag@2", EPH_E_TIMEOUT, true},
        {"wronggen@2", EPH_E_TIMEOUT, true}, {"dup@2", EPH_OK, true},
        {"hang@2", EPH_E_TIMEOUT, true},     {"fatal@2", EPH_E_TIMEOUT, true},
        {"allones@2", EPH_E_TIMEOUT, false},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct eph_device *device = open_device("sim:model", 200, cases[i].faults);
        struct eph_queue *queue = open_queue(device);
        struct eph_completion completion;
        uint64_t start_ms = rig_now_ms();
        enum eph_status status = operate(queue, EPH_OP_KEYGEN, (const uint8_t[32]){9}, NULL, &completion);
        cr_expect_eq(status, cases[i].first, "%s: %s", cases[i].faults, eph_status_text(status));
        cr_expect_lt(rig_now_ms() - start_ms, 200 + RIG_SLACK_MS, "%s", cases[i].faults);
        bool back = false;
        for (unsigned r = 0; r < 300 && !back && status != EPH_E_GONE; r++) {
            status = operate(queue, EPH_OP_KEYGEN, (const uint8_t[32]){9}, NULL, &completion);
            back = status == EPH_OK;
            rig_sleep_ms(5);
        }
        cr_expect_eq(back, cases[i].comes_back, "%s: %s", cases[i].faults, eph_status_text(status));
        if (back)
            cr_expect(agree(queue, i) || agree(queue, i), "%s: no service afterwards", cases[i].faults);
        eph_queue_close(queue);
        eph_device_close(device);
    }
}
