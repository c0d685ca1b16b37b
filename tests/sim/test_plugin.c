// SPDX-License-Identifier: Apache-2.0
// libephemera-sim.so inside another process.
#include "raw_client.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <dlfcn.h>
#include <ephemera/sim_plugin.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER_MS = 30000 };

static eph_sim_start_fn *sim_start;
static eph_sim_stop_fn *sim_stop;
static void *library;

static void load(void)
{
    library = dlopen(EPH_SIM_PLUGIN, RTLD_NOW | RTLD_LOCAL);
    cr_assert_not_null(library, "%s", dlerror());
    *(void **)&sim_start = dlsym(library, "eph_sim_start");
    *(void **)&sim_stop = dlsym(library, "eph_sim_stop");
    cr_assert(sim_start != NULL && sim_stop != NULL);
}

TestSuite(plugin, .init = load, .timeout = 60);

static void *start(struct raw_client *client, const char *backend, const struct eph_sim_options *options)
{
    int pair[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    *client = (struct raw_client){.fd = pair[0], .memory_fd = -1};
    return sim_start(pair[1], backend, options);
}

static void expect_service(struct raw_client *client)
{
    struct raw_queue queue;
    struct eph_cqe cqe;
    struct eph_sqe sqe = raw_rfc7748(1);
    raw_open_function(client);
    raw_queue_setup(&queue, client, 3);
    raw_queue_put(&queue, &sqe);
    raw_queue_ring(&queue);
    cr_assert(raw_queue_get(&queue, &cqe, ANSWER_MS));
    cr_assert_eq(memcmp(cqe.result, raw_rfc7748_u, sizeof raw_rfc7748_u), 0);
}

Test(plugin, serves_and_ends_when_the_client_leaves)
{
    struct raw_client client;
    void *handle = start(&client, raw_backend(), NULL);
    cr_assert_not_null(handle);
    expect_service(&client);
    raw_close(&client);
    sim_stop(handle);
    sim_stop(NULL);
}

Test(plugin, serves_two_devices_at_once)
{
    struct raw_client clients[2];
    void *handles[2];
    for (int i = 0; i < 2; i++)
        cr_assert_not_null(handles[i] = start(&clients[i], raw_backend(), NULL));
    for (int i = 0; i < 2; i++)
        expect_service(&clients[i]);
    sim_stop(handles[0]); // with its client still there
    cr_assert_eq(raw_version(&clients[0]), -EPIPE);
    cr_assert_eq(raw_read32(&clients[1], EPH_REG_MAGIC), (uint32_t)EPH_MAGIC);
    sim_stop(handles[1]);
    raw_close(&clients[0]);
    raw_close(&clients[1]);
}

Test(plugin, refuses_what_it_can_not_do_and_closes_the_socket)
{
    static const struct {
        const char *backend;
        struct eph_sim_options options;
        int error;
    } rows[] = {{"fpga", {.abi = EPH_SIM_ABI}, ENOTSUP},
                {"timed", {.abi = EPH_SIM_ABI}, ENOTSUP}, // its CPU would be the server's
                {"model", {.abi = EPH_SIM_ABI + 1}, EPROTO},
                {"model", {.abi = EPH_SIM_ABI, .faults = "nonsense"}, EINVAL},
                {"model", {.abi = EPH_SIM_ABI, .engines = 99}, EINVAL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct raw_client client;
        errno = 0;
        cr_assert_null(start(&client, rows[i].backend, &rows[i].options));
        cr_assert_eq(errno, rows[i].error, "row %zu: %s", i, strerror(errno));
        cr_assert_eq(raw_version(&client), -EPIPE);
        raw_close(&client);
    }
}

// Threads of this process that block every signal that can be blocked.
static unsigned deaf_threads(unsigned *threads)
{
    const unsigned long long all = 0x7ffbfeff; // 1..31 without SIGKILL and SIGSTOP
    unsigned deaf = 0;
    DIR *tasks = opendir("/proc/self/task");
    cr_assert_not_null(tasks);
    *threads = 0;
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        char path[300], line[256];
        unsigned long long mask = 0;
        (void)snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (file == NULL)
            continue;
        while (fgets(line, sizeof line, file) != NULL)
            (void)sscanf(line, "SigBlk: %llx", &mask);
        (void)fclose(file);
        deaf += (mask & all) == all;
        ++*threads;
    }
    closedir(tasks);
    return deaf;
}

Test(plugin, takes_one_thread_and_no_signal_of_the_application)
{
    struct raw_client client;
    unsigned before, after, deaf = deaf_threads(&before);
    void *handle = start(&client, raw_backend(), NULL);
    cr_assert_not_null(handle);
    cr_assert_eq(deaf_threads(&after), deaf + 1);
    cr_assert_eq(after, before + 1);
    sim_stop(handle);
    raw_close(&client);
}

static int in_child(void *parents_handle)
{
    struct raw_client client;
    void *handle = start(&client, raw_backend(), NULL);
    if (handle == NULL)
        return 1;
    expect_service(&client);
    sim_stop(handle);
    raw_close(&client);
    sim_stop(parents_handle); // frees the copy, touches nothing of the parent
    return 0;
}

#ifdef __SANITIZE_ADDRESS__
enum { FORKS_BADLY = true }; // gcc 12's allocator may be locked by another thread at the fork, for ever in the child
#else
enum { FORKS_BADLY = false };
#endif

Test(plugin, works_in_a_child_while_the_parent_computes, .disabled = FORKS_BADLY)
{
    struct raw_client client;
    struct raw_queue queue;
    struct eph_cqe cqe;
    void *handle = start(&client, raw_backend(), NULL);
    cr_assert_not_null(handle);
    raw_open_function(&client);
    raw_queue_setup(&queue, &client, 3);
    for (uint32_t tag = 0; tag < 6; tag++) {
        struct eph_sqe sqe = raw_rfc7748(tag);
        raw_queue_put(&queue, &sqe);
    }
    raw_queue_ring(&queue);
    pid_t pid = fork();
    if (pid == 0)
        _exit(in_child(handle));
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status 0x%x", status);
    for (uint32_t tag = 0; tag < 6; tag++) {
        cr_assert(raw_queue_get(&queue, &cqe, ANSWER_MS));
        cr_assert_eq(memcmp(cqe.result, raw_rfc7748_u, sizeof raw_rfc7748_u), 0);
    }
    sim_stop(handle);
    raw_close(&client);
}
