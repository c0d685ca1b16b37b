// SPDX-License-Identifier: Apache-2.0
// The record of the scalar that a program consumed (rtl/README.md, status CHECK): a residue modulo 2^17 - 1 from the
// digits in use, against the one that the request's scalar must give.
// CT: secrets pass through arithmetic only; the modulus is a constant. The verdict alone is looked at.
#ifndef EPH_RECORD_H
#define EPH_RECORD_H

#include "scalar.h"

struct eph_record { // all of it secret
    uint64_t expected, sum;
    uint64_t bit; // the ladder's scalar bit above the next one
};

void eph_record_init(struct eph_record *record, const uint64_t program[2], const uint8_t scalar[32]);
// The digit in use, when the program is about to leave it; digits still stands at it.
void eph_record_digit(struct eph_record *record, const struct eph_digits *digits, const struct eph_digit *digit);
// The digit after the last one, when the program halts.
void eph_record_parity(struct eph_record *record, const struct eph_digit *digit);
// 1 when the scalar consumed is not the one that arrived.
uint64_t eph_record_fault(const struct eph_record *record);

#endif
