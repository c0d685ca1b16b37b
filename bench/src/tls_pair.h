// SPDX-License-Identifier: Apache-2.0
// The two SSL_CTX of one suite: the server in the variant's library context, the client always stock, in one of its
// own.
#ifndef BENCH_TLS_PAIR_H
#define BENCH_TLS_PAIR_H

#include "credentials.h"
#include "probe.h"
#include "suites.h"

#include <openssl/ssl.h>

struct tls_pair {
    SSL_CTX *server, *client;  // owned
    SSL_SESSION *session;      // owned; for resumed handshakes, NULL otherwise
    bool is_ideal;             // keygen and derive come from ideal
    bool callback;             // the server's jobs are announced by a callback instead of descriptors
    struct ideal_device ideal; // constant key pair and secret
};

// NULL, or why this suite does not work with these libraries (static or in reason).
const char *tls_pair_open(struct tls_pair *pair, const struct suite *suite, const struct credentials *credentials,
                          OSSL_LIB_CTX *server_libctx, OSSL_LIB_CTX *client_libctx, bool async, char reason[256]);
void tls_pair_close(struct tls_pair *pair);
// The group that a finished handshake really used is the suite's.
bool tls_pair_used_group(SSL *client, const struct suite *suite);

#endif
