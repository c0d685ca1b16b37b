// SPDX-License-Identifier: Apache-2.0
// One process, one way to end: endings WAY X25519|P-256. Each uses the provider first and must leave with exit code 0,
// whatever is still alive.
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static EVP_PKEY *key, *peer;
static const char *group = "";

static EVP_PKEY *generate(void)
{
    bool x25519 = strcmp(group, "X25519") == 0;
    EVP_PKEY *made = EVP_PKEY_Q_keygen(NULL, NULL, x25519 ? "X25519" : "EC", group);
    if (made == NULL || strcmp(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(made)), "ephemera") != 0) {
        fprintf(stderr, "no key of ours\n");
        _exit(1);
    }
    return made;
}

static int derive(void)
{
    unsigned char secret[32];
    size_t bytes = sizeof secret;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    int good = context != NULL && EVP_PKEY_derive_init(context) > 0 && EVP_PKEY_derive_set_peer(context, peer) > 0 &&
               EVP_PKEY_derive(context, secret, &bytes) > 0;
    EVP_PKEY_CTX_free(context);
    return good;
}

static void free_keys(void)
{
    EVP_PKEY_free(key);
    EVP_PKEY_free(peer);
}

static void use_in_exit_handler(void)
{
    EVP_PKEY *late = generate();
    EVP_PKEY_free(late);
    free_keys();
}

static void *exit_from_thread(void *unused)
{
    (void)unused;
    free_keys();
    exit(0);
}

int main(int argc, char **argv)
{
    const char *way = argc > 2 ? argv[1] : "";
    group = argc > 2 ? argv[2] : "";
    int child_status = 0;
    // Registered before libcrypto's own handler: runs after it.
    if (strcmp(way, "handler-after-cleanup") == 0)
        atexit(free_keys);
    key = generate();
    peer = generate();
    if (!derive())
        return 1;
    if (strcmp(way, "plain") == 0) {
        free_keys();
    } else if (strcmp(way, "cleanup") == 0) {
        free_keys();
        OPENSSL_cleanup();
    } else if (strcmp(way, "handler-before-cleanup") == 0) {
        atexit(use_in_exit_handler);
    } else if (strcmp(way, "thread") == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, exit_from_thread, NULL);
        pthread_join(thread, NULL);
        return 1;
    } else if (strcmp(way, "unload") ==
               0) { // the configuration's own reference is dropped; keys keep the provider alive
        OSSL_PROVIDER *provider = OSSL_PROVIDER_load(NULL, "ephemera");
        OSSL_PROVIDER_unload(provider);
        if (!derive())
            return 1;
        free_keys();
    } else if (strcmp(way, "child") == 0) { // a forked child that never used the device ends through exit handlers
        pid_t child = fork();
        if (child == 0) {
            free_keys();
            exit(0);
        }
        waitpid(child, &child_status, 0);
        if (!derive())
            return 1;
        free_keys();
    } else if (strcmp(way, "handler-after-cleanup") != 0) {
        return 2;
    }
    return child_status != 0;
}
