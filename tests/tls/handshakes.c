// SPDX-License-Identifier: Apache-2.0
// Whole TLS handshakes inside one process, server and client over a BIO pair, both with the configuration of
// OPENSSL_CONF:
//   handshakes CERT KEY [--threads N] [--forks N] [--chroot DIR] [--user UID] [--each N] [--groups LIST]
// Contexts are made first, then the process changes root and user, forks, starts threads. Each worker makes N
// handshakes.
#include <grp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static SSL_CTX *server_context, *client_context;
static int each = 4;

static int handshake(int i)
{
    BIO *server_bio = NULL, *client_bio = NULL;
    SSL *server = SSL_new(server_context), *client = SSL_new(client_context);
    int done = 0;
    if (server == NULL || client == NULL || !BIO_new_bio_pair(&server_bio, 0, &client_bio, 0))
        return 0;
    SSL_set_bio(server, server_bio, server_bio);
    SSL_set_bio(client, client_bio, client_bio);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    if (i % 2)
        SSL_set_max_proto_version(client, TLS1_2_VERSION);
    for (int turn = 0; turn < 20 && !done; turn++) {
        int c = SSL_do_handshake(client), s = SSL_do_handshake(server);
        done = c == 1 && s == 1;
    }
    if (!done)
        ERR_print_errors_fp(stderr);
    SSL_free(server);
    SSL_free(client);
    return done;
}

static void *worker(void *failures)
{
    for (int i = 0; i < each; i++)
        *(int *)failures += !handshake(i);
    return failures;
}

static int run_threads(int threads)
{
    pthread_t ids[64];
    int failures[64] = {0}, sum = 0;
    for (int i = 0; i < threads; i++)
        if (pthread_create(&ids[i], NULL, worker, &failures[i]) != 0)
            return 1;
    for (int i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        sum += failures[i];
    }
    return sum;
}

static int run_forks(int forks, int threads)
{
    int failed = 0;
    for (int i = 0; i < forks; i++) {
        pid_t child = fork();
        if (child == 0)
            exit(run_threads(threads) != 0); // exit handlers of the library run in the child as well
        if (child < 0)
            return 1;
    }
    for (int i = 0; i < forks; i++) {
        int status;
        if (wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
            failed++;
    }
    return failed;
}

static int drop_privileges(const char *root, int user)
{
    if (root != NULL && (chroot(root) != 0 || chdir("/") != 0)) {
        perror("chroot");
        return 0;
    }
    if (user > 0 && (setgroups(0, NULL) != 0 || setgid((gid_t)user) != 0 || setuid((uid_t)user) != 0)) {
        perror("setuid");
        return 0;
    }
    return 1;
}

int main(int argc, char **argv)
{
    int threads = 1, forks = 0, user = 0;
    const char *root = NULL, *groups = "X25519:P-256";
    if (argc < 3)
        return 2;
    for (int i = 3; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--threads") == 0)
            threads = atoi(argv[i + 1]);
        else if (strcmp(argv[i], "--forks") == 0)
            forks = atoi(argv[i + 1]);
        else if (strcmp(argv[i], "--each") == 0)
            each = atoi(argv[i + 1]);
        else if (strcmp(argv[i], "--groups") == 0)
            groups = argv[i + 1];
        else if (strcmp(argv[i], "--chroot") == 0)
            root = argv[i + 1];
        else if (strcmp(argv[i], "--user") == 0)
            user = atoi(argv[i + 1]);
        else
            return 2;
    }
    server_context = SSL_CTX_new(TLS_server_method());
    client_context = SSL_CTX_new(TLS_client_method());
    if (threads > 64 || server_context == NULL || client_context == NULL ||
        SSL_CTX_use_certificate_file(server_context, argv[1], SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(server_context, argv[2], SSL_FILETYPE_PEM) != 1 || !drop_privileges(root, user)) {
        ERR_print_errors_fp(stderr);
        return 1;
    }
    // The server's too: from OpenSSL 3.5 on, one with the default list asks again for a group that it likes better.
    if (SSL_CTX_set1_groups_list(client_context, groups) != 1 || SSL_CTX_set1_groups_list(server_context, groups) != 1)
        return 2;
    SSL_CTX_set_session_cache_mode(server_context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(server_context, SSL_OP_NO_TICKET);
    int failed = forks > 0 ? run_forks(forks, threads) : run_threads(threads);
    SSL_CTX_free(server_context);
    SSL_CTX_free(client_context);
    if (failed)
        fprintf(stderr, "%d failed\n", failed);
    return failed != 0;
}
