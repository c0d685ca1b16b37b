// SPDX-License-Identifier: Apache-2.0
#include "units_rig.h"

#include <cstring>

extern "C" {
#include <isa.h>
}

namespace eph
{

std::mt19937_64 rng(20261125);
Veph_engine_units top;

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

void reset()
{
    top.rst_i = 1;
    tick();
    top.rst_i = 0;
}

namespace
{
const char kL[] = "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed";
const char kN[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
} // namespace

const Shape shapes[5] = {{"x25519 ladder", EPH_SCALAR_CLAMP, 0, 1, 255, 1, kL},
                         {"x25519 comb, 6 bits", EPH_SCALAR_COMB25519, 1, 6, 43, 6, kL},
                         {"p256 windows, 4 bits, lowest 2", EPH_SCALAR_ODD, 1, 4, 65, 2, kN},
                         {"p256 windows, 5 bits", EPH_SCALAR_ODD, 1, 5, 52, 5, kN},
                         {"p256 comb, 6 bits, lowest 5", EPH_SCALAR_ODD, 1, 6, 43, 5, kN}};

void scalar_number(const Shape &shape, unsigned i, uint8_t k[32])
{
    Bn order = from_hex(shape.order), value(BN_new());
    if (i < 40) {
        BN_set_word(value.get(), i % 20 + 1);
        if (i >= 20)
            BN_sub(value.get(), order.get(), value.get());
    } else {
        BN_rand_range(value.get(), order.get());
        if (BN_is_zero(value.get()))
            BN_one(value.get());
    }
    BN_bn2lebinpad(value.get(), k, 32);
}

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

void append_digit(const Shape &shape, BIGNUM *sum, unsigned bits, unsigned sign, unsigned index, bool *bit)
{
    Bn term(BN_new());
    if (shape.windows) {
        BN_set_word(term.get(), 2 * index + 1);
        BN_set_negative(term.get(), static_cast<int>(sign));
    } else { // a swap says that the bit changes
        *bit ^= sign;
        BN_set_word(term.get(), *bit);
    }
    BN_lshift(sum, sum, static_cast<int>(bits));
    BN_add(sum, sum, term.get());
}

} // namespace eph
