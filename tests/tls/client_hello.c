// SPDX-License-Identifier: Apache-2.0
// Prints the supported_groups extension (RFC 8446 section 4.2.7) of the ClientHello that this process would send, in
// hex, one line for each method: TLS, TLS 1.2 alone, DTLS; and for TLS again with the groups of the command line.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned get16(const unsigned char *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

// Walks a ClientHello body; the caller has checked nothing, so every step is bounded.
static int print_groups(const char *name, const unsigned char *hello, size_t bytes)
{
    size_t at = 34;                                        // version, random
    at += at < bytes ? 1u + hello[at] : bytes;             // session id
    at += at + 2 <= bytes ? 2 + get16(hello + at) : bytes; // suites
    at += at < bytes ? 1u + hello[at] : bytes;             // compression
    at += 2;
    while (at + 4 <= bytes) {
        unsigned type = get16(hello + at), length = get16(hello + at + 2);
        at += 4;
        if (at + length > bytes)
            break;
        if (type == TLSEXT_TYPE_supported_groups) {
            printf("%s ", name);
            for (unsigned i = 0; i < length; i++)
                printf("%02x", hello[at + i]);
            putchar('\n');
            return 0;
        }
        at += length;
    }
    fprintf(stderr, "%s: no supported_groups\n", name);
    return 1;
}

static const char *current_name;
static int failures;

static void on_message(int sent, int version, int type, const void *data, size_t bytes, SSL *ssl, void *argument)
{
    const unsigned char *message = data;
    (void)version;
    (void)argument;
    size_t header = SSL_is_dtls(ssl) ? 12 : 4;
    if (!sent || type != SSL3_RT_HANDSHAKE || bytes < header || message[0] != SSL3_MT_CLIENT_HELLO)
        return;
    if (SSL_is_dtls(ssl)) {
        unsigned char *plain = malloc(bytes);
        size_t body = bytes - header;
        for (size_t i = 0; plain != NULL && i < body; i++)
            plain[i] = message[header + i];
        // DTLS has a cookie after the session id: print from a copy without it (the first hello's cookie is empty).
        size_t cookie = 34;
        if (plain != NULL && cookie < body) {
            cookie += 1u + plain[cookie];
            for (size_t i = cookie; i + 1 < body; i++)
                plain[i] = plain[i + 1];
            failures += print_groups(current_name, plain, body - 1);
        }
        free(plain);
        return;
    }
    failures += print_groups(current_name, message + header, bytes - header);
}

static int hello(const char *name, const SSL_METHOD *method, int max_version, const char *groups)
{
    SSL_CTX *context = SSL_CTX_new(method);
    if (context == NULL || (groups != NULL && !SSL_CTX_set1_groups_list(context, groups))) {
        fprintf(stderr, "%s: no context, or a group of %s is unknown\n", name,
                groups != NULL ? groups : "the default list");
        SSL_CTX_free(context);
        return 1;
    }
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_max_proto_version(context, max_version);
    SSL *ssl = SSL_new(context);
    current_name = name;
    SSL_set_msg_callback(ssl, on_message);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl);
    SSL_do_handshake(ssl);
    SSL_free(ssl);
    SSL_CTX_free(context);
    ERR_clear_error();
    return 0;
}

int main(int argc, char **argv)
{
    failures += hello("tls", TLS_client_method(), 0, NULL);
    failures += hello("tls1.2", TLS_client_method(), TLS1_2_VERSION, NULL);
    failures += hello("dtls", DTLS_client_method(), 0, NULL);
    for (int i = 1; i < argc; i++)
        failures += hello(argv[i], TLS_client_method(), TLS1_2_VERSION, argv[i]);
    return failures != 0;
}
