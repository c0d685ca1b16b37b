// SPDX-License-Identifier: Apache-2.0
// EC keys and ECDH in software: objects of the default provider in the private library context.
#ifndef EPH_SOFTWARE_EC_H
#define EPH_SOFTWARE_EC_H

#include "software.h"

#define EPH_SOFTWARE_PROPERTIES "provider=default" // never back to us

struct eph_ec_curve;
struct eph_ec_key;

// All of these return a new reference, or NULL with default's errors in the queue.
EVP_PKEY *eph_software_ec_parameters(const struct eph_software *software, const char *name); // a named curve
EVP_PKEY *eph_software_ec_public(const struct eph_ec_curve *curve, const uint8_t *octets);   // an uncompressed point
EVP_PKEY *eph_software_ec_import(const struct eph_software *software, int selection, const OSSL_PARAM params[]);
EVP_PKEY *eph_software_ec_copy(const struct eph_software *software, EVP_PKEY *key, int selection);

// A context in which parameters can be set before eph_software_ec_generate. From parameters of an existing key, or
// (NULL) for a group that will be set. keypair false: for parameters alone.
EVP_PKEY_CTX *eph_software_ec_generator(const struct eph_software *software, EVP_PKEY *parameters, bool keypair);

// generator: NULL, or from eph_software_ec_generator; then curve does not matter.
EVP_PKEY *eph_software_ec_generate(const struct eph_software *software, const struct eph_ec_curve *curve,
                                   EVP_PKEY_CTX *generator);

// A context for the private key own, in which parameters and peer can be set.
EVP_PKEY_CTX *eph_software_ec_derivation(const struct eph_software *software, struct eph_ec_key *own);

// Raw ECDH (SP 800-56A section 5.7.1.2). *bytes: room, then length.
bool eph_software_ec_derive(const struct eph_software *software, struct eph_ec_key *own, struct eph_ec_key *peer,
                            uint8_t *secret, size_t *bytes);

#endif
