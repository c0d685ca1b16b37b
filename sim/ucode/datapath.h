// SPDX-License-Identifier: Apache-2.0
// The fused multiply-add of rtl/field as integers: exactly the values that eph_fma stores (rtl/README.md), without its
// pieces. CT: no branch and no address depends on an operand.
#ifndef EPH_DATAPATH_H
#define EPH_DATAPATH_H

#include <stdbool.h>
#include <stdint.h>

enum { EPH_VALUE_LIMBS = 5, EPH_PRODUCT_LIMBS = 10 };

// 320 bits, two's complement. Stored values are in 0 .. 2^264, factors and last terms within +-2^269.
struct eph_value {
    uint64_t limb[EPH_VALUE_LIMBS];
};

// (a << shift_a) + (negate ? -1 : 1) * (b << shift_b)
struct eph_value eph_value_combine(struct eph_value a, unsigned shift_a, struct eph_value b, unsigned shift_b,
                                   uint64_t negate);
// choose ? b : a; choose is 0 or 1
struct eph_value eph_value_select(struct eph_value a, struct eph_value b, uint64_t choose);
// x * y + e in field 2^255-19: r = (V mod 2^264) + 9728 * floor(V / 2^264) + e + 2^10 * p; (r mod 2^255) + 19 * floor(r
// / 2^255)
struct eph_value eph_fma_25519(struct eph_value x, struct eph_value y, struct eph_value e);
// x * y / 2^264 + e modulo p256: (V + m * p) / 2^264 + e + 2^bias_shift * p
struct eph_value eph_fma_p256(struct eph_value x, struct eph_value y, struct eph_value e, unsigned bias_shift);
// Value mod p by `rounds` conditional subtractions; returns 1 when the result is zero.
uint64_t eph_value_canonical(struct eph_value *value, unsigned field);

#endif
