// SPDX-License-Identifier: Apache-2.0
#include "software.h"
#include "key.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>

static const char algorithm[] = "X25519";
static const char properties[] = "provider=default";

bool eph_software_init(struct eph_software *software)
{
    software->libctx = OSSL_LIB_CTX_new();
    if (software->libctx == NULL)
        return false;
    software->default_provider = OSSL_PROVIDER_load(software->libctx, "default");
    return software->default_provider != NULL;
}

void eph_software_fini(struct eph_software *software)
{
    if (software->default_provider != NULL)
        OSSL_PROVIDER_unload(software->default_provider);
    OSSL_LIB_CTX_free(software->libctx);
    software->default_provider = NULL;
    software->libctx = NULL;
}

// Another thread may have been faster: then its object stays. Release publishes the finished object to the acquire in
// software_key.
static EVP_PKEY *publish(struct eph_key *key, EVP_PKEY *made)
{
    EVP_PKEY *expected = NULL;
    if (atomic_compare_exchange_strong_explicit(&key->software, &expected, made, memory_order_acq_rel,
                                                memory_order_acquire))
        return made;
    EVP_PKEY_free(made);
    return expected;
}

// The key as an object of the default provider; with both halves given, nothing is computed.
static EVP_PKEY *software_key(const struct eph_software *software, struct eph_key *key)
{
    EVP_PKEY *pkey = atomic_load_explicit(&key->software, memory_order_acquire);
    if (pkey != NULL)
        return pkey;
    OSSL_PARAM params[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, key->scalar, sizeof key->scalar),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, key->public_u, sizeof key->public_u),
        OSSL_PARAM_END,
    };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(software->libctx, algorithm, properties);
    if (context == NULL || EVP_PKEY_fromdata_init(context) <= 0 ||
        EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_KEYPAIR, params) <= 0)
        pkey = NULL;
    EVP_PKEY_CTX_free(context);
    return pkey != NULL ? publish(key, pkey) : NULL;
}

bool eph_software_keygen(const struct eph_software *software, struct eph_key *key)
{
    size_t bytes = sizeof key->public_u;
    EVP_PKEY *pkey =
        EVP_PKEY_new_raw_private_key_ex(software->libctx, algorithm, properties, key->scalar, sizeof key->scalar);
    if (pkey == NULL)
        return false;
    if (EVP_PKEY_get_raw_public_key(pkey, key->public_u, &bytes) <= 0 || bytes != sizeof key->public_u) {
        EVP_PKEY_free(pkey);
        return false;
    }
    return publish(key, pkey) != NULL;
}

bool eph_software_keygen_from_material(const struct eph_software *software, struct eph_key *key,
                                       const uint8_t *secret_material, size_t bytes)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_octet_string("dhkem-ikm", (void *)secret_material, bytes),
        OSSL_PARAM_END,
    };
    size_t scalar_bytes = sizeof key->scalar, public_bytes = sizeof key->public_u;
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(software->libctx, algorithm, properties);
    bool made = context != NULL && EVP_PKEY_keygen_init(context) > 0 && EVP_PKEY_CTX_set_params(context, params) > 0 &&
                EVP_PKEY_generate(context, &pkey) > 0 &&
                EVP_PKEY_get_raw_private_key(pkey, key->scalar, &scalar_bytes) > 0 &&
                EVP_PKEY_get_raw_public_key(pkey, key->public_u, &public_bytes) > 0;
    EVP_PKEY_CTX_free(context);
    if (made)
        return publish(key, pkey) != NULL;
    EVP_PKEY_free(pkey);
    return false;
}

bool eph_software_derive(const struct eph_software *software, struct eph_key *key, const uint8_t *peer_u,
                         uint8_t *secret)
{
    size_t bytes = EPH_X25519_BYTES;
    EVP_PKEY *own = software_key(software, key);
    EVP_PKEY *peer = EVP_PKEY_new_raw_public_key_ex(software->libctx, algorithm, properties, peer_u, EPH_X25519_BYTES);
    EVP_PKEY_CTX *context = own != NULL ? EVP_PKEY_CTX_new_from_pkey(software->libctx, own, properties) : NULL;
    bool derived = context != NULL && peer != NULL && EVP_PKEY_derive_init(context) > 0 &&
                   EVP_PKEY_derive_set_peer_ex(context, peer, 0) > 0 && EVP_PKEY_derive(context, secret, &bytes) > 0 &&
                   bytes == EPH_X25519_BYTES;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(peer);
    return derived;
}
