// SPDX-License-Identifier: Apache-2.0
// Many stock TLS clients at once, against a server on a local port or UNIX socket:
//   clients PORT|PATH CONNECTIONS HANDSHAKES [--kill-ms N]
// Full TLS 1.3 handshakes over X25519, each closed at once. --kill-ms: instead, each connection is reset N ms after
// its ClientHello was sent. Prints "HANDSHAKES FAILURES RATE", the rate in handshakes a second.
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 256 };

static SSL_CTX *context;
static const char *address;
static int kill_ms = -1;
static atomic_int left, done, failed;

static int connect_plain(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    bool local = strchr(address, '/') != NULL;
    if (local)
        snprintf(un.sun_path, sizeof un.sun_path, "%s", address);
    else
        in.sin_port = htons((unsigned short)atoi(address));
    int fd = socket(local ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
    struct timeval limit = {.tv_sec = 20};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    int result =
        local ? connect(fd, (struct sockaddr *)&un, sizeof un) : connect(fd, (struct sockaddr *)&in, sizeof in);
    if (result == 0)
        return fd;
    close(fd);
    return -1;
}

// Sends the ClientHello and vanishes while the server works on it.
static bool hello_and_reset(SSL *ssl, int fd)
{
    BIO *bytes = BIO_new(BIO_s_mem());
    char *hello;
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), bytes);
    SSL_connect(ssl);
    long length = BIO_get_mem_data(bytes, &hello);
    bool sent = send(fd, hello, (size_t)length, MSG_NOSIGNAL) == length;
    poll(NULL, 0, kill_ms);
    struct linger reset = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    return sent;
}

static bool handshake(void)
{
    int fd = connect_plain();
    SSL *ssl = SSL_new(context);
    bool good = fd >= 0 && ssl != NULL;
    if (good && kill_ms >= 0)
        good = hello_and_reset(ssl, fd);
    else if (good)
        good = SSL_set_fd(ssl, fd) && SSL_connect(ssl) == 1 && !SSL_session_reused(ssl) && SSL_shutdown(ssl) >= 0;
    SSL_free(ssl);
    if (fd >= 0)
        close(fd);
    ERR_clear_error();
    return good;
}

static void *client(void *unused)
{
    while (atomic_fetch_sub(&left, 1) > 0)
        atomic_fetch_add(handshake() ? &done : &failed, 1);
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t threads[MAX_CONNECTIONS];
    struct timespec begin, end;
    int connections = argc >= 4 ? atoi(argv[2]) : 0;
    if (argc == 6 && strcmp(argv[4], "--kill-ms") == 0)
        kill_ms = atoi(argv[5]);
    if ((argc != 4 && argc != 6) || connections < 1 || connections > MAX_CONNECTIONS) {
        fprintf(stderr, "usage: clients PORT|PATH CONNECTIONS HANDSHAKES [--kill-ms N]\n");
        return 2;
    }
    address = argv[1];
    atomic_store(&left, atoi(argv[3]));
    context = SSL_CTX_new(TLS_client_method());
    if (context == NULL || !SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) ||
        !SSL_CTX_set1_groups_list(context, "X25519"))
        return 1;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < connections; i++)
        if (pthread_create(&threads[i], NULL, client, NULL) != 0)
            return 1;
    for (int i = 0; i < connections; i++)
        pthread_join(threads[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
    printf("%d %d %.0f\n", atomic_load(&done), atomic_load(&failed), atomic_load(&done) / seconds);
    SSL_CTX_free(context);
    return atomic_load(&failed) != 0;
}
