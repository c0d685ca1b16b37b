// SPDX-License-Identifier: Apache-2.0
// EC keys in the library contexts of a rig: ours beside stock.
#ifndef EPH_TEST_PROVIDER_EC_RIG_H
#define EPH_TEST_PROVIDER_EC_RIG_H

#include "rig.h"

// Curves that the tests go through; the last two are nobody's in particular.
struct ec_rig_curve {
    const char *name;
    enum eph_curve id; // 0: delegated
    size_t bytes;      // of a coordinate
};
enum { EC_RIG_CURVES = 5, EC_RIG_OURS = 3, EC_RIG_MAX_OCTETS = 133 };
extern const struct ec_rig_curve ec_rig_curves[EC_RIG_CURVES];

void ec_rig_open(struct rig *rig);                                                               // offload=never
uint64_t ec_rig_operations(const struct rig *rig, enum eph_curve curve, enum eph_opcode opcode); // in software

EVP_PKEY *ec_rig_generate(OSSL_LIB_CTX *libctx, const char *curve);
EVP_PKEY *ec_rig_parameters(OSSL_LIB_CTX *libctx, const char *curve);
size_t ec_rig_octets(EVP_PKEY *key, uint8_t octets[EC_RIG_MAX_OCTETS]); // the encoded public key

// What libssl does with a peer's share; NULL when it is refused.
EVP_PKEY *ec_rig_public(OSSL_LIB_CTX *libctx, const char *curve, const uint8_t *octets, size_t bytes);

// The same key in the other context, through export and import.
EVP_PKEY *ec_rig_moved(OSSL_LIB_CTX *libctx, EVP_PKEY *key, int selection);

// *bytes: room, then length.
bool ec_rig_derive(OSSL_LIB_CTX *libctx, EVP_PKEY *own, EVP_PKEY *peer, uint8_t *secret, size_t *bytes);

// A key of ours and a stock peer agree both ways.
void ec_rig_agree(const struct rig *rig, const struct ec_rig_curve *curve);

#endif
