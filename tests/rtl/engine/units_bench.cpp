// SPDX-License-Identifier: Apache-2.0
// Scalar forms, digits and canonical values for every program shape of the design, P-256 included, against big
// integers.
#include <cstdio>
#include <cstring>

#include "units_rig.h"
extern "C" {
#include <isa.h>
}

namespace
{

using namespace eph;

// ---- scalars

bool scalar_is_right(const Shape &shape, const uint8_t bytes[32])
{
    bool negated;
    Bn expected = form_of(shape, bytes, &negated), sum(BN_new());
    load_scalar(bytes, shape.form);
    bool bit = false;
    for (unsigned position = shape.count; position-- > 0;) {
        read_digit(shape, shape.offset(position), position, false);
        append_digit(shape, sum.get(), shape.bits(position), top.sign_o, top.index_o, &bit);
    }
    read_digit(shape, 8 * 63, 0, true);
    return BN_cmp(sum.get(), expected.get()) == 0 && top.sign_o == negated && top.index_o == 0;
}

bool scalars()
{
    for (const Shape &shape : shapes)
        for (unsigned i = 0; i < 200; i++) {
            uint8_t k[32];
            scalar_number(shape, i, k);
            if (!scalar_is_right(shape, k))
                return printf("%s: scalar %u wrong\n", shape.name, i), false;
        }
    return true;
}

// ---- canonical values

const struct {
    unsigned row, rounds;
    const char *prime;
} fields[] = {
#define EPH_FIELD(name, row, pieces, beats, prime, radix, rounds) {row, rounds, prime},
#include <isa.def>
};

void put_digits(const BIGNUM *value)
{
    uint8_t bytes[40] = {0};
    BN_bn2lebinpad(value, bytes, 40);
    uint64_t digit[8];
    for (unsigned d = 0; d < 8; d++) {
        digit[d] = 0;
        for (unsigned b = 0; b < 33; b++)
            digit[d] |= uint64_t(bytes[(33 * d + b) / 8] >> ((33 * d + b) % 8) & 1) << b;
    }
    if (digit[2] && rng() % 2) { // the redundant form of piece 0
        digit[2]--;
        digit[1] += UINT64_C(1) << 33;
    }
    for (unsigned i = 0; i < 9; i++)
        top.digits_i[i] = 0;
    for (unsigned d = 0; d < 8; d++)
        for (unsigned b = 0; b < 36; b++)
            top.digits_i[(36 * d + b) / 32] |= uint32_t(digit[d] >> b & 1) << ((36 * d + b) % 32);
}

bool canonical(unsigned row, unsigned rounds, const BIGNUM *value, const BIGNUM *stored)
{
    put_digits(stored);
    uint32_t late[9];
    for (unsigned i = 0; i < 9; i++)
        late[i] = top.digits_i[i];
    for (unsigned d = 0; d < 8; d++) // odd digits come one cycle later; until then there is something else
        for (unsigned b = 0; b < 36; b++)
            if (d % 2)
                top.digits_i[(36 * d + b) / 32] ^= 1u << ((36 * d + b) % 32);
    top.start_i = 1;
    top.field_i = row;
    tick();
    top.start_i = 0;
    for (unsigned i = 0; i < 9; i++)
        top.digits_i[i] = late[i];
    tick();
    for (unsigned i = 0; i < 9; i++)
        top.digits_i[i] = static_cast<uint32_t>(rng());
    unsigned latency = 2;
    for (; !top.canon_valid_o && latency < 100; latency++)
        tick();
    if (latency != 2 + 9 * (rounds + 1))
        return printf("first word after %u cycles\n", latency), false;
    uint8_t expected[32], got[32];
    BN_bn2lebinpad(value, expected, 32);
    bool zero = top.canon_zero_o;
    for (unsigned i = 0; i < 8; i++) {
        if (!top.canon_valid_o || top.canon_index_o != i)
            return printf("word %u not in its cycle\n", i), false;
        uint32_t word = top.canon_o;
        memcpy(got + 4 * i, &word, 4);
        tick();
    }
    return !top.canon_busy_o && !memcmp(expected, got, 32) && zero == static_cast<bool>(BN_is_zero(value));
}

bool canonical_values()
{
    for (const auto &field : fields) {
        Bn prime = from_hex(field.prime), value(BN_new()), stored(BN_new());
        for (unsigned i = 0; i < 400; i++) {
            if (i < 64) { // 0 .. 7 and p-8 .. p-1
                BN_set_word(value.get(), i % 8);
                if (i & 8)
                    BN_sub(value.get(), prime.get(), BN_value_one()), BN_sub_word(value.get(), i % 8);
            } else {
                BN_rand_range(value.get(), prime.get());
            }
            BN_copy(stored.get(), prime.get());
            BN_mul_word(stored.get(), i / 16 % (field.rounds + 1)); // value + 0 .. rounds times p
            BN_add(stored.get(), stored.get(), value.get());
            if (!canonical(field.row, field.rounds, value.get(), stored.get()))
                return printf("field %u: value %u wrong\n", field.row, i), false;
        }
    }
    return true;
}

} // namespace

int main()
{
    reset();
    bool right = scalars() && canonical_values();
    printf("units: %s\n", right ? "ok" : "FAILED");
    return right ? 0 : 1;
}
