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
// Result fields u, z2, x3, z3: u = x2/z2 is k * peer, (x3 : z3) is (k + 1) * peer, by the textbook ladder. Empty when
// right.
std::string check_derive_fields(const uint8_t scalar[32], const uint8_t peer[32], const uint8_t *fields);
// Result fields u, X, Y, Z, T: a point of the Edwards curve in extended coordinates with u = (Z+Y)/(Z-Y). Empty when
// right.
std::string check_keygen_fields(const uint8_t *fields);

// A random point of P-256.
void reference_p256_point(uint8_t x[32], uint8_t y[32]);
// x of k * (px, py), 0 < k < n, little-endian; false when the point is not on the curve.
bool reference_p256_derive(const uint8_t scalar[32], const uint8_t px[32], const uint8_t py[32], uint8_t x[32]);

} // namespace eph
