// SPDX-License-Identifier: Apache-2.0
// The contract of eph_fma (rtl/README.md) in big integers, and random instructions for it.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <openssl/bn.h>
#include <random>

using Digits = std::array<uint64_t, 8>; // a stored value: digit i weighs 2^(33 i)

enum Source { P0, P1, P2, P3, TAB, ROM, SOURCES };

// Control fields of one instruction, in the order and with the widths of the control word.
struct Control {
    unsigned sha, shb, she, tb, tg, ksh, za, zb, zc, ze, esel, neg_b, neg_g, neg_e, x_from_y, y_from_x, f25519;
    uint32_t word() const;
};

struct Instruction {
    Control ctl;
    std::array<Digits, SOURCES> src;
    std::array<uint64_t, 5> expected; // little-endian words of the result as an integer
};

// Redundant digits to one integer; false when a digit exceeds its width in the layout.
bool value(const Digits &digits, std::array<uint64_t, 5> &words);

class Model
{
  public:
    explicit Model(uint32_t seed);
    Instruction next(); // random or edge operands; always in the range that programs keep

  private:
    struct Free {
        void operator()(BIGNUM *n) const { BN_free(n); }
        void operator()(BN_CTX *c) const { BN_CTX_free(c); }
    };
    using Number = std::unique_ptr<BIGNUM, Free>;

    unsigned pick(unsigned n) { return unsigned(random_() % n); }
    bool chance(unsigned percent) { return pick(100) < percent; }
    Control control();
    Digits lazy(bool f25519);
    Digits edge(bool f25519);
    Digits split(const BIGNUM *n);
    void load(BIGNUM *out, const Digits &digits, unsigned shift, bool zero);
    bool evaluate(Instruction &in);
    void reduce25519(BIGNUM *v, const BIGNUM *e);
    void reduce_p256(BIGNUM *v, const BIGNUM *e, unsigned ksh);

    std::mt19937_64 random_;
    std::unique_ptr<BN_CTX, Free> ctx_;
    Number p25519_, p256_, radix_, minus_inverse_, a_, b_, c_, g_, e_, x_, y_, v_, t_;
};
