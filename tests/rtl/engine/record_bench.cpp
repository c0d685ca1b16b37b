// SPDX-License-Identifier: Apache-2.0
// The record of consumed digits: silent when they are those of the scalar that arrived, and only then.
#include <cstdio>
#include <cstring>
#include <string>

#include "units_rig.h"
#include "Veph_engine_units___024root.h"
extern "C" {
#include <isa.h>
}

namespace
{

using namespace eph;

constexpr unsigned kTurns = 3; // of one digit: two that use it, one that advances
constexpr unsigned kParityBit = 8 * 63;

enum Kind {
    kNone,
    kUpset,       // bit `where` of scalar RAM flips after the load
    kDigit,       // digit `where` is consumed wrongly: `flip`, in all its turns
    kGlitch,      // the same in one turn that does not advance
    kMisplaced,   // digit `where` is read `shift` positions away
    kSkipped,     // digit `where` is never consumed
    kRepeated,    // digit `where` is consumed twice
    kStuck,       // sign or swap stuck at `flip`, from the top to the last digit
    kMistold,     // control or address `flip` of a turn of digit `where` is not what the digit says
    kWrongParity, // the digit after the last one
};

struct Fault {
    Kind kind = kNone;
    unsigned where = 0, flip = 0;
    int shift = 0;
};

struct Outcome {
    bool right; // the consumed digits are the scalar, in every turn
    bool fault; // what the record says
};

void flip_ram_bit(unsigned bit)
{
    auto *root = top.rootp;
    auto &byte = bit / 8 % 2 ? root->eph_engine_units__DOT__u_scalar__DOT__odd_mem[32 + bit / 16]
                             : root->eph_engine_units__DOT__u_scalar__DOT__even_mem[32 + bit / 16];
    byte ^= 1u << bit % 8;
}

enum Use { kNoUse, kExchange, kRow, kEntry };
enum Wrong { kWrongExchange = 1, kWrongSign = 2, kWrongRow = 4, kWrongEntry = 8 };

struct Turn {
    unsigned use = kNoUse, position = 0;
    bool advance = false, halt = false;
    unsigned flip = 0, wrong = 0; // planted: sign and index of the digit; behind the decoder
};

// One turn at stage 4, with the digit that is on the wires.
void run(const Turn &turn)
{
    top.exec_i = 1;
    top.use_i = static_cast<uint8_t>(turn.use);
    top.position_i = static_cast<uint16_t>(turn.position);
    top.advance_i = turn.advance;
    top.halt_i = turn.halt;
    top.flip_i = static_cast<uint8_t>(turn.flip);
    top.wrong_i = static_cast<uint8_t>(turn.wrong);
    tick();
    top.exec_i = top.advance_i = top.halt_i = 0;
    top.wrong_i = 0;
}

// Ladder: exchange, nothing, advance. Windows: a row of the fixed-base ROM (it has 64 of them), a table entry, advance.
unsigned use_of(const Shape &shape, unsigned position, unsigned number)
{
    if (!shape.windows)
        return number == 0 ? kExchange : kNoUse;
    return number == 0 && position < 64 ? kRow : number < 2 ? kEntry : kNoUse;
}

unsigned flip_in_turn(const Fault &fault, unsigned position, unsigned number)
{
    if (fault.kind == kStuck)
        return (top.sign_o != fault.flip) << 5;
    bool here = fault.where == position && (fault.kind == kDigit || (fault.kind == kGlitch && number == 1));
    return here ? fault.flip : 0;
}

Outcome consume(const Shape &shape, const uint8_t bytes[32], const Fault &fault)
{
    bool negated, bit = false, disturbed = false;
    Bn expected = form_of(shape, bytes, &negated), sum(BN_new());
    load_scalar(bytes, shape.form);
    if (fault.kind == kUpset)
        flip_ram_bit(fault.where);
    for (unsigned position = shape.count; position-- > 0;) {
        bool here = fault.where == position;
        unsigned times = !here ? 1 : fault.kind == kSkipped ? 0 : fault.kind == kRepeated ? 2 : 1;
        unsigned from = here && fault.kind == kMisplaced ? position + static_cast<unsigned>(fault.shift) : position;
        for (unsigned number = 0; number < times * kTurns; number++) {
            read_digit(shape, shape.offset(from), position, false);
            Turn turn;
            turn.use = use_of(shape, position, number % kTurns);
            turn.position = position;
            turn.advance = number % kTurns == kTurns - 1;
            turn.flip = flip_in_turn(fault, position, number);
            turn.wrong = here && fault.kind == kMistold && number == (fault.flip == kWrongEntry) ? fault.flip : 0;
            if (turn.advance)
                append_digit(shape, sum.get(), shape.bits(position), top.sign_o ^ turn.flip >> 5,
                             top.index_o ^ (turn.flip & 31), &bit);
            disturbed |= turn.wrong || (fault.kind == kGlitch && turn.flip);
            run(turn);
        }
    }
    read_digit(shape, kParityBit, 0, true);
    Turn last;
    last.halt = true;
    last.flip = fault.kind == kWrongParity ? 32 : 0;
    bool right = !disturbed && BN_cmp(sum.get(), expected.get()) == 0 && (top.sign_o ^ last.flip >> 5) == negated;
    run(last);
    for (int i = 0; i < 3; i++)
        tick();
    top.taken_i = 1;
    tick();
    top.taken_i = 0;
    tick();
    tick();
    return {right, static_cast<bool>(top.fault_o)};
}

bool try_fault(const Shape &shape, const uint8_t k[32], const Fault &fault, const char *what)
{
    static const char *const says[] = {"is silent", "says CHECK"};
    Outcome outcome = consume(shape, k, fault);
    if (outcome.fault == outcome.right)
        return printf("%s, %s at %u: the record %s\n", shape.name, what, fault.where, says[outcome.fault]), false;
    auto *root = top.rootp;
    if (root->eph_engine_units__DOT__u_record__DOT__state_mem[1] ||
        root->eph_engine_units__DOT__u_record__DOT__expect_mem[1] || root->eph_engine_units__DOT__u_expect__DOT__sum_q)
        return printf("%s: record not cleared\n", shape.name), false;
    if (fault.kind == kUpset) // what lies behind the scalar stays; the unload unit would write zeros
        flip_ram_bit(fault.where);
    return true;
}

bool undisturbed(const Shape &shape)
{
    for (unsigned i = 0; i < 80; i++) {
        uint8_t k[32];
        scalar_number(shape, i, k);
        if (shape.form != EPH_SCALAR_ODD && (i == 0 || i == 1)) // all bits, where the form cuts them
            memset(k, i ? 0xff : 0, sizeof k);
        Outcome outcome = consume(shape, k, {});
        const char *says = outcome.fault ? "says CHECK" : "is silent";
        if (!outcome.right)
            return printf("%s: the digits are wrong, the record %s\n", shape.name, says), false;
        if (outcome.fault)
            return printf("%s: the digits are right, the record %s\n", shape.name, says), false;
    }
    return true;
}

bool disturbed(const Shape &shape)
{
    uint8_t k[32];
    scalar_number(shape, 40, k);
    bool right = true;
    auto attempt = [&](Kind kind, const char *what, unsigned where, unsigned flip = 0, int shift = 0) {
        Fault fault;
        fault.kind = kind, fault.where = where, fault.flip = flip, fault.shift = shift;
        right = right && try_fault(shape, k, fault, what);
    };
    for (unsigned bit = 0; bit < 264; bit++)
        attempt(kUpset, "upset bit", bit);
    attempt(kUpset, "upset bit", kParityBit);
    attempt(kWrongParity, "wrong parity", 0);
    attempt(kStuck, "sign stuck at 0", 0, 0);
    attempt(kStuck, "sign stuck at 1", 0, 1);
    for (unsigned position = 0; position < shape.count; position++) {
        for (unsigned flip = shape.windows ? 1 : 32; flip <= 32; flip *= 2) {
            attempt(kDigit, "wrong digit", position, flip);
            attempt(kGlitch, "glitch", position, flip);
        }
        attempt(kSkipped, "skipped digit", position);
        attempt(kRepeated, "repeated digit", position);
        if (!shape.windows)
            attempt(kMistold, "wrong exchange", position, kWrongExchange);
        for (unsigned wrong = kWrongSign; shape.windows && wrong <= kWrongEntry; wrong *= 2)
            if (position < 64 || wrong == kWrongEntry)
                attempt(kMistold, "wrong use", position, wrong);
        if (position)
            attempt(kMisplaced, "digit of the position below", position, 0, -1);
        if (position + 1 < shape.count)
            attempt(kMisplaced, "digit of the position above", position, 0, 1);
    }
    return right;
}

} // namespace

int main()
{
    reset();
    for (const Shape &shape : shapes)
        if (!undisturbed(shape) || !disturbed(shape))
            return printf("record: FAILED\n"), 1;
    printf("record: ok\n");
    return 0;
}
