// SPDX-License-Identifier: Apache-2.0
// Who is billed for what. Callbacks burn known amounts of CPU on either side, and a server that pauses imitates a
// device.
#include "clock.h"
#include "handshake.h"

#include <criterion/criterion.h>
#include <openssl/async.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static const uint64_t BURN_NS = 3000000;   // far above a handshake's own cost
static const uint64_t PAUSE_NS = 30000000; // so long that even a slow build on a busy machine has many paused at once

static struct credentials credentials;
static struct tls_pair pair;

static void burn(uint64_t cpu_ns)
{
    uint64_t begin_ns = clock_thread_ns();
    while (clock_thread_ns() - begin_ns < cpu_ns)
        ;
}

static struct handshake_result run(struct handshake_load load)
{
    struct handshake_result result = {0};
    cr_assert(handshake_run(&pair, &load, &result), "%s", result.failure);
    samples_percentile(&result.latency_us, 100); // sorts, so that the tests may look at both ends
    return result;
}

static double per_handshake_us(uint64_t ns, const struct handshake_result *result)
{
    return (double)ns / 1e3 / (double)result->done;
}

static void open_pair(const char *name, bool async)
{
    static struct suite suites[SUITE_MAX];
    char reason[256];
    size_t count = suite_list(suites), i = 0;
    while (i < count && strcmp(suites[i].name, name) != 0)
        i++;
    cr_assert_lt(i, count);
    cr_assert(credentials_init(&credentials));
    const char *problem = tls_pair_open(&pair, &suites[i], &credentials, NULL, NULL, async, reason);
    cr_assert_null(problem, "%s", problem);
    problem = handshake_prime(&pair, &suites[i], false, reason);
    cr_assert_null(problem, "%s", problem);
}

static void close_pair(void)
{
    tls_pair_close(&pair);
    credentials_fini(&credentials);
}

TestSuite(handshake, .fini = close_pair);

static int burn_in_server(SSL *ssl, void *argument)
{
    (void)ssl;
    (void)argument;
    burn(BURN_NS);
    return 1;
}

static void burn_in_client(const SSL *ssl, int where, int value)
{
    (void)ssl;
    (void)value;
    if (where & SSL_CB_HANDSHAKE_START)
        burn(BURN_NS);
}

Test(handshake, bills_the_server_for_its_own_cpu)
{
    open_pair("TLS1.3/X25519/ECDSA-P256", false);
    SSL_CTX_set_cert_cb(pair.server, burn_in_server, NULL);
    struct handshake_result result = run((struct handshake_load){.in_flight = 4, .seconds = 0.05});
    cr_assert_geq(result.done, 4);
    cr_assert_gt(per_handshake_us(result.server_cpu_ns, &result), 3000);
    cr_assert_lt(per_handshake_us(result.client_cpu_ns, &result), 3000);
    cr_assert_eq(result.latency_us.count, result.done);
    samples_fini(&result.latency_us);
}

Test(handshake, does_not_bill_the_server_for_the_client)
{
    open_pair("TLS1.3/X25519/ECDSA-P256", false);
    SSL_CTX_set_info_callback(pair.client, burn_in_client);
    struct handshake_result result = run((struct handshake_load){.in_flight = 1, .seconds = 0.05});
    cr_assert_gt(per_handshake_us(result.client_cpu_ns, &result), 3000);
    cr_assert_lt(per_handshake_us(result.server_cpu_ns, &result), 3000);
    samples_fini(&result.latency_us);
}

// A device: one thread, which signals each eventfd, or calls the callback, after PAUSE_NS and burns CPU in the server's
// process.
struct device {
    int fd;
    ASYNC_callback_fn callback;
    void *callback_arg;
    bool burns;
};

static void *serve(void *argument)
{
    struct device device = *(struct device *)argument;
    free(argument);
    nanosleep(&(struct timespec){0, (long)PAUSE_NS}, NULL);
    if (device.burns)
        burn(BURN_NS);
    if (device.callback)
        device.callback(device.callback_arg);
    else
        eventfd_write(device.fd, 1);
    return NULL;
}

static void close_fd(ASYNC_WAIT_CTX *ctx, const void *key, OSSL_ASYNC_FD fd, void *custom)
{
    (void)ctx;
    (void)key;
    (void)custom;
    close(fd);
}

static int pause_for_device(SSL *ssl, void *burns)
{
    static const char key;
    pthread_t thread;
    (void)ssl;
    ASYNC_JOB *job = ASYNC_get_current_job();
    struct device *device = malloc(sizeof(*device));
    if (!job || !device)
        return 0;
    *device = (struct device){.fd = -1, .burns = burns != NULL};
    if (!ASYNC_WAIT_CTX_get_callback(ASYNC_get_wait_ctx(job), &device->callback, &device->callback_arg)) {
        device->fd = eventfd(0, EFD_CLOEXEC);
        ASYNC_WAIT_CTX_set_wait_fd(ASYNC_get_wait_ctx(job), &key, device->fd, NULL, close_fd);
    }
    if (pthread_create(&thread, NULL, serve, device) != 0)
        return 0;
    pthread_detach(thread);
    return ASYNC_pause_job();
}

static void wait_side_by_side(bool callback)
{
    open_pair("TLS1.3/X25519/ECDSA-P256", true);
    pair.callback = callback;
    SSL_CTX_set_cert_cb(pair.server, pause_for_device, NULL);
    struct handshake_result result = run((struct handshake_load){.in_flight = 6, .seconds = 0.3});
    cr_assert_geq(result.pauses, result.done);
    cr_assert_geq(result.latency_us.values[0], (double)PAUSE_NS / 1e3, "none is faster than its device");
    // one after the other could not do more than one a pause
    cr_assert_gt((double)result.done / (double)result.wall_ns, 2.0 / (double)PAUSE_NS);
    cr_assert_lt(result.server_cpu_ns, result.wall_ns / 2, "waiting costs no CPU");
    samples_fini(&result.latency_us);
}

Test(handshake, paused_servers_wait_side_by_side)
{
    wait_side_by_side(false);
}

Test(handshake, paused_servers_with_a_callback_do_as_well)
{
    wait_side_by_side(true);
}

Test(handshake, bills_the_server_for_helper_threads)
{
    open_pair("TLS1.2/X25519/ECDSA-P256", true);
    SSL_CTX_set_cert_cb(pair.server, pause_for_device, &pair);
    struct handshake_result result = run((struct handshake_load){.in_flight = 4, .seconds = 0.05});
    cr_assert_gt(per_handshake_us(result.helper_cpu_ns, &result), 3000);
    cr_assert_gt(per_handshake_us(result.server_cpu_ns, &result), 3000);
    samples_fini(&result.latency_us);
}

Test(handshake, open_loop_keeps_its_rate_and_counts_the_wait)
{
    open_pair("TLS1.3/X25519/ECDSA-P256", false);
    SSL_CTX_set_cert_cb(pair.server, burn_in_server, NULL);
    // 3 ms of service each: 100 a second is a third of what it can do, 1,000 is three times too many
    struct handshake_load calm = {.in_flight = 64, .seconds = 1, .arrivals_per_second = 100, .seed = 5};
    struct handshake_result result = run(calm);
    cr_assert(result.done > 60 && result.done < 140, "%lu arrivals", (unsigned long)result.done);
    samples_fini(&result.latency_us);
    struct handshake_load flood = {.in_flight = 2, .seconds = 0.2, .arrivals_per_second = 1000, .seed = 5};
    result = run(flood);
    cr_assert_gt(result.done, 120);
    cr_assert_gt(result.latency_us.values[result.latency_us.count - 1], 200000,
                 "late starts count from their scheduled time");
    samples_fini(&result.latency_us);
}

Test(handshake, the_ideal_device_replaces_keygen_and_derive_only)
{
    open_pair("TLS1.3/P-256/ECDSA-P256", false);
    pair.is_ideal = true;
    struct handshake_result result = run((struct handshake_load){.in_flight = 1, .seconds = 0.1, .phases = true});
    const struct probe *probe = &result.probe;
    cr_assert_geq(probe->calls[PHASE_KEYGEN], result.done);
    cr_assert_geq(probe->calls[PHASE_SIGNATURE], result.done);
    cr_assert_lt(probe->cpu_ns[PHASE_KEYGEN] + probe->cpu_ns[PHASE_DERIVE], probe->cpu_ns[PHASE_SIGNATURE] / 2);
    cr_assert_gt(probe->cpu_ns[PHASE_CHECK], 0);
    samples_fini(&result.latency_us);
}

Test(handshake, a_server_that_refuses_is_a_failure_with_its_reason)
{
    open_pair("TLS1.3/X25519/ECDSA-P256", false);
    cr_assert_eq(SSL_CTX_set1_groups_list(pair.client, "P-384"), 1);
    struct handshake_result result = {0};
    struct handshake_load load = {.in_flight = 4, .seconds = 0.05};
    cr_assert_not(handshake_run(&pair, &load, &result));
    cr_assert(strstr(result.failure, "server"), "%s", result.failure);
    samples_fini(&result.latency_us);
}
