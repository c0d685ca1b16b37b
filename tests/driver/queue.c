// SPDX-License-Identifier: Apache-2.0
// The queue's contract with an honest, sometimes slow device.
#include "rig.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(queue, .timeout = 60);

enum { SLOTS = 7 }; // the fake's ring has 8 entries

static enum eph_status submit(struct rig *rig, unsigned seed, unsigned n, uint32_t *tags)
{
    struct rig_request made[64];
    struct eph_request requests[64];
    for (unsigned i = 0; i < n; i++) {
        rig_make(&made[i], seed + i);
        requests[i] = made[i].request;
    }
    return eph_submit(rig->queue, requests, n, tags);
}

static bool wait_right(struct rig *rig, unsigned seed, uint32_t tag)
{
    struct rig_request made;
    struct eph_completion completion;
    rig_make(&made, seed);
    return eph_wait(rig->queue, tag, &completion, 0) == EPH_OK && completion.tag == tag &&
           rig_is_right(&made, &completion);
}

Test(queue, answers_many_laps_of_the_ring)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    for (unsigned i = 0; i < 500; i++)
        cr_assert_eq(rig_exchange(&rig, i, NULL), EPH_OK, "request %u", i);
    struct eph_queue_stats stats = rig_stats(&rig);
    cr_expect_eq(stats.submitted, 500);
    cr_expect_eq(stats.completed, 500);
    cr_expect_eq(stats.device_cycles, 500 * 1000);
    rig_close(&rig);
}

Test(queue, hands_completions_out_by_tag_in_any_order)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    for (unsigned round = 0; round < 30; round++) {
        uint32_t tags[SLOTS];
        cr_assert_eq(submit(&rig, round * SLOTS, SLOTS, tags), EPH_OK);
        for (unsigned i = SLOTS; i-- > 0;)
            cr_assert(wait_right(&rig, round * SLOTS + i, tags[i]), "round %u request %u", round, i);
    }
    rig_close(&rig);
}

Test(queue, refuses_when_full_at_once_and_all_or_none)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    fake_plan(rig.fake, FAKE_HOLD, 0, SLOTS);
    uint32_t tags[64];
    cr_assert_eq(submit(&rig, 0, SLOTS - 1, tags), EPH_OK);
    uint32_t more[64] = {0xdead, 0xdead};
    uint64_t start_ms = rig_now_ms();
    cr_expect_eq(submit(&rig, 50, 2, more), EPH_E_FULL); // one would fit
    cr_expect_eq(more[0], 0xdead);
    cr_expect_eq(submit(&rig, 50, 1, more), EPH_OK);
    cr_expect_eq(submit(&rig, 51, 1, more + 1), EPH_E_FULL);
    cr_expect_eq(submit(&rig, 51, 64, more + 1), EPH_E_FULL);
    cr_expect_lt(rig_now_ms() - start_ms, RIG_PATIENT_MS / 2);
    fake_await_requests(rig.fake, 1 + SLOTS);
    fake_release_held(rig.fake, SLOTS);
    for (unsigned i = 0; i < SLOTS - 1; i++)
        cr_expect(wait_right(&rig, i, tags[i]));
    cr_expect(wait_right(&rig, 50, more[0]));
    cr_expect_eq(rig_stats(&rig).submitted, SLOTS);
    rig_close(&rig);
}

Test(queue, quarantines_a_cancelled_request_until_it_completes)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    fake_plan(rig.fake, FAKE_HOLD, 0, SLOTS);
    uint32_t tags[SLOTS], tag;
    cr_assert_eq(submit(&rig, 0, SLOTS, tags), EPH_OK);
    eph_cancel(rig.queue, tags[3]);
    struct eph_completion completion;
    cr_expect_eq(eph_wait(rig.queue, tags[3], &completion, 0), EPH_E_INVALID, "a cancelled tag is nobody's");
    cr_expect_eq(submit(&rig, 90, 1, &tag), EPH_E_FULL, "its slot is not free yet");
    fake_await_requests(rig.fake, 1 + SLOTS);
    fake_release_held(rig.fake, SLOTS);
    for (unsigned i = 0; i < SLOTS; i++)
        if (i != 3)
            cr_expect(wait_right(&rig, i, tags[i]));
    cr_assert_eq(submit(&rig, 90, 1, &tag), EPH_OK);
    cr_expect(wait_right(&rig, 90, tag));
    struct eph_queue_stats stats = rig_stats(&rig);
    cr_expect_eq(stats.cancelled, 1);
    cr_expect_eq(stats.late, 1);
    cr_expect_eq(stats.completed, SLOTS);
    rig_close(&rig);
}

Test(queue, counts_the_deadline_from_when_the_device_could_start)
{
    // One context: the second request waits for the first, which the device never finishes.
    struct rig rig = {0};
    rig_open(&rig, &(struct fake_settings){.contexts = 1});
    fake_plan(rig.fake, FAKE_SILENT, 0, 2);
    uint32_t tags[2];
    struct eph_completion completion;
    uint64_t start_ms = rig_now_ms();
    cr_assert_eq(submit(&rig, 0, 2, tags), EPH_OK);
    cr_expect_eq(eph_wait(rig.queue, tags[0], &completion, 0), EPH_E_TIMEOUT);
    uint64_t first_ms = rig_now_ms() - start_ms;
    cr_expect_eq(eph_wait(rig.queue, tags[1], &completion, 0), EPH_E_TIMEOUT);
    uint64_t second_ms = rig_now_ms() - start_ms;
    cr_expect_geq(first_ms, RIG_DEADLINE_MS - 1);
    cr_expect_geq(second_ms, 2 * RIG_DEADLINE_MS - 2, "%lu ms: queueing was taken for a timeout", second_ms);
    cr_expect_lt(second_ms, 2 * RIG_DEADLINE_MS + RIG_SLACK_MS);
    rig_close(&rig);
}

Test(queue, waits_no_longer_than_the_caller_wants)
{
    struct rig rig = {0};
    rig_open(&rig, NULL);
    fake_plan(rig.fake, FAKE_HOLD, 0, 1);
    uint32_t tag;
    struct eph_completion completion;
    cr_assert_eq(submit(&rig, 0, 1, &tag), EPH_OK);
    uint64_t start_ms = rig_now_ms();
    cr_expect_eq(eph_wait(rig.queue, tag, &completion, (start_ms + 10) * 1000000), EPH_E_TIMEOUT);
    cr_expect_lt(rig_now_ms() - start_ms, RIG_DEADLINE_MS);
    cr_expect_eq(rig_stats(&rig).timeouts, 0, "the caller's patience says nothing about the device");
    cr_expect_eq(eph_wait(rig.queue, tag, &completion, 0), EPH_E_INVALID);
    rig_close(&rig);
}

Test(queue, refuses_what_the_device_can_not_do)
{
    struct rig rig = {0};
    rig_open(&rig, NULL);
    struct rig_request made;
    uint32_t tag;
    static const uint8_t no_blind[32] = {[31] = 0x80}; // bit 255 does not count
    rig_make(&made, 1);
    made.request.curve = EPH_CURVE_X448;
    cr_expect_eq(eph_submit(rig.queue, &made.request, 1, &tag), EPH_E_UNSUPPORTED);
    made.request.curve = (enum eph_curve)EPH_CURVE_COUNT;
    cr_expect_eq(eph_submit(rig.queue, &made.request, 1, &tag), EPH_E_INVALID);
    rig_make(&made, 1);
    made.request.opcode = (enum eph_opcode)9;
    cr_expect_eq(eph_submit(rig.queue, &made.request, 1, &tag), EPH_E_INVALID);
    rig_make(&made, 1);
    made.request.blind = no_blind;
    cr_expect_eq(eph_submit(rig.queue, &made.request, 1, &tag), EPH_E_INVALID);
    rig_make(&made, 1);
    made.request.peer_x = NULL;
    cr_expect_eq(eph_submit(rig.queue, &made.request, 1, &tag), EPH_E_INVALID);
    struct eph_completion completion;
    cr_expect_eq(eph_wait(rig.queue, 0x123456, &completion, 0), EPH_E_INVALID);
    eph_cancel(rig.queue, 0x123456);
    cr_expect_eq(rig_stats(&rig).submitted, 0);
    rig_close(&rig);
}

Test(queue, signals_its_descriptor_for_poll)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    int fd = eph_queue_fd(rig.queue);
    cr_assert_geq(fd, 0);
    unsigned right = 0;
    for (unsigned round = 0; round < 50; round++) {
        uint32_t tags[5];
        cr_assert_eq(submit(&rig, 0, 5, tags), EPH_OK);
        for (unsigned got = 0; got < 5;) {
            struct pollfd ready = {.fd = fd, .events = POLLIN};
            cr_assert_eq(poll(&ready, 1, 2000), 1, "round %u: the descriptor stays silent", round);
            struct eph_completion completions[2];
            size_t n = eph_poll(rig.queue, completions, 2);
            for (size_t i = 0; i < n; i++)
                for (unsigned t = 0; t < 5; t++) {
                    struct rig_request made;
                    rig_make(&made, t);
                    right += tags[t] == completions[i].tag && rig_is_right(&made, &completions[i]);
                }
            got += n;
        }
    }
    cr_expect_eq(right, 250);
    rig_close(&rig);
}

Test(queue, tells_poll_of_completions_that_a_waiter_found)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    int fd = eph_queue_fd(rig.queue);
    uint32_t tags[2];
    cr_assert_eq(submit(&rig, 0, 2, tags), EPH_OK); // answered in this order
    cr_expect(wait_right(&rig, 1, tags[1]));
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    cr_expect_eq(poll(&ready, 1, 2000), 1, "the waiter took the interrupt along");
    struct eph_completion completion;
    cr_expect_eq(eph_poll(rig.queue, &completion, 1), 1);
    cr_expect_eq(completion.tag, tags[0]);
    rig_close(&rig);
}

Test(queue, gives_expired_requests_to_poll)
{
    struct rig rig = {0};
    rig_open(&rig, NULL);
    fake_plan(rig.fake, FAKE_SILENT, 0, 1);
    uint32_t tag;
    struct eph_completion completion = {0};
    cr_assert_eq(submit(&rig, 0, 1, &tag), EPH_OK);
    cr_expect_eq(eph_poll(rig.queue, &completion, 1), 0);
    rig_sleep_ms(RIG_DEADLINE_MS + 5);
    cr_expect_eq(eph_poll(rig.queue, &completion, 1), 1);
    cr_expect_eq(completion.tag, tag);
    cr_expect_eq(completion.status, EPH_E_TIMEOUT);
    cr_expect_eq(eph_poll(rig.queue, &completion, 1), 0);
    rig_close(&rig);
}

Test(queue, tells_poll_when_the_device_goes)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    fake_plan(rig.fake, FAKE_HOLD, 0, 1);
    int fd = eph_queue_fd(rig.queue);
    uint32_t tag;
    cr_assert_eq(submit(&rig, 0, 1, &tag), EPH_OK);
    fake_hang_up(rig.fake);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    cr_expect_eq(poll(&ready, 1, 2000), 1);
    struct eph_completion completion;
    cr_expect_eq(eph_poll(rig.queue, &completion, 1), 1);
    cr_expect_eq(completion.status, EPH_E_GONE);
    eph_poll(rig.queue, &completion, 1);
    cr_expect_eq(poll(&ready, 1, 20), 0, "a dead queue must not keep an event loop spinning");
    rig_close(&rig);
}

struct worker {
    struct rig *rig;
    unsigned first;
    unsigned right, wrong;
};

static void *exchange_200(void *context)
{
    struct worker *worker = context;
    for (unsigned i = 0; i < 200; i++) {
        struct rig_request made;
        struct eph_completion completion;
        rig_make(&made, worker->first + i);
        bool ok = eph_exchange(worker->rig->queue, &made.request, &completion) == EPH_OK;
        worker->right += ok && rig_is_right(&made, &completion);
        worker->wrong += ok && !rig_is_right(&made, &completion);
    }
    return NULL;
}

Test(queue, serves_four_threads)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    pthread_t threads[4];
    struct worker workers[4];
    for (unsigned i = 0; i < 4; i++) {
        workers[i] = (struct worker){.rig = &rig, .first = i * 1000};
        pthread_create(&threads[i], NULL, exchange_200, &workers[i]);
    }
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        cr_expect_eq(workers[i].right, 200, "thread %u: %u right, %u wrong", i, workers[i].right, workers[i].wrong);
        cr_expect_eq(workers[i].wrong, 0);
    }
    cr_expect_eq(rig_stats(&rig).timeouts, 0);
    rig_close(&rig);
}

Test(queue, wakes_each_of_several_waiting_threads)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    fake_plan(rig.fake, FAKE_HOLD, 0, 4);
    pthread_t threads[4];
    struct worker workers[4];
    for (unsigned i = 0; i < 4; i++) {
        workers[i] = (struct worker){.rig = &rig, .first = i * 1000};
        pthread_create(&threads[i], NULL, exchange_200, &workers[i]);
    }
    fake_await_requests(rig.fake, 1 + 4);
    rig_sleep_ms(10);
    fake_release_held(rig.fake, SLOTS); // all four sleep now; one of them takes all four completions
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        cr_expect_eq(workers[i].right, 200);
    }
    cr_expect_eq(rig_stats(&rig).timeouts, 0);
    rig_close(&rig);
}

static void *submit_and_poll(void *context)
{
    struct worker *worker = context;
    int fd = eph_queue_fd(worker->rig->queue);
    for (unsigned i = 0; i < 200; i++) {
        struct rig_request made;
        struct eph_completion completion;
        uint32_t tag;
        rig_make(&made, worker->first + i);
        if (eph_submit(worker->rig->queue, &made.request, 1, &tag) != EPH_OK)
            continue;
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        while (poll(&ready, 1, 2000) == 1 && !eph_poll(worker->rig->queue, &completion, 1))
            ;
        worker->right += completion.tag == tag && rig_is_right(&made, &completion);
    }
    return NULL;
}

Test(queue, serves_waiting_and_polling_threads_together)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    pthread_t threads[4];
    struct worker workers[4];
    for (unsigned i = 0; i < 4; i++) {
        workers[i] = (struct worker){.rig = &rig, .first = i * 1000};
        pthread_create(&threads[i], NULL, i ? exchange_200 : submit_and_poll, &workers[i]);
    }
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        cr_expect_eq(workers[i].right, 200, "thread %u: %u right", i, workers[i].right);
    }
    rig_close(&rig);
}

struct waiter {
    struct rig *rig;
    uint32_t tag;
    enum eph_status status;
};

static void *wait_for_one(void *context)
{
    struct waiter *waiter = context;
    struct eph_completion completion;
    waiter->status = eph_wait(waiter->rig->queue, waiter->tag, &completion, 0);
    return NULL;
}

Test(queue, hands_the_watch_over_when_a_waiter_leaves)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    fake_plan(rig.fake, FAKE_HOLD, 0, 2);
    uint32_t tags[2];
    cr_assert_eq(submit(&rig, 0, 2, tags), EPH_OK);
    fake_await_requests(rig.fake, 1 + 2);
    pthread_t threads[2];
    struct waiter waiters[2];
    for (unsigned i = 0; i < 2; i++) {
        waiters[i] = (struct waiter){.rig = &rig, .tag = tags[i]};
        pthread_create(&threads[i], NULL, wait_for_one, &waiters[i]);
        rig_sleep_ms(20); // the first watches the interrupt, the second relies on it
    }
    uint64_t start_ms = rig_now_ms();
    for (unsigned i = 0; i < 2; i++) {
        fake_release_held(rig.fake, 1);
        pthread_join(threads[i], NULL);
        cr_expect_eq(waiters[i].status, EPH_OK);
        rig_sleep_ms(20);
    }
    cr_expect_lt(rig_now_ms() - start_ms, RIG_PATIENT_MS / 2, "the second slept until its deadline");
    rig_close(&rig);
}

Test(queue, belongs_to_the_process_that_opened_it)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    pid_t child = fork();
    if (!child) {
        struct eph_completion completion;
        uint32_t tag;
        struct eph_device_info info;
        bool refused = submit(&rig, 1, 1, &tag) == EPH_E_FORKED &&
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

Test(queue, does_not_mind_signals)
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

Test(queue, works_with_descriptors_above_1024)
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

Test(queue, leaves_no_secret_in_shared_memory)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    for (unsigned i = 0; i < 20; i++)
        cr_expect_eq(rig_exchange(&rig, i, NULL), EPH_OK);
    fake_plan(rig.fake, FAKE_SILENT, 0, 1); // its operands stay in the ring until the queue closes
    uint32_t tag;
    cr_expect_eq(submit(&rig, 30, 1, &tag), EPH_OK);
    eph_cancel(rig.queue, tag);
    eph_queue_close(rig.queue);
    rig.queue = NULL;
    // The fake looks at the memory when it notices the hang-up.
    for (unsigned i = 0; i < 400 && !fake_get_counters(rig.fake).rings_wiped; i++)
        rig_sleep_ms(5);
    cr_expect(fake_get_counters(rig.fake).rings_wiped);
    rig_close(&rig);
}

Test(queue, attaches_again_to_a_restarted_daemon)
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
