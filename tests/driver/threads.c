// SPDX-License-Identifier: Apache-2.0
// Several threads on one queue, waiting and polling.
#include "rig.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>

TestSuite(threads, .timeout = 60);

Test(threads, signals_its_descriptor_for_poll)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    int fd = eph_queue_fd(rig.queue);
    cr_assert_geq(fd, 0);
    unsigned right = 0;
    for (unsigned round = 0; round < 50; round++) {
        uint32_t tags[5];
        cr_assert_eq(rig_submit(&rig, 0, 5, tags), EPH_OK);
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

Test(threads, tells_poll_of_completions_that_a_waiter_found)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    int fd = eph_queue_fd(rig.queue);
    uint32_t tags[2];
    cr_assert_eq(rig_submit(&rig, 0, 2, tags), EPH_OK); // answered in this order
    cr_expect(rig_wait_right(&rig, 1, tags[1]));
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    cr_expect_eq(poll(&ready, 1, 2000), 1, "the waiter took the interrupt along");
    struct eph_completion completion;
    cr_expect_eq(eph_poll(rig.queue, &completion, 1), 1);
    cr_expect_eq(completion.tag, tags[0]);
    rig_close(&rig);
}

// Moderated, completions come by eph_poll alone; afterwards the descriptor tells of those that came meanwhile and
// later.
Test(threads, keeps_its_descriptor_silent_when_asked)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    struct pollfd ready = {.fd = eph_queue_fd(rig.queue), .events = POLLIN};
    struct eph_completion completion;
    uint32_t tags[2];
    eph_queue_quiet(rig.queue, true);
    cr_assert_eq(rig_submit(&rig, 0, 1, tags), EPH_OK);
    cr_expect_eq(poll(&ready, 1, 2000), 1); // the interrupt that was asked for before
    cr_expect_eq(eph_poll(rig.queue, &completion, 1), 1);
    cr_assert_eq(rig_submit(&rig, 0, 1, tags), EPH_OK);
    cr_expect_eq(poll(&ready, 1, 200), 0, "an interrupt that nobody asked for");
    cr_expect_eq(eph_poll(rig.queue, &completion, 1), 1);

    cr_assert_eq(rig_submit(&rig, 1, 2, tags), EPH_OK);
    cr_expect(rig_wait_right(&rig, 2, tags[1])); // the waiter finds both
    cr_expect_eq(poll(&ready, 1, 0), 0);
    eph_queue_quiet(rig.queue, false);
    cr_expect_eq(poll(&ready, 1, 2000), 1, "what came meanwhile stays untold");
    cr_expect_eq(eph_poll(rig.queue, &completion, 1), 1);
    cr_assert_eq(rig_submit(&rig, 3, 1, tags), EPH_OK);
    cr_expect_eq(poll(&ready, 1, 2000), 1);
    rig_close(&rig);
}

Test(threads, gives_expired_requests_to_poll)
{
    struct rig rig = {0};
    rig_open(&rig, NULL);
    fake_plan(rig.fake, FAKE_SILENT, 0, 1);
    uint32_t tag;
    struct eph_completion completion = {0};
    cr_assert_eq(rig_submit(&rig, 0, 1, &tag), EPH_OK);
    cr_expect_eq(eph_poll(rig.queue, &completion, 1), 0);
    rig_sleep_ms(RIG_DEADLINE_MS + 5);
    cr_expect_eq(eph_poll(rig.queue, &completion, 1), 1);
    cr_expect_eq(completion.tag, tag);
    cr_expect_eq(completion.status, EPH_E_TIMEOUT);
    cr_expect_eq(eph_poll(rig.queue, &completion, 1), 0);
    rig_close(&rig);
}

Test(threads, tells_poll_when_the_device_goes)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    fake_plan(rig.fake, FAKE_HOLD, 0, 1);
    int fd = eph_queue_fd(rig.queue);
    uint32_t tag;
    cr_assert_eq(rig_submit(&rig, 0, 1, &tag), EPH_OK);
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

Test(threads, serves_four_threads)
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

Test(threads, wakes_each_of_several_waiting_threads)
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
    fake_release_held(rig.fake, 7); // all four sleep now; one of them takes all four completions
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

Test(threads, serves_waiting_and_polling_threads_together)
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

Test(threads, hands_the_watch_over_when_a_waiter_leaves)
{
    struct rig rig = {0};
    rig_open_patient(&rig);
    fake_plan(rig.fake, FAKE_HOLD, 0, 2);
    uint32_t tags[2];
    cr_assert_eq(rig_submit(&rig, 0, 2, tags), EPH_OK);
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
