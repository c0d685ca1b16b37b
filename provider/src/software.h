// SPDX-License-Identifier: Apache-2.0
// Software: the default provider in a private library context, so that our own property query can not route it back to
// us.
#ifndef EPH_SOFTWARE_H
#define EPH_SOFTWARE_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct eph_key;

struct eph_software {
    OSSL_LIB_CTX *libctx;            // owned
    OSSL_PROVIDER *default_provider; // owned; "default" in it
};

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

#endif
