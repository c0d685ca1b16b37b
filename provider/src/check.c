// SPDX-License-Identifier: Apache-2.0
#include "check.h"
#include "field25519.h"
#include "secret.h"

#define A 486662u // of the Montgomery curve v^2 = u^3 + A u^2 + u (RFC 7748 section 4.1)

static const struct eph_field25519 one = {{1, 0, 0, 0, 0}};

// (x2-x1)^2 x3^2 - 2 [(x2 x1 + 1)(x2 + x1) + 2 A x1 x2] x3 + (x2 x1 - 1)^2 = 0 with x3 = X3/Z3, multiplied by Z3^2.
bool eph_check_x25519_derive(const uint8_t result[128], const uint8_t peer_u[32])
{
    struct {
        struct eph_field25519 x1, x2, z2, x3, z3, product, sum, middle, left, right, t;
    } s;
    eph_field25519_from_bytes(&s.x1, peer_u); // bit 255 masked, u >= p accepted: RFC 7748 section 5
    eph_field25519_from_bytes(&s.x2, result);
    eph_field25519_from_bytes(&s.z2, result + 32);
    eph_field25519_from_bytes(&s.x3, result + 64);
    eph_field25519_from_bytes(&s.z3, result + 96);

    eph_field25519_mul(&s.product, &s.x1, &s.x2);
    eph_field25519_add(&s.sum, &s.x1, &s.x2);
    eph_field25519_add(&s.t, &s.product, &one);
    eph_field25519_mul(&s.middle, &s.t, &s.sum);
    eph_field25519_mul_small(&s.t, &s.product, 2 * A);
    eph_field25519_add(&s.middle, &s.middle, &s.t);
    eph_field25519_mul_small(&s.middle, &s.middle, 2);
    eph_field25519_mul(&s.t, &s.x3, &s.z3);
    eph_field25519_mul(&s.right, &s.middle, &s.t); // 2 [...] X3 Z3

    eph_field25519_sub(&s.t, &s.x2, &s.x1);
    eph_field25519_mul(&s.t, &s.t, &s.x3);
    eph_field25519_mul(&s.left, &s.t, &s.t); // ((x2-x1) X3)^2
    eph_field25519_sub(&s.t, &s.product, &one);
    eph_field25519_mul(&s.t, &s.t, &s.z3);
    eph_field25519_mul(&s.t, &s.t, &s.t); // ((x2 x1 - 1) Z3)^2
    eph_field25519_add(&s.left, &s.left, &s.t);
    eph_field25519_sub(&s.t, &s.left, &s.right);

    // X3 = Z3 = 0 would satisfy the equation whatever u is.
    bool good = eph_field25519_is_zero(&s.t);
    good &= !eph_field25519_is_zero(&s.z2);
    good &= !(eph_field25519_is_zero(&s.x3) & eph_field25519_is_zero(&s.z3));
    good &= eph_field25519_is_canonical(result);
    eph_secret_wipe(&s, sizeof s);
    return good;
}

// -X^2 + Y^2 = Z^2 + d T^2 with d = -121665/121666; XY = ZT; u (Z - Y) = Z + Y; Z != 0 (RFC 7748 section 4.1, RFC 8032
// section 5.1).
bool eph_check_x25519_keygen(const uint8_t result[160])
{
    struct {
        struct eph_field25519 u, x, y, z, t, left, right, w;
    } s;
    eph_field25519_from_bytes(&s.u, result);
    eph_field25519_from_bytes(&s.x, result + 32);
    eph_field25519_from_bytes(&s.y, result + 64);
    eph_field25519_from_bytes(&s.z, result + 96);
    eph_field25519_from_bytes(&s.t, result + 128);

    // 121666 Y^2 + 121665 T^2 = 121666 (X^2 + Z^2)
    eph_field25519_mul(&s.left, &s.y, &s.y);
    eph_field25519_mul_small(&s.left, &s.left, 121666);
    eph_field25519_mul(&s.w, &s.t, &s.t);
    eph_field25519_mul_small(&s.w, &s.w, 121665);
    eph_field25519_add(&s.left, &s.left, &s.w);
    eph_field25519_mul(&s.right, &s.x, &s.x);
    eph_field25519_mul(&s.w, &s.z, &s.z);
    eph_field25519_add(&s.right, &s.right, &s.w);
    eph_field25519_mul_small(&s.right, &s.right, 121666);
    eph_field25519_sub(&s.w, &s.left, &s.right);
    bool good = eph_field25519_is_zero(&s.w);

    eph_field25519_mul(&s.left, &s.x, &s.y);
    eph_field25519_mul(&s.right, &s.z, &s.t);
    eph_field25519_sub(&s.w, &s.left, &s.right);
    good &= eph_field25519_is_zero(&s.w);

    eph_field25519_sub(&s.w, &s.z, &s.y);
    eph_field25519_mul(&s.left, &s.u, &s.w);
    eph_field25519_add(&s.right, &s.z, &s.y);
    eph_field25519_sub(&s.w, &s.left, &s.right);
    good &= eph_field25519_is_zero(&s.w);

    good &= !eph_field25519_is_zero(&s.z);
    good &= eph_field25519_is_canonical(result);
    eph_secret_wipe(&s, sizeof s);
    return good;
}

// Doubling: u(2P) = (u^2-1)^2 / (4 u (u^2 + A u + 1)). Order 1, 2: u = 0 (and infinity); order 4: u(2P) = 0, that is u
// = 1 or -1; order 8: u(2P) = 1 or -1. (u^2 + A u + 1 = 0 has no root in the field.)
bool eph_check_x25519_low_order(const uint8_t peer_u[32])
{
    struct eph_field25519 u, square, numerator, denominator, t;
    eph_field25519_from_bytes(&u, peer_u);
    eph_field25519_mul(&square, &u, &u);
    eph_field25519_sub(&t, &square, &one);
    eph_field25519_mul(&numerator, &t, &t);
    eph_field25519_mul_small(&t, &u, A);
    eph_field25519_add(&t, &t, &square);
    eph_field25519_add(&t, &t, &one);
    eph_field25519_mul(&denominator, &t, &u);
    eph_field25519_mul_small(&denominator, &denominator, 4);
    bool low = eph_field25519_is_zero(&u);
    low |= eph_field25519_is_zero(&numerator);
    eph_field25519_sub(&t, &numerator, &denominator);
    low |= eph_field25519_is_zero(&t);
    eph_field25519_add(&t, &numerator, &denominator);
    low |= eph_field25519_is_zero(&t);
    return low;
}
