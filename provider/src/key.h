// SPDX-License-Identifier: Apache-2.0
// An X25519 key. Shared by reference count; once published (generated or imported) its fields do not change, except the
// software object, which is made at first need by whichever thread comes first.
#ifndef EPH_KEY_H
#define EPH_KEY_H

#include <openssl/types.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "secret.h"

struct eph_provider;

#define EPH_PARAM_MATERIAL "dhkem-ikm" // OSSL_PKEY_PARAM_DHKEM_IKM of OpenSSL 3.2

struct eph_key {
    struct eph_provider *provider; // borrowed; the core keeps it while keys live
    atomic_uint references;
    bool has_public;
    bool has_scalar;
    bool imported; // false: made by our gen(), ephemeral
    uint8_t public_u[EPH_X25519_BYTES];
    uint8_t scalar[EPH_X25519_BYTES];
    _Atomic(void *) software; // owned; this key as an object of the default provider, NULL until software needs it
};

struct eph_key *eph_key_new(struct eph_provider *provider);
struct eph_key *eph_key_share(struct eph_key *key); // another reference
void eph_key_free(struct eph_key *key);             // wipes with the last reference; accepts NULL

// Drops the private half and the software object. Only for a key that no other thread uses.
void eph_key_forget(struct eph_key *key);

#endif
