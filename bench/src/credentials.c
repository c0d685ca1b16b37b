// SPDX-License-Identifier: Apache-2.0
#include "credentials.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

static X509 *self_signed(EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    if (!certificate)
        return NULL;
    X509_NAME *name = X509_get_subject_name(certificate);
    bool good =
        X509_set_version(certificate, X509_VERSION_3) == 1 &&
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1 &&
        X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != NULL &&
        X509_gmtime_adj(X509_getm_notAfter(certificate), 30 * 86400) != NULL &&
        X509_set_pubkey(certificate, key) == 1 &&
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0) == 1 &&
        X509_set_issuer_name(certificate, name) == 1 && X509_sign(certificate, key, EVP_sha256()) > 0;
    if (good)
        return certificate;
    X509_free(certificate);
    return NULL;
}

bool credentials_init(struct credentials *credentials)
{
    memset(credentials, 0, sizeof(*credentials));
    for (int kind = 0; kind < CERTIFICATE_COUNT; kind++) {
        EVP_PKEY *key = kind == CERTIFICATE_RSA_2048 ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
        X509 *certificate = key ? self_signed(key) : NULL;
        if (certificate) {
            credentials->key_bytes[kind] = i2d_PrivateKey(key, &credentials->key_der[kind]);
            credentials->certificate_bytes[kind] = i2d_X509(certificate, &credentials->certificate_der[kind]);
        }
        X509_free(certificate);
        EVP_PKEY_free(key);
        if (credentials->key_bytes[kind] <= 0 || credentials->certificate_bytes[kind] <= 0) {
            credentials_fini(credentials);
            return false;
        }
    }
    return true;
}

void credentials_fini(struct credentials *credentials)
{
    for (int kind = 0; kind < CERTIFICATE_COUNT; kind++) {
        OPENSSL_free(credentials->key_der[kind]);
        OPENSSL_free(credentials->certificate_der[kind]);
    }
    memset(credentials, 0, sizeof(*credentials));
}

bool credentials_use(const struct credentials *credentials, enum certificate kind, SSL_CTX *server,
                     OSSL_LIB_CTX *libctx)
{
    const unsigned char *key_der = credentials->key_der[kind], *certificate_der = credentials->certificate_der[kind];
    EVP_PKEY *key = d2i_AutoPrivateKey_ex(NULL, &key_der, credentials->key_bytes[kind], libctx, NULL);
    X509 *certificate = X509_new_ex(libctx, NULL);
    bool good = key && certificate && d2i_X509(&certificate, &certificate_der, credentials->certificate_bytes[kind]) &&
                SSL_CTX_use_certificate(server, certificate) == 1 && SSL_CTX_use_PrivateKey(server, key) == 1;
    X509_free(certificate);
    EVP_PKEY_free(key);
    return good;
}
