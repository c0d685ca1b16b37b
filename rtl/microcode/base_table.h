// SPDX-License-Identifier: Apache-2.0
// The fixed-base ROM as integers below p, little-endian limbs, in units of EPH_BASE_WORDS (isa.def, P_ROM_BASE).
#ifndef EPH_BASE_TABLE_H
#define EPH_BASE_TABLE_H

#include "isa.h"
#include "modular.h"

extern const char *const eph_primes[EPH_FIELD_COUNT]; // hexadecimal

void eph_base_25519(uint64_t words[EPH_BASE_WORDS][4]); // unit 0: comb of 2^255 - 19, constants
void eph_base_p256(uint64_t words[EPH_BASE_WORDS][4]);  // unit 1: comb of P-256

#endif
