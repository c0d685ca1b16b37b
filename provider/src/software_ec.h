// SPDX-License-Identifier: Apache-2.0
// EC keys and ECDH in software: objects and functions of the default provider in the private library context, called
// directly like those of X25519 (software.h).
#ifndef EPH_SOFTWARE_EC_H
#define EPH_SOFTWARE_EC_H

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct eph_software;

struct eph_software_ec {
    void *context; // of the default provider; borrowed

    OSSL_FUNC_keymgmt_new_fn *key_new;
    OSSL_FUNC_keymgmt_free_fn *key_free;
    OSSL_FUNC_keymgmt_dup_fn *key_dup;
    OSSL_FUNC_keymgmt_has_fn *key_has;
    OSSL_FUNC_keymgmt_match_fn *key_match;
    OSSL_FUNC_keymgmt_validate_fn *key_validate;
    OSSL_FUNC_keymgmt_import_fn *key_import;
    OSSL_FUNC_keymgmt_export_fn *key_export;
    OSSL_FUNC_keymgmt_get_params_fn *key_get_params;
    OSSL_FUNC_keymgmt_gettable_params_fn *key_gettable_params;
    OSSL_FUNC_keymgmt_set_params_fn *key_set_params;
    OSSL_FUNC_keymgmt_settable_params_fn *key_settable_params;
    OSSL_FUNC_keymgmt_gen_init_fn *gen_init;
    OSSL_FUNC_keymgmt_gen_set_template_fn *gen_set_template;
    OSSL_FUNC_keymgmt_gen_set_params_fn *gen_set_params;
    OSSL_FUNC_keymgmt_gen_settable_params_fn *gen_settable_params;
    OSSL_FUNC_keymgmt_gen_fn *gen;
    OSSL_FUNC_keymgmt_gen_cleanup_fn *gen_cleanup;
    OSSL_FUNC_keyexch_newctx_fn *exchange_new;
    OSSL_FUNC_keyexch_init_fn *exchange_init;
    OSSL_FUNC_keyexch_set_peer_fn *exchange_set_peer;
    OSSL_FUNC_keyexch_derive_fn *exchange_derive;
    OSSL_FUNC_keyexch_set_ctx_params_fn *exchange_set_params;
    OSSL_FUNC_keyexch_settable_ctx_params_fn *exchange_settable_params;
    OSSL_FUNC_keyexch_get_ctx_params_fn *exchange_get_params;
    OSSL_FUNC_keyexch_gettable_ctx_params_fn *exchange_gettable_params;
    OSSL_FUNC_keyexch_dupctx_fn *exchange_dup;
    OSSL_FUNC_keyexch_freectx_fn *exchange_free;
};

// software: initialised, and alive as long as this is. False: its default provider has no complete EC.
bool eph_software_ec_init(struct eph_software_ec *ec, const struct eph_software *software);

// Each returns a new object, or NULL with default's errors in the queue.
void *eph_software_ec_parameters(const struct eph_software_ec *ec, const char *name); // a named curve, no key
void *eph_software_ec_generate(const struct eph_software_ec *ec, void *parameters);   // a pair on that curve
void *eph_software_ec_public(const struct eph_software_ec *ec, const void *parameters, const uint8_t *octets,
                             size_t bytes); // an encoded point on that curve
void *eph_software_ec_import(const struct eph_software_ec *ec, int selection, const OSSL_PARAM params[]);

// An exchange of default's with this key, in which parameters can be set.
void *eph_software_ec_exchange(const struct eph_software_ec *ec, void *own);

// Raw ECDH (SP 800-56A section 5.7.1.2). *bytes: room, then length. The peer's key has been checked by the caller.
bool eph_software_ec_derive(const struct eph_software_ec *ec, void *own, void *peer, uint8_t *secret, size_t *bytes);

#endif
