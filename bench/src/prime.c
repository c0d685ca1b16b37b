// SPDX-License-Identifier: Apache-2.0
// The first handshake of a pair: does it work, with the group that it is named after, and which session can be resumed?
#include "handshake.h"

#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>

enum { MAX_TURNS = 100000 }; // asynchronous servers are simply asked again

static const char *shake(SSL *server, SSL *client)
{
    bool server_done = false, client_done = false;
    for (int turn = 0; turn < MAX_TURNS && !(server_done && client_done); turn++) {
        int result = client_done ? 1 : SSL_do_handshake(client), error = SSL_get_error(client, result);
        client_done = result == 1;
        if (result != 1 && error != SSL_ERROR_WANT_READ)
            return "client refused";
        result = server_done ? 1 : SSL_do_handshake(server);
        error = SSL_get_error(server, result);
        server_done = result == 1;
        if (result != 1 && error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_ASYNC &&
            error != SSL_ERROR_WANT_ASYNC_JOB)
            return "server refused";
        if (result != 1 && error == SSL_ERROR_WANT_ASYNC)
            poll(NULL, 0, 1);
    }
    return server_done && client_done ? NULL : "no end of the handshake";
}

const char *handshake_prime(struct tls_pair *pair, const struct suite *suite, bool keep_session, char reason[256])
{
    BIO *server_bio, *client_bio;
    char byte;
    SSL *server = SSL_new(pair->server), *client = SSL_new(pair->client);
    const char *problem = "out of memory";
    if (server && client && BIO_new_bio_pair(&server_bio, 32768, &client_bio, 32768) == 1) {
        SSL_set_bio(server, server_bio, server_bio);
        SSL_set_accept_state(server);
        SSL_set_bio(client, client_bio, client_bio);
        SSL_set_connect_state(client);
        problem = shake(server, client);
        if (!problem && !tls_pair_used_group(client, suite))
            problem = "another group was negotiated";
        if (!problem && keep_session) {
            (void)SSL_read(client, &byte, 1); // TLS 1.3 tickets come after the handshake
            pair->session = SSL_get1_session(client);
            if (!pair->session || !SSL_SESSION_is_resumable(pair->session))
                problem = "no resumable session";
        }
    }
    if (problem) {
        char detail[160] = "";
        if (ERR_peek_error())
            ERR_error_string_n(ERR_peek_error(), detail, sizeof(detail));
        snprintf(reason, 256, "%s%s%s", problem, detail[0] ? ": " : "", detail);
        problem = reason;
    }
    ERR_clear_error();
    if (server)
        SSL_set_shutdown(server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    if (client)
        SSL_set_shutdown(client,
                         SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN); // freeing an open one would spoil its session
    SSL_free(server);
    SSL_free(client);
    return problem;
}
