// SPDX-License-Identifier: Apache-2.0
// Operands in the driver's form: little-endian integers, padded to the curve's field of a queue entry.
#ifndef BENCH_KEY_MATERIAL_H
#define BENCH_KEY_MATERIAL_H

#include "suites.h"

#include <ephemera/ephemera.h>

struct key_material {
    enum eph_curve curve;
    uint8_t scalar[72], peer_x[72], peer_y[72], blind[32];
    bool weierstrass;
};
// Fresh and random. False with a reason for groups that the driver's interface does not know.
bool key_material_make(struct key_material *material, const struct group *group, char reason[200]);

#endif
