// SPDX-License-Identifier: Apache-2.0
// The curves whose keys are ours: P-256, P-384, P-521. Keys of every other curve, and of explicit parameters, are the
// default provider's objects behind our key manager. Made at init, constant afterwards, shared by all threads.
#ifndef EPH_EC_CURVE_H
#define EPH_EC_CURVE_H

#include <ephemera/wire.h>
#include <stdbool.h>
#include <stddef.h>

#include "ec_point.h"
#include "software_ec.h"

struct eph_ec_curve {
    enum eph_curve id;
    const char *name; // as the default provider's keys give it
    struct eph_ec_field field;
    void *parameters;                    // owned; the default provider's object without a key
    int bits, security_bits, size_bytes; // of every key, as the default provider gives them
};

enum { EPH_EC_CURVES = 3 };

struct eph_ec {
    struct eph_software_ec software;
    struct eph_ec_curve curves[EPH_EC_CURVES];
};

bool eph_ec_init(struct eph_ec *ec, const struct eph_software *software);
void eph_ec_fini(struct eph_ec *ec); // accepts a zeroed one

// NULL: not one of ours, or no name at all. Letter case matters as in default: for P-256, not for prime256v1.
const struct eph_ec_curve *eph_ec_curve_find(const struct eph_ec *ec, const char *name);

static inline size_t eph_ec_curve_octets(const struct eph_ec_curve *curve) // of an uncompressed point
{
    return 1 + 2 * (size_t)curve->field.bytes;
}

#endif
