// SPDX-License-Identifier: Apache-2.0
// Software: the default provider in a private library context, so that our own property query can not route it back to
// us. Its X25519 functions are called directly: through EVP each operation would pay for a second round of fetches and
// contexts, some 6 us of 40.
#ifndef EPH_SOFTWARE_H
#define EPH_SOFTWARE_H

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct eph_key;

struct eph_software {
    OSSL_LIB_CTX *libctx;                                       // owned
    OSSL_PROVIDER *default_provider;                            // owned; "default" in libctx
    void *context;                                              // its provider context; borrowed
    const OSSL_ALGORITHM *key_algorithms, *exchange_algorithms; // borrowed until they are given back

    OSSL_FUNC_keymgmt_new_fn *key_new;
    OSSL_FUNC_keymgmt_free_fn *key_free;
    OSSL_FUNC_keymgmt_import_fn *key_import;
    OSSL_FUNC_keymgmt_get_params_fn *key_get_params;
    OSSL_FUNC_keymgmt_gen_init_fn *gen_init;
    OSSL_FUNC_keymgmt_gen_fn *gen;
    OSSL_FUNC_keymgmt_gen_cleanup_fn *gen_cleanup;
    OSSL_FUNC_keyexch_newctx_fn *exchange_new;
    OSSL_FUNC_keyexch_init_fn *exchange_init;
    OSSL_FUNC_keyexch_set_peer_fn *exchange_set_peer;
    OSSL_FUNC_keyexch_derive_fn *exchange_derive;
    OSSL_FUNC_keyexch_freectx_fn *exchange_free;
};

// False: this libcrypto has no default provider, or one without X25519.
bool eph_software_init(struct eph_software *software);
void eph_software_fini(struct eph_software *software);

// Fills key->public_u from key->scalar.
bool eph_software_keygen(const struct eph_software *software, struct eph_key *key);

// Private and public key from input keying material (RFC 9180 section 7.1.3, where the library has it).
bool eph_software_keygen_from_material(const struct eph_software *software, struct eph_key *key,
                                       const uint8_t *secret_material, size_t bytes);

// RFC 7748 section 6.1; false also for a low-order peer.
bool eph_software_derive(const struct eph_software *software, struct eph_key *key, const uint8_t *peer_u,
                         uint8_t *secret);

// Frees key->software; accepts a key without one.
void eph_software_forget(const struct eph_software *software, struct eph_key *key);

#endif
