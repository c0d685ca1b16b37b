// SPDX-License-Identifier: Apache-2.0
#include "record.h"

enum { MODULUS = (1 << 17) - 1, BYTE_WEIGHT = 1 << 8, ONE_EIGHTH = 1 << 14 }; // 2^14 * 8 = 1

// l and n, the orders of the groups, modulo the modulus
enum { ORDER_25519 = 37159, ORDER_P256 = 14154 };

static uint64_t residue(const uint8_t bytes[32])
{
    uint64_t sum = 0;
    for (int i = 31; i >= 0; i--)
        sum = (sum * BYTE_WEIGHT + bytes[i]) % MODULUS;
    return sum;
}

// value, or order - value when even is 1
static uint64_t negate(uint64_t value, uint64_t order, uint64_t even)
{
    uint64_t mask = -even;
    return (value & ~mask) | ((order + MODULUS - value) % MODULUS & mask);
}

void eph_record_init(struct eph_record *record, const uint64_t program[2], const uint8_t scalar[32])
{
    enum eph_scalar_form form = (enum eph_scalar_form)eph_word_get(program, EPH_P_SCALAR);
    uint64_t value = residue(scalar), even = 0;
    if (form == EPH_SCALAR_CLAMP || form == EPH_SCALAR_COMB25519) { // as a correction of the residue of all bits
        uint64_t top = scalar[31], clamped = (top & 0x3f) | 0x40, shift = 1 << 248 % 17;
        value += (clamped + MODULUS - top) * shift + MODULUS - (scalar[0] & 7);
        value %= MODULUS;
    }
    if (form == EPH_SCALAR_COMB25519) {
        even = 1 ^ (scalar[0] >> 3 & 1);
        value = negate(value * ONE_EIGHTH % MODULUS, ORDER_25519, even);
    } else if (form == EPH_SCALAR_ODD) {
        even = 1 ^ (scalar[0] & 1);
        value = negate(value, ORDER_P256, even);
    }
    *record = (struct eph_record){.expected = (2 * value + even) % MODULUS};
}

void eph_record_digit(struct eph_record *record, const struct eph_digits *digits, const struct eph_digit *digit)
{
    unsigned width = digits->kind == EPH_DIGITS_LADDER ? 1 : digits->position ? digits->window : digits->lowest;
    uint64_t value;
    record->bit ^= digit->sign;
    if (digits->kind == EPH_DIGITS_LADDER)
        value = record->bit;
    else
        value = negate(2 * digit->index + 1, 0, digit->sign);
    record->sum = ((record->sum << width) + value) % MODULUS;
}

void eph_record_parity(struct eph_record *record, const struct eph_digit *digit)
{
    record->sum = (2 * record->sum + digit->sign) % MODULUS;
}

uint64_t eph_record_fault(const struct eph_record *record)
{
    return record->sum != record->expected;
}
