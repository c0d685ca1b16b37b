// SPDX-License-Identifier: Apache-2.0
// Throw-away self-signed certificates, made at start and kept as DER, so that each configuration decodes them in its
// own library context as a server would decode its files.
#ifndef BENCH_CREDENTIALS_H
#define BENCH_CREDENTIALS_H

#include "suites.h"

#include <openssl/ssl.h>

struct credentials {
    unsigned char *key_der[CERTIFICATE_COUNT]; // owned
    unsigned char *certificate_der[CERTIFICATE_COUNT];
    int key_bytes[CERTIFICATE_COUNT];
    int certificate_bytes[CERTIFICATE_COUNT];
};

bool credentials_init(struct credentials *credentials);
void credentials_fini(struct credentials *credentials);
bool credentials_use(const struct credentials *credentials, enum certificate certificate, SSL_CTX *server,
                     OSSL_LIB_CTX *libctx);

#endif
