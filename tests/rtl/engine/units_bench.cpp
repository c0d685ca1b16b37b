// SPDX-License-Identifier: Apache-2.0
// Scalar forms, digits and canonical values for every program shape of the design, P-256 included, against big
// integers.
#include <cstdio>
#include <cstring>
#include <memory>
#include <openssl/bn.h>
#include <random>

#include "Veph_engine_units.h"
extern "C" {
#include <isa.h>
}

namespace
{

std::mt19937_64 rng(20261125);
Veph_engine_units top;

struct FreeBn {
    void operator()(BIGNUM *n) const { BN_free(n); }
};
using Bn = std::unique_ptr<BIGNUM, FreeBn>;

Bn from_hex(const char *hex)
{
    BIGNUM *n = nullptr;
    BN_hex2bn(&n, hex);
    return Bn(n);
}

void tick()
{
    top.clk_i = 1;
    top.eval();
    top.clk_i = 0;
    top.eval();
}

// ---- scalars

struct Shape {
    const char *name;
    unsigned form, windows, width, count, lowest; // windows = 0: ladder of `count` bits
    const char *order;
};
const char kL[] = "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed";
const char kN[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const Shape shapes[] = {{"x25519 ladder", EPH_SCALAR_CLAMP, 0, 1, 255, 1, kL},
                        {"x25519 comb, 6 bits", EPH_SCALAR_COMB25519, 1, 6, 43, 6, kL},
                        {"p256 windows, 4 bits, lowest 2", EPH_SCALAR_ODD, 1, 4, 65, 2, kN},
                        {"p256 windows, 5 bits", EPH_SCALAR_ODD, 1, 5, 52, 5, kN},
                        {"p256 comb, 6 bits, lowest 5", EPH_SCALAR_ODD, 1, 6, 43, 5, kN}};

void load_scalar(const uint8_t bytes[32], unsigned form)
{
    for (unsigned step = 0; step < 10; step++) {
        while (top.busy_o) {
            top.step_valid_i = 0;
            tick();
        }
        top.step_valid_i = 1;
        top.step_i = step;
        top.form_i = form;
        top.word_i = static_cast<uint32_t>(rng()); // steps 8 and 9 must not look at it
        if (step < 8)
            memcpy(&top.word_i, bytes + 4 * step, 4);
        tick();
    }
    top.step_valid_i = 0;
    for (int i = 0; i < 3; i++)
        tick();
}

// Offset at stage 1, shape at stage 3, digit at stage 4: 3 cycles (the latency that the module states).
void read_digit(const Shape &shape, unsigned offset, unsigned position, bool ended)
{
    top.offset_i = offset;
    tick();
    top.offset_i = static_cast<unsigned>(rng() % 512);
    tick();
    top.windows_i = shape.windows;
    top.width_i = position ? shape.width : shape.lowest;
    top.top_i = position + 1 == shape.count;
    top.ended_i = ended;
    tick();
}

// The integer that the program's form makes of k, and whether it was replaced by its negative.
Bn form_of(const Shape &shape, const uint8_t bytes[32], bool *negated)
{
    uint8_t k[32];
    memcpy(k, bytes, 32);
    if (shape.form != EPH_SCALAR_ODD) {
        k[0] &= 248;
        k[31] = (k[31] & 127) | 64;
    }
    Bn value(BN_lebin2bn(k, 32, nullptr));
    *negated = false;
    if (shape.form == EPH_SCALAR_CLAMP)
        return value;
    if (shape.form == EPH_SCALAR_COMB25519)
        BN_rshift(value.get(), value.get(), 3);
    if (!BN_is_odd(value.get())) {
        Bn order = from_hex(shape.order);
        BN_sub(value.get(), order.get(), value.get());
        *negated = true;
    }
    return value;
}

bool scalar_is_right(const Shape &shape, const uint8_t bytes[32])
{
    bool negated;
    Bn expected = form_of(shape, bytes, &negated), sum(BN_new()), term(BN_new());
    load_scalar(bytes, shape.form);
    bool bit = false;
    for (unsigned position = shape.count; position-- > 0;) {
        unsigned offset = !position ? 0 : shape.lowest + shape.width * (position - 1);
        read_digit(shape, offset, position, false);
        if (shape.windows) { // sum of digit * 2^offset
            BN_set_word(term.get(), 2 * top.index_o + 1);
            BN_set_negative(term.get(), top.sign_o);
        } else { // a swap says that the bit changes
            bit ^= top.sign_o;
            BN_set_word(term.get(), bit);
        }
        BN_lshift(term.get(), term.get(), static_cast<int>(offset));
        BN_add(sum.get(), sum.get(), term.get());
    }
    read_digit(shape, 8 * 63, 0, true);
    return BN_cmp(sum.get(), expected.get()) == 0 && top.sign_o == negated && top.index_o == 0;
}

bool scalars()
{
    for (const Shape &shape : shapes)
        for (unsigned i = 0; i < 200; i++) {
            uint8_t k[32] = {0};
            Bn order = from_hex(shape.order);
            if (i < 40) { // 1 .. 20, n-20 .. n-1
                Bn edge(BN_new());
                BN_set_word(edge.get(), i % 20 + 1);
                if (i >= 20)
                    BN_sub(edge.get(), order.get(), edge.get());
                BN_bn2lebinpad(edge.get(), k, 32);
            } else {
                Bn random(BN_new());
                BN_rand_range(random.get(), order.get());
                if (BN_is_zero(random.get()))
                    BN_one(random.get());
                BN_bn2lebinpad(random.get(), k, 32);
            }
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
    top.rst_i = 1;
    tick();
    top.rst_i = 0;
    bool right = scalars() && canonical_values();
    printf("units: %s\n", right ? "ok" : "FAILED");
    return right ? 0 : 1;
}
