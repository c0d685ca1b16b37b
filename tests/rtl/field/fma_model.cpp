// SPDX-License-Identifier: Apache-2.0
#include "fma_model.h"
#include <cstdlib>

static void need(int ok)
{
    if (!ok)
        abort(); // out of memory
}

static const uint64_t Mask33 = (1ull << 33) - 1;
static const unsigned DigitBits[8] = {33, 34, 33, 33, 33, 33, 33, 30};

uint32_t Control::word() const
{
    const unsigned fields[][2] = {{sha, 2},   {shb, 2},   {she, 2},      {tb, 2},       {tg, 2},    {ksh, 3},
                                  {za, 1},    {zb, 1},    {zc, 1},       {ze, 1},       {esel, 1},  {neg_b, 1},
                                  {neg_g, 1}, {neg_e, 1}, {x_from_y, 1}, {y_from_x, 1}, {f25519, 1}};
    uint32_t word = 0;
    unsigned at = 0;
    for (auto &f : fields) {
        word |= f[0] << at;
        at += f[1];
    }
    return word;
}

bool value(const Digits &digits, std::array<uint64_t, 5> &words)
{
    words.fill(0);
    for (unsigned i = 0; i < 8; i++) {
        if (digits[i] >> DigitBits[i])
            return false;
        unsigned __int128 sum = (unsigned __int128)digits[i] << (33 * i % 64);
        for (unsigned w = 33 * i / 64; w < 5 && sum; w++) {
            sum += words[w];
            words[w] = (uint64_t)sum;
            sum >>= 64;
        }
    }
    return true;
}

Model::Model(uint32_t seed) : random_(seed), ctx_(BN_CTX_new())
{
    BIGNUM *n[2] = {nullptr, nullptr};
    need(BN_hex2bn(&n[0], "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed"));
    need(BN_hex2bn(&n[1], "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"));
    p25519_.reset(n[0]);
    p256_.reset(n[1]);
    for (Number *number : {&radix_, &minus_inverse_, &a_, &b_, &c_, &g_, &e_, &x_, &y_, &v_, &t_})
        number->reset(BN_new());
    // -1/p mod R
    need(BN_set_bit(radix_.get(), 264));
    need(BN_mod_inverse(minus_inverse_.get(), p256_.get(), radix_.get(), ctx_.get()) != nullptr);
    need(BN_sub(minus_inverse_.get(), radix_.get(), minus_inverse_.get()));
}

Digits Model::split(const BIGNUM *n)
{
    Digits digits{};
    for (unsigned bit = 0; bit < 264; bit++)
        digits[bit / 33] |= (uint64_t)BN_is_bit_set(n, (int)bit) << bit % 33;
    return digits;
}

// 0, 1, p-1, p, p+1, 2p, the largest value of the lazy range: 2^255 + 2^17 - 1, 2^261 - 1
Digits Model::edge(bool f25519)
{
    BIGNUM *p = (f25519 ? p25519_ : p256_).get(), *t = t_.get();
    unsigned which = pick(7);
    switch (which) {
    case 0:
    case 1:
        need(BN_set_word(t, which));
        break;
    case 2:
    case 3:
    case 4:
        need(BN_copy(t, p) != nullptr && BN_add_word(t, which - 2) && (BN_sub_word(t, 1)));
        break;
    case 5:
        need(BN_lshift1(t, p));
        break;
    default:
        BN_zero(t);
        need(BN_set_bit(t, f25519 ? 255 : 261) && (f25519 ? BN_add_word(t, 1 << 17) : 1) && BN_sub_word(t, 1));
    }
    return split(t);
}

// A value as the datapath may leave it: pieces at, near or between their limits. Piece 3 of a 2^255-19 value stays
// below 2^57, of a P-256 value below 2^63; piece 0 of a 2^255-19 value may reach 2^66 + 2^16 - 1.
Digits Model::lazy(bool f25519)
{
    unsigned shape = pick(7), top = f25519 ? 57 : 57 + pick(7);
    Digits digits{};
    for (unsigned k = 0; k < 4; k++) {
        uint64_t low = random_() & Mask33, high = random_() & (k == 3 ? (1ull << (top - 33)) - 1 : Mask33);
        uint64_t high_max = k == 3 ? (1ull << (top - 33)) - 1 : Mask33;
        if (shape == 0 || (shape == 3 && chance(50))) {
            low = Mask33;
            high = high_max;
        } else if (shape == 1 || (shape == 4 && chance(50))) {
            low = high = 0;
        } else if (shape == 2) {
            low = k == 0 ? pick(4) : 0;
            high = 0;
        } else if (shape == 5) {
            low = Mask33 - (k == 0 ? 19 + pick(3) : 0);
            high = high_max;
        }
        if (k == 0 && f25519 && (shape == 0 || shape == 6)) {
            low = chance(50) ? pick(1 << 16) : (1 << 16) - 1;
            high = 1ull << 33;
        }
        digits[2 * k] = low;
        digits[2 * k + 1] = high;
    }
    return digits;
}

Control Model::control()
{
    Control c{};
    c.sha = chance(50) ? pick(4) : 0;
    c.shb = chance(50) ? pick(4) : 0;
    c.she = pick(4);
    c.za = chance(10);
    c.zb = chance(30);
    c.zc = chance(10);
    c.ze = chance(30);
    c.esel = pick(2);
    c.tb = chance(30) ? 1 + pick(2) : 0;
    c.tg = pick(4);
    c.ksh = pick(6);
    c.neg_b = pick(2);
    c.neg_g = pick(2);
    c.neg_e = pick(2);
    c.f25519 = pick(2);
    if (chance(30)) {
        c.x_from_y = pick(2);
        c.y_from_x = !c.x_from_y;
    }
    if (c.y_from_x)
        c.sha = c.shb = 0; // a square of a shifted operand does not fit the right factor
    return c;
}

void Model::load(BIGNUM *out, const Digits &digits, unsigned shift, bool zero)
{
    std::array<uint64_t, 5> words;
    if (!value(digits, words))
        abort();
    need(BN_lebin2bn((const unsigned char *)words.data(), sizeof words, out) != nullptr);
    need(BN_lshift(out, out, (int)shift));
    if (zero)
        BN_zero(out);
}

// r = (V mod 2^264) + 9728 (V >> 264) + e + 2^10 p; (r mod 2^255) + 19 (r >> 255); >> is the floor
void Model::reduce25519(BIGNUM *v, const BIGNUM *e)
{
    BIGNUM *low = t_.get();
    need(BN_nnmod(low, v, radix_.get(), ctx_.get()));
    need(BN_sub(v, v, low) && BN_rshift(v, v, 264)); // exact division, so the sign does not matter
    need(BN_mul_word(v, 9728) && BN_add(v, v, low) && BN_add(v, v, e));
    need(BN_lshift(low, p25519_.get(), 10) && BN_add(v, v, low));
    if (BN_is_negative(v))
        abort(); // the bias is there to exclude it
    need(BN_rshift(low, v, 255) && BN_mul_word(low, 19));
    if (BN_num_bits(v) > 255)
        need(BN_mask_bits(v, 255));
    need(BN_add(v, v, low));
}

// (V + m p) / 2^264 + e + 2^ksh p with m = V (-1/p) mod 2^264
void Model::reduce_p256(BIGNUM *v, const BIGNUM *e, unsigned ksh)
{
    BIGNUM *m = t_.get();
    need(BN_nnmod(m, v, radix_.get(), ctx_.get()));
    need(BN_mul(m, m, minus_inverse_.get(), ctx_.get()));
    if (BN_num_bits(m) > 264)
        need(BN_mask_bits(m, 264));
    need(BN_mul(m, m, p256_.get(), ctx_.get()) && BN_add(v, v, m) && BN_rshift(v, v, 264));
    need(BN_lshift(m, p256_.get(), (int)ksh) && BN_add(v, v, m) && BN_add(v, v, e));
}

bool Model::evaluate(Instruction &in)
{
    const Control &c = in.ctl;
    BIGNUM *a = a_.get(), *b = b_.get(), *cc = c_.get(), *g = g_.get(), *e = e_.get(), *v = v_.get();
    load(a, in.src[P0], c.sha, c.za);
    load(b, in.src[P1], c.shb, c.zb);
    load(v, in.src[c.tb == 1 ? TAB : ROM], 0, c.tb == 0);
    need(BN_add(b, b, v)); // one of them is zero
    load(cc, in.src[P2], 0, c.zc);
    load(g, in.src[c.tg == 1 ? P3 : c.tg == 2 ? TAB : ROM], 0, c.tg == 0);
    load(e, in.src[c.esel ? P3 : P1], c.she, c.ze);
    BN_set_negative(e, c.neg_e);
    need(c.neg_b ? BN_sub(x_.get(), a, b) : BN_add(x_.get(), a, b));
    need(c.neg_g ? BN_sub(y_.get(), cc, g) : BN_add(y_.get(), cc, g));
    need(BN_mul(v, (c.x_from_y ? y_ : x_).get(), (c.y_from_x ? x_ : y_).get(), ctx_.get()));
    if (c.f25519)
        reduce25519(v, e);
    else
        reduce_p256(v, e, c.ksh);
    if (BN_is_negative(v) || BN_num_bits(v) > 261)
        return false; // outside the range that a program keeps
    return BN_bn2lebinpad(v, (unsigned char *)in.expected.data(), sizeof in.expected) > 0;
}

Instruction Model::next()
{
    Instruction in;
    do {
        in.ctl = control();
        for (Digits &d : in.src)
            d = chance(15) ? edge(in.ctl.f25519) : lazy(in.ctl.f25519);
        if (in.ctl.tb != 0 && !in.ctl.zb) { // either of b's two operands may be the zero one
            if (chance(50))
                in.src[P1].fill(0);
            else
                in.ctl.zb = 1;
        }
    } while (!evaluate(in));
    return in;
}
