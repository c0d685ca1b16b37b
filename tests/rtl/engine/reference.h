// SPDX-License-Identifier: Apache-2.0
// Expected results from OpenSSL: X25519 by EVP, the projective results by big integers.
#pragma once
#include <cstdint>
#include <string>

namespace eph
{

// u of k * peer (RFC 7748 section 5); all zero for a low-order peer.
void reference_derive(const uint8_t scalar[32], const uint8_t peer[32], uint8_t u[32]);
// u of k * base point.
void reference_keygen(const uint8_t scalar[32], uint8_t u[32]);
// Result fields u, z2, x3, z3: (x3 : z3) must be (k + 1) * peer, u * z2 * ... by the textbook ladder. Empty when right.
std::string check_derive_fields(const uint8_t scalar[32], const uint8_t peer[32], const uint8_t *fields);
// Result fields u, X, Y, Z, T: a point of the Edwards curve in extended coordinates with u = (Z+Y)/(Z-Y). Empty when
// right.
std::string check_keygen_fields(const uint8_t *fields);

} // namespace eph
