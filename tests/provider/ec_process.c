// SPDX-License-Identifier: Apache-2.0
// EC keys in threads and in forked children.
#include "ec_rig.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static struct rig rig;

static void setup(void)
{
    ec_rig_open(&rig);
}

static void teardown(void)
{
    rig_close(&rig);
}

TestSuite(ec_process, .init = setup, .fini = teardown, .timeout = 60);

// One pair and one peer for all threads: their software objects are made in a race.
struct shared {
    EVP_PKEY *own, *peer;
    uint8_t secret[66];
    pthread_barrier_t barrier;
};

static void *derive_shared(void *vshared)
{
    struct shared *shared = vshared;
    uint8_t secret[66];
    pthread_barrier_wait(&shared->barrier);
    for (int i = 0; i < 25; i++) {
        size_t bytes = sizeof secret;
        cr_assert(ec_rig_derive(rig.ours, shared->own, shared->peer, secret, &bytes));
        cr_assert_eq(bytes, 32);
        cr_assert_arr_eq(secret, shared->secret, 32);
        ec_rig_agree(&rig, &ec_rig_curves[i % EC_RIG_OURS]);
    }
    return NULL;
}

Test(ec_process, four_threads)
{
    uint8_t octets[EC_RIG_MAX_OCTETS];
    size_t bytes = 66;
    struct shared shared;
    pthread_t threads[4];
    EVP_PKEY *stock = ec_rig_generate(rig.stock, "P-256");
    shared.own = ec_rig_generate(rig.ours, "P-256");
    shared.peer = ec_rig_public(rig.ours, "P-256", octets, ec_rig_octets(stock, octets));
    EVP_PKEY *ours_public = ec_rig_moved(rig.stock, shared.own, EVP_PKEY_PUBLIC_KEY);
    cr_assert(ec_rig_derive(rig.stock, stock, ours_public, shared.secret, &bytes));
    pthread_barrier_init(&shared.barrier, NULL, 4);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, derive_shared, &shared), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&shared.barrier);
    uint64_t derived = 0;
    for (size_t c = 0; c < EC_RIG_OURS; c++)
        derived += ec_rig_operations(&rig, ec_rig_curves[c].id, EPH_OP_DERIVE);
    cr_assert_eq(derived, 4 * 25 * 2);
    EVP_PKEY_free(stock);
    EVP_PKEY_free(ours_public);
    EVP_PKEY_free(shared.own);
    EVP_PKEY_free(shared.peer);
}

// Children make keys of their own: no two alike, and none of their parent's.
Test(ec_process, forked_children)
{
    enum { CHILDREN = 4 };
    uint8_t octets[CHILDREN + 1][EC_RIG_MAX_OCTETS];
    int from_child[2];
    ec_rig_agree(&rig, &ec_rig_curves[0]);
    for (int i = 0; i < CHILDREN; i++) {
        cr_assert_eq(pipe(from_child), 0);
        pid_t child = fork();
        cr_assert(child >= 0);
        if (child == 0) {
            EVP_PKEY *key = ec_rig_generate(rig.ours, "P-256");
            ec_rig_agree(&rig, &ec_rig_curves[1]);
            ssize_t written = write(from_child[1], octets[0], ec_rig_octets(key, octets[0]));
            EVP_PKEY_free(key);
            _exit(written != 65);
        }
        int status = -1;
        cr_assert_eq(read(from_child[0], octets[i], 65), 65);
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        close(from_child[0]);
        close(from_child[1]);
    }
    EVP_PKEY *key = ec_rig_generate(rig.ours, "P-256");
    ec_rig_octets(key, octets[CHILDREN]);
    EVP_PKEY_free(key);
    for (int i = 0; i <= CHILDREN; i++)
        for (int j = 0; j < i; j++)
            cr_assert_arr_neq(octets[i], octets[j], 65);
    cr_assert_eq(ec_rig_operations(&rig, EPH_CURVE_P384, EPH_OP_DERIVE), CHILDREN);
}
