// SPDX-License-Identifier: Apache-2.0
// The key pool: each key once, right, young, and of this process alone; and it never makes a call wait.
#include "daemon.h"
#include "rig.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct rig rig;

// This program's clock_gettime comes before libc's, so that a test can let time pass.
static time_t later_seconds;

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE)
        now->tv_sec += later_seconds;
    return result;
}

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

TestSuite(pool, .init = setup, .fini = teardown, .timeout = 60);

static uint64_t milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static void generate_public(uint8_t u[32])
{
    size_t bytes = 32;
    EVP_PKEY *key = rig_generate(rig.ours);
    cr_assert(EVP_PKEY_get_raw_public_key(key, u, &bytes));
    EVP_PKEY_free(key);
}

// Uses keys until this process's pool holds some; the device is attached on the way. Returns how many.
static uint64_t warm_up(uint64_t keys)
{
    uint8_t u[32];
    for (int i = 0; i < 2000 && rig_counters(&rig).pool_keys < keys; i++) {
        generate_public(u);
        pause_ms(1);
    }
    cr_assert(rig_counters(&rig).pool_keys >= keys, "the pool does not fill: %llu keys",
              (unsigned long long)rig_counters(&rig).pool_keys);
    return rig_counters(&rig).pool_keys;
}

static uint64_t from_pool(void)
{
    return rig_operations(&rig, EPH_OP_KEYGEN, EPH_STATS_SERVED_POOL);
}

Test(pool, serves_keys_that_work_and_counts_them)
{
    rig_open(&rig, "device = sim:model\noffload = always\npool = 16\n");
    warm_up(8);
    uint64_t before = from_pool();
    for (int i = 0; i < 8; i++)
        rig_agree(&rig);
    struct eph_stats_counters counters = rig_counters(&rig);
    cr_assert_eq(from_pool(), before + 8);
    cr_assert_eq(counters.pool.hits, from_pool());
    cr_assert(counters.pool.made >= counters.pool.hits);
    cr_assert(counters.pool_keys <= 16);
    cr_assert_eq(rig_fallbacks(&rig), 0);
    uint64_t ages = 0;
    for (unsigned b = 0; b < EPH_STATS_AGE_BUCKETS; b++)
        ages += counters.pool.age[b];
    cr_assert_eq(ages, counters.pool.hits);
}

Test(pool, serves_auto_where_the_device_would_be_too_slow)
{
    rig_open(&rig, "device = sim:model\noffload = auto\npool = 16\n");
    warm_up(4);
    uint64_t before = from_pool();
    rig_agree(&rig);
    cr_assert_eq(from_pool(), before + 1);
    cr_assert_eq(rig_operations(&rig, EPH_OP_KEYGEN, EPH_STATS_SERVED_DEVICE), 0);
}

// A described card answers like hardware, and so the provider treats it.
Test(pool, holds_64_keys_of_a_described_card)
{
    daemon_start_timed(EPH_PROFILE);
    daemon_rig(&rig, "offload = auto\n");
    uint64_t most = 0;
    uint8_t u[32];
    for (int i = 0; i < 2000 && most < 60; i++) { // refills of 8: never quite full after a key was taken
        generate_public(u);
        pause_ms(1);
        most = rig_counters(&rig).pool_keys > most ? rig_counters(&rig).pool_keys : most;
    }
    cr_expect_geq(most, 56);
    cr_expect_leq(most, 64);
}

Test(pool, is_off_on_a_simulation_unless_asked_for)
{
    static const char *const off[] = {
        "device = sim:model\noffload = always\n", "device = sim:model\noffload = always\npool = auto\n",
        "device = sim:model\noffload = always\npool = 0\n", "device = sim:model\noffload = never\npool = 16\n"};
    uint8_t u[32];
    for (size_t i = 0; i < sizeof off / sizeof off[0]; i++) {
        rig_open(&rig, off[i]);
        for (int n = 0; n < 20; n++)
            generate_public(u);
        struct eph_stats_counters counters = rig_counters(&rig);
        cr_assert_eq(counters.pool.hits + counters.pool.misses + counters.pool.made, 0, "%s", off[i]);
        rig_close(&rig);
    }
    rig.ours = NULL;
}

// ---- once

enum { PROCESSES = 4, KEYS_EACH = 2500, KEYS = PROCESSES * KEYS_EACH };

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, 32);
}

static void generate_many(uint8_t (*keys)[32], int count)
{
    for (int i = 0; i < count; i++) {
        generate_public(keys[i]);
        if (i % 16 == 0)
            pause_ms(1); // the device's turn on a machine with few cores
    }
}

static void wait_for(pid_t child)
{
    int status = -1;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

// Workers forked from a process whose pool is full; one of them forks again in the middle.
Test(pool, each_key_is_used_once_over_processes_and_forks)
{
    rig_open(&rig, "device = sim:model\noffload = auto\npool = 64\n");
    uint8_t(*keys)[32] = mmap(NULL, KEYS * 32, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert(keys != MAP_FAILED);
    warm_up(32);
    pid_t child[PROCESSES - 1];
    for (int p = 0; p < PROCESSES - 2; p++)
        if ((child[p] = fork()) == 0) {
            generate_many(keys + p * KEYS_EACH, KEYS_EACH);
            _exit(0);
        }
    if ((child[PROCESSES - 2] = fork()) == 0) {
        uint8_t(*own)[32] = keys + (PROCESSES - 2) * KEYS_EACH;
        generate_many(own, KEYS_EACH / 2);
        pid_t grandchild = fork();
        if (grandchild == 0) {
            generate_many(own + KEYS_EACH / 2, KEYS_EACH / 4);
            _exit(0);
        }
        generate_many(own + KEYS_EACH / 2 + KEYS_EACH / 4, KEYS_EACH - KEYS_EACH / 2 - KEYS_EACH / 4);
        wait_for(grandchild);
        _exit(0);
    }
    generate_many(keys + (PROCESSES - 1) * KEYS_EACH, KEYS_EACH);
    for (int p = 0; p < PROCESSES - 1; p++)
        wait_for(child[p]);
    cr_assert(from_pool() >= KEYS / 20, "only %llu keys came from a pool", (unsigned long long)from_pool());
    qsort(keys, KEYS, 32, compare);
    for (int i = 1; i < KEYS; i++)
        cr_assert_neq(compare(keys[i - 1], keys[i]), 0, "a public key was given out twice");
    munmap(keys, KEYS * 32);
}

// The mapping of this process that is locked, wiped on fork and not dumped: lo, wf, dd of VmFlags in proc(5).
static uint8_t *find_memory(size_t *bytes)
{
    char line[512];
    unsigned long from = 0, to = 0;
    FILE *maps = fopen("/proc/self/smaps", "r");
    cr_assert(maps != NULL);
    uint8_t *found = NULL;
    while (found == NULL && fgets(line, sizeof line, maps) != NULL) {
        unsigned long start, end;
        if (sscanf(line, "%lx-%lx ", &start, &end) == 2 && strchr(line, ':') != NULL && line[0] != 'V') {
            from = start;
            to = end;
        } else if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " lo") != NULL && strstr(line, " wf") != NULL &&
                   strstr(line, " dd") != NULL) {
            found = (uint8_t *)from; // NOLINT: an address of our own
        }
    }
    fclose(maps);
    *bytes = found != NULL ? to - from : 0;
    return found;
}

static bool holds_something(const uint8_t *memory, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (memory[i] != 0)
            return true;
    return false;
}

// The sanitizer's mlock does nothing: there is no locking to see.
#ifdef __SANITIZE_ADDRESS__
#define LOCKS false
#else
#define LOCKS true
#endif

Test(pool, memory_is_locked_not_dumped_and_empty_in_a_child, .disabled = !LOCKS)
{
    size_t bytes;
    rig_open(&rig, "device = sim:model\noffload = auto\npool = 16\n");
    warm_up(8);
    uint8_t *memory = find_memory(&bytes);
    cr_assert(memory != NULL, "no mapping is locked, wiped on fork and left out of dumps");
    cr_assert(holds_something(memory, bytes));
    pid_t child = fork();
    if (child == 0)
        _exit(holds_something(memory, bytes) ? 1 : 0);
    wait_for(child);
}

Test(pool, child_starts_without_its_parents_keys)
{
    rig_open(&rig, "device = sim:model\noffload = auto\npool = 16\n");
    warm_up(8);
    uint64_t before = from_pool();
    pid_t child = fork();
    if (child == 0) {
        uint8_t u[32];
        generate_public(u);
        _exit(from_pool() == before ? 0 : 1);
    }
    wait_for(child);
    rig_agree(&rig);
    cr_assert_eq(from_pool(), before + 1, "the parent's pool lives on");
}

// ---- memory that can not be locked

Test(pool, is_off_and_counted_when_memory_can_not_be_locked, .disabled = !LOCKS)
{
    rig_open(&rig, "device = sim:model\noffload = always\npool = 16\n");
    cr_assert_eq(chmod(rig.directory, 0777), 0);
    pid_t child = fork();
    if (child == 0) {
        uint8_t u[32];
        setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){0, 0});
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(2);
        for (int i = 0; i < 20; i++)
            generate_public(u);
        _exit(0);
    }
    wait_for(child);
    struct eph_stats_counters counters = rig_counters(&rig);
    cr_assert_eq(counters.pool.refused, 1);
    cr_assert_eq(counters.pool.hits + counters.pool.made, 0);
    cr_assert_eq(rig_operations(&rig, EPH_OP_KEYGEN, EPH_STATS_SERVED_DEVICE), 20);
}

// ---- age

Test(pool, key_older_than_a_minute_is_wiped_not_used)
{
    uint8_t u[32];
    rig_open(&rig, "device = sim:model\noffload = auto\npool = 16\n");
    uint64_t keys = warm_up(8), hits = from_pool();
    later_seconds += 50;
    generate_public(u);
    cr_assert_eq(from_pool(), ++hits, "50 s are young enough");
    keys = rig_counters(&rig).pool_keys;
    later_seconds += 61;
    generate_public(u);
    cr_assert_eq(rig_counters(&rig).pool.expired, keys);
}

// ---- a device that misbehaves

Test(pool, wrong_keys_never_enter)
{
    uint8_t scalar[32], u[32], right_u[32];
    daemon_start("corrupt=1/3,seed=4"); // with this seed the first one, which answers the self-test, is right
    daemon_rig(&rig, "offload = auto\npool = 16\n");
    warm_up(4);
    for (int i = 0; i < 200; i++) {
        size_t bytes = 32;
        EVP_PKEY *key = rig_generate(rig.ours);
        cr_assert(EVP_PKEY_get_raw_private_key(key, scalar, &bytes) && EVP_PKEY_get_raw_public_key(key, u, &bytes));
        EVP_PKEY *right = rig_private(rig.stock, scalar);
        cr_assert(EVP_PKEY_get_raw_public_key(right, right_u, &bytes));
        cr_assert_arr_eq(u, right_u, 32);
        EVP_PKEY_free(key);
        EVP_PKEY_free(right);
        pause_ms(1);
    }
    cr_assert(rig_counters(&rig).pool.discarded >= 5);
    cr_assert(from_pool() >= 20);
}

// Whoever waited for the silent device would lose half a second.
Test(pool, refill_never_waits_for_a_silent_device)
{
    uint8_t u[32];
    daemon_start("");
    daemon_rig(&rig, "offload = auto\npool = 16\ndeadline_ms = 500\n");
    warm_up(8);
    daemon_signal(SIGSTOP);
    uint64_t slowest = 0, start = milliseconds();
    for (int i = 0; i < 500; i++) {
        uint64_t before = milliseconds();
        generate_public(u);
        uint64_t spent = milliseconds() - before;
        slowest = spent > slowest ? spent : slowest;
    }
    cr_assert(slowest < 250, "one key took %llu ms", (unsigned long long)slowest);
    cr_assert(milliseconds() - start < 1000);
    // The requests on their way are given up in the end, and the breaker opens.
    for (int i = 0; i < 100 && rig_counters(&rig).breaker == 0; i++) {
        pause_ms(20);
        generate_public(u);
    }
    cr_assert(rig_counters(&rig).pool.discarded > 0);
    cr_assert(rig_counters(&rig).breaker != 0);
    daemon_signal(SIGCONT);
}

Test(pool, survives_the_death_of_the_device_and_fills_again)
{
    uint8_t u[32];
    daemon_start("");
    daemon_rig(&rig, "offload = auto\npool = 16\n");
    warm_up(8);
    daemon_stop(SIGKILL);
    for (int i = 0; i < 50; i++)
        generate_public(u);
    uint64_t made = rig_counters(&rig).pool.made;
    daemon_start("");
    for (int i = 0; i < 200 && rig_counters(&rig).pool.made == made; i++) { // the first back-off is a second
        pause_ms(20);
        generate_public(u);
    }
    cr_assert(rig_counters(&rig).pool.made > made);
    rig_agree(&rig);
}
