// SPDX-License-Identifier: Apache-2.0
// Is a device's result right? Below a microsecond each, on the host, before anything of it is used.
#ifndef EPH_CHECK_H
#define EPH_CHECK_H

#include <stdbool.h>
#include <stdint.h>

// result: u, Z2, X3, Z3, 32 bytes each. With k the scalar and P the peer's point, u belongs to kP and X3/Z3 to (k+1)P;
// their difference is P, and three x-coordinates so related satisfy one equation, so a fault in either half of the
// ladder shows. (It does not show that k was the scalar asked for.) CT: only the answer leaks.
bool eph_check_x25519_derive(const uint8_t result[128], const uint8_t peer_u[32]);

// result: u, X, Y, Z, T, 32 bytes each: a point of the twisted Edwards curve in extended coordinates, and its
// Montgomery u. CT: only the answer leaks.
bool eph_check_x25519_keygen(const uint8_t result[160]);

// Does this public u belong to a point whose order divides 8 (curve or twist)? Exactly those give an all-zero secret.
bool eph_check_x25519_low_order(const uint8_t peer_u[32]);

#endif
