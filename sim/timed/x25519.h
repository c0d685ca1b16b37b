// SPDX-License-Identifier: Apache-2.0
// X25519 at the speed of C: the formulas of the microprograms (rtl/microcode/x25519_*.uasm) in 51-bit limbs, so every
// result field is, bit by bit, the one that the hardware and the model give.
#ifndef EPH_TIMED_X25519_H
#define EPH_TIMED_X25519_H

#include <ephemera/wire.h>

// Each fills in result and returns the status. Pure functions, any thread; copies of secrets are wiped.
// CT: as eph_model_execute: secrets reach masks and, in a keygen, addresses of the fixed-base table.
enum eph_wire_status eph_timed_x25519_derive(const struct eph_sqe *sqe, uint8_t result[232]);
enum eph_wire_status eph_timed_x25519_keygen(const struct eph_sqe *sqe, uint8_t result[232]);

#endif
