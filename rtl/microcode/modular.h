// SPDX-License-Identifier: Apache-2.0
// Arithmetic modulo an odd prime below 2^256 for the table generator, in Montgomery form (R = 2^256) inside. Public
// values only: build time, not constant time.
#ifndef EPH_MODULAR_H
#define EPH_MODULAR_H

#include <stdbool.h>
#include <stdint.h>

struct number { // little-endian limbs, below the prime, in Montgomery form
    uint64_t limb[4];
};

struct modulus {
    struct number prime, square; // plain: the prime; R^2 mod prime
    uint64_t inverse;            // -1 / prime mod 2^64
};

void eph_modulus_init(struct modulus *m, const char *prime_hex);
struct number eph_mod_parse(const struct modulus *m, const char *hex);
struct number eph_mod_small(const struct modulus *m, uint64_t value);
void eph_mod_store(const struct modulus *m, struct number a, uint64_t limbs[4]); // out of Montgomery form
struct number eph_mod_add(const struct modulus *m, struct number a, struct number b);
struct number eph_mod_sub(const struct modulus *m, struct number a, struct number b);
struct number eph_mod_mul(const struct modulus *m, struct number a, struct number b);
struct number eph_mod_inverse(const struct modulus *m, struct number a); // 0 for 0
bool eph_mod_equal(struct number a, struct number b);

#endif
