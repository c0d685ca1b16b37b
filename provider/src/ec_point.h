// SPDX-License-Identifier: Apache-2.0
// Is a point a valid public key? Range and curve equation, which is all there is to ask on a curve of cofactor 1:
// SP 800-56A rev. 3, section 5.6.2.3.4 (partial validation) implies section 5.6.2.3.3 (full validation) there, since
// every point but infinity has the group's order. The multiplication by the order that the default provider of
// OpenSSL 3.0 does instead takes as long as a derivation.
#ifndef EPH_EC_POINT_H
#define EPH_EC_POINT_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

enum { EPH_EC_MAX_BYTES = 66, EPH_EC_MAX_OCTETS = 1 + 2 * EPH_EC_MAX_BYTES, EPH_EC_UNCOMPRESSED = 4 };

// y^2 = x^3 + ax + b over the integers modulo p; constant once made, shared by all threads.
struct eph_ec_field {
    unsigned bytes; // of a coordinate
    BIGNUM *p;      // owned, like the rest
    BIGNUM *a_mont, *b_mont;
    BN_MONT_CTX *mont;
};

// nid: of a named curve over a prime field with cofactor 1. False: unknown to this libcrypto, or out of memory.
bool eph_ec_field_init(struct eph_ec_field *field, OSSL_LIB_CTX *libctx, int nid);
void eph_ec_field_fini(struct eph_ec_field *field); // accepts a zeroed one

enum eph_point {
    EPH_POINT_VALID,
    EPH_POINT_OUT_OF_RANGE, // a coordinate is not below p
    EPH_POINT_OFF_CURVE,
    EPH_POINT_NO_MEMORY,
};

// octets: 1 + 2 * field->bytes of them, 0x04 || x || y, big-endian (SEC 1 section 2.3.3); the first one is not looked
// at. CT: nothing here is secret.
enum eph_point eph_ec_point_check(const struct eph_ec_field *field, const uint8_t *octets);

#endif
