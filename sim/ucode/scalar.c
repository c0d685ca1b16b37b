// SPDX-License-Identifier: Apache-2.0
#include "scalar.h"
#include <string.h>

// l, the order of the subgroup of edwards25519; n, the order of P-256
static const uint64_t order_25519[4] = {0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 0x1000000000000000};
static const uint64_t order_p256[4] = {0xf3b9cac2fc632551, 0xbce6faada7179e84, 0xffffffffffffffff, 0xffffffff00000000};

static void load_little_endian(uint64_t limbs[4], const uint8_t bytes[32])
{
    for (int i = 0; i < 4; i++) {
        limbs[i] = 0;
        for (int j = 7; j >= 0; j--)
            limbs[i] = limbs[i] << 8 | bytes[8 * i + j];
    }
}

static void clamp(uint64_t k[4]) // RFC 7748 section 5
{
    k[0] &= ~UINT64_C(7);
    k[3] = (k[3] & UINT64_MAX >> 2) | UINT64_C(1) << 62;
}

// Makes k odd by order - k when it is even; returns 1 when it did.
static uint64_t make_odd(uint64_t k[4], const uint64_t order[4])
{
    uint64_t even = 1 ^ (k[0] & 1), borrow = 0;
    for (int i = 0; i < 4; i++) {
        unsigned __int128 d = (unsigned __int128)order[i] - k[i] - borrow;
        borrow = (uint64_t)(d >> 64) & 1;
        k[i] ^= -even & (k[i] ^ (uint64_t)d);
    }
    return even;
}

void eph_digits_init(struct eph_digits *digits, const uint64_t program[2], const uint8_t scalar[32])
{
    uint64_t *k = digits->scalar;
    memset(digits, 0, sizeof *digits);
    load_little_endian(k, scalar);
    digits->kind = (enum eph_digits_kind)eph_word_get(program, EPH_P_DIGITS);
    digits->window = eph_word_get(program, EPH_P_WINDOW);
    digits->windows = eph_word_get(program, EPH_P_WINDOWS);
    digits->lowest = eph_word_get(program, EPH_P_LOWEST);
    digits->position = (int)digits->windows - 1;
    switch (eph_word_get(program, EPH_P_SCALAR)) {
    case EPH_SCALAR_CLAMP:
        clamp(k);
        break;
    case EPH_SCALAR_COMB25519:
        clamp(k);
        for (int i = 0; i < 4; i++)
            k[i] = k[i] >> 3 | k[i + 1] << 61;
        digits->parity = make_odd(k, order_25519); // no program looks at it, but the record has it
        break;
    case EPH_SCALAR_ODD:
        digits->parity = make_odd(k, order_p256);
        break;
    default:
        break;
    }
}

static uint64_t bits_at(const uint64_t k[5], unsigned offset) // 64 bits from a public offset below 256
{
    unsigned shift = offset % 64;
    return k[offset / 64] >> shift | (shift ? k[offset / 64 + 1] << (64 - shift) : 0);
}

struct eph_digit eph_digits_current(const struct eph_digits *digits)
{
    struct eph_digit digit = {0, 0, 0};
    if (digits->position < 0) {
        digit.sign = digits->parity;
        return digit;
    }
    unsigned position = (unsigned)digits->position;
    digit.row = position;
    if (digits->kind == EPH_DIGITS_LADDER) {
        uint64_t bits = bits_at(digits->scalar, position);
        digit.sign = (bits ^ bits >> 1) & 1;
        return digit;
    }
    // Odd signed window: v of width + 1 bits; (v | 1) - 2^width, but v | 1 in the top window.
    unsigned width = position ? digits->window : digits->lowest;
    unsigned offset = position ? digits->lowest + digits->window * (position - 1) : 0;
    uint64_t v = bits_at(digits->scalar, offset), below = (UINT64_C(1) << width) - 1;
    uint64_t top = position + 1 == digits->windows;
    digit.sign = 1 ^ (top | (v >> width & 1));
    digit.index = (uint32_t)(((v ^ -digit.sign) & below) >> 1);
    return digit;
}

void eph_digits_advance(struct eph_digits *digits)
{
    if (digits->position >= 0)
        digits->position--;
}
