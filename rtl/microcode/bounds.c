// SPDX-License-Identifier: Apache-2.0
// Interval pass over the unrolled program. It proves, for every operand that the load unit can deliver and every
// secret,
//   - the factors X and Y fit the multiplier: each of the nine leaves of the two-level difference Karatsuba (p_i,
//   p0-p1, p2-p3,
//     p0-p2, p1-p3, p0+p3-p1-p2 of the four 66-bit pieces, which pre-adds combine without carry) in 73 bits of X, 69 of
//     Y, signed;
//   - every result fits the stored format: 2^255-19: r >= 0 and piece 0 < 2^66 + 2^16; P-256: 0 <= r < 2^261;
//   - every result register is below (ROUNDS + 1) * p, what the unload unit can bring below p;
// and picks for each P-256 instruction the smallest bias 2^j * p that keeps all its results non-negative.
// Registers hold non-negative values, so the pieces of a value <= v are bounded by v alone.
#include "asm.h"
#include "base_table.h"
#include "wide.h"
#include <string.h>

enum { LEFT_LEAF_BITS = 73, RIGHT_LEAF_BITS = 69, PIECE = 66, PIECES = 4, MAX_SLOTS = 1 << 16 };

struct interval {
    struct wide low, high;
};

struct sum {
    struct interval value;
    unsigned leaf_bits;
};

struct pass {
    struct assembly *as;
    struct program *program;
    struct wide prime;
    struct interval names[MAX_NAMES];
    struct interval table[EPH_TABLE_ENTRIES];
    bool bias_grew;
};

static struct wide smaller(struct wide a, struct wide b)
{
    return eph_wide_compare(a, b) < 0 ? a : b;
}
static struct wide larger(struct wide a, struct wide b)
{
    return eph_wide_compare(a, b) > 0 ? a : b;
}

static struct interval hull(struct interval a, struct interval b)
{
    return (struct interval){smaller(a.low, b.low), larger(a.high, b.high)};
}

static struct interval negate(struct interval a)
{
    struct wide zero = {{0}};
    return (struct interval){eph_wide_sub(zero, a.high), eph_wide_sub(zero, a.low)};
}

static struct interval shift(struct interval a, unsigned bits)
{
    return (struct interval){eph_wide_shl(a.low, bits), eph_wide_shl(a.high, bits)};
}

static struct interval add(struct interval a, struct interval b)
{
    return (struct interval){eph_wide_add(a.low, b.low), eph_wide_add(a.high, b.high)};
}

static struct interval multiply(struct interval a, struct interval b)
{
    struct wide corner[4] = {eph_wide_mul(a.low, b.low), eph_wide_mul(a.low, b.high), eph_wide_mul(a.high, b.low),
                             eph_wide_mul(a.high, b.high)};
    struct interval result = {corner[0], corner[0]};
    for (int i = 1; i < 4; i++)
        result = hull(result, (struct interval){corner[i], corner[i]});
    return result;
}

static struct interval apply(enum eph_operator op, struct interval a)
{
    if (op == EPH_OPERATOR_PLUS)
        return a;
    return op == EPH_OPERATOR_MINUS ? negate(a) : hull(a, negate(a));
}

// Entries that a secret digit can address: 2 * index + odd, index < 2^(window - 1).
static struct interval addressed(const struct pass *pass, unsigned odd)
{
    struct interval result = pass->table[odd];
    for (unsigned i = 1; i < 1u << (pass->program->window - 1) && 2 * i + odd < EPH_TABLE_ENTRIES; i++)
        result = hull(result, pass->table[2 * i + odd]);
    return result;
}

static struct interval value_of(const struct pass *pass, const struct operand *operand)
{
    struct wide zero = {{0}};
    switch (operand->kind) {
    case OPERAND_REGISTER:
        return pass->names[operand->index];
    case OPERAND_PAIR:
        return hull(pass->names[operand->index], pass->names[operand->other]);
    case OPERAND_CONSTANT:
    case OPERAND_BASE:
        return (struct interval){zero, pass->prime};
    case OPERAND_TABLE:
        return pass->table[operand->index];
    case OPERAND_TABLE_X:
    case OPERAND_TABLE_Y:
        return addressed(pass, operand->kind == OPERAND_TABLE_Y);
    default:
        return (struct interval){zero, zero};
    }
}

// Largest pieces of a stored value <= high. In 2^255-19 piece 0 is redundant: 19 * (r >> 255) joins it without carry.
static void pieces_of(const struct pass *pass, struct wide high, struct interval piece[PIECES])
{
    struct wide one = eph_wide_small(1), full = eph_wide_sub(eph_wide_power(PIECE), one);
    for (int i = 0; i < PIECES; i++) {
        piece[i] = (struct interval){{{0}}, smaller(full, eph_wide_asr(high, PIECE * (unsigned)i))};
        if (i == 0 && pass->program->field == EPH_FIELD_F25519 && eph_wide_bits(high) > PIECE)
            piece[i].high = eph_wide_add(full, eph_wide_power(16));
    }
}

// Signed bits of the widest leaf operand made of these pieces.
static unsigned leaf_bits(const struct interval p[PIECES])
{
    struct interval n1 = negate(p[1]), n2 = negate(p[2]), n3 = negate(p[3]);
    struct interval leaf[9] = {p[0],          p[1],          p[2],
                               p[3],          add(p[0], n1), add(p[2], n3),
                               add(p[0], n2), add(p[1], n3), add(add(p[0], n1), add(p[3], n2))};
    unsigned most = 0;
    for (int i = 0; i < 9; i++) {
        unsigned low = eph_wide_bits(leaf[i].low), high = eph_wide_bits(leaf[i].high);
        most = low > most ? low : most;
        most = high > most ? high : most;
    }
    return most + 1;
}

// first op second for one sign of the second: the pieces share that sign.
static struct sum combine_signed(const struct pass *pass, const struct operand *first, bool minus,
                                 const struct operand *second)
{
    enum eph_operator op = minus ? EPH_OPERATOR_MINUS : EPH_OPERATOR_PLUS;
    struct interval a = value_of(pass, first), b = value_of(pass, second);
    struct interval piece_a[PIECES], piece_b[PIECES], piece[PIECES];
    pieces_of(pass, a.high, piece_a);
    pieces_of(pass, b.high, piece_b);
    for (int i = 0; i < PIECES; i++)
        piece[i] = add(shift(piece_a[i], first->shift), apply(op, shift(piece_b[i], second->shift)));
    return (struct sum){add(shift(a, first->shift), apply(op, shift(b, second->shift))), leaf_bits(piece)};
}

static struct sum combine(const struct pass *pass, const struct operand *first, enum eph_operator op,
                          const struct operand *second)
{
    if (op <= EPH_OPERATOR_MINUS)
        return combine_signed(pass, first, op == EPH_OPERATOR_MINUS, second);
    struct sum plus = combine_signed(pass, first, false, second), minus = combine_signed(pass, first, true, second);
    return (struct sum){hull(plus.value, minus.value),
                        plus.leaf_bits > minus.leaf_bits ? plus.leaf_bits : minus.leaf_bits};
}

static struct interval reduce25519(const struct pass *pass, const struct instruction *in, struct interval v,
                                   struct interval e)
{
    struct wide zero = {{0}}, bias = eph_wide_shl(pass->prime, 10), fold = eph_wide_small(9728);
    struct interval low = {zero, eph_wide_sub(eph_wide_power(264), eph_wide_small(1))};
    struct interval high = {eph_wide_mul(fold, eph_wide_asr(v.low, 264)),
                            eph_wide_mul(fold, eph_wide_asr(v.high, 264))};
    struct interval r = add(add(low, high), add(e, (struct interval){bias, bias}));
    if (eph_wide_negative(r.low))
        eph_asm_error(pass->as, in->at, "bounds: result may be negative");
    struct wide excess = eph_wide_mul(eph_wide_small(19), eph_wide_asr(r.high, 255));
    if (eph_wide_bits(excess) > 16)
        eph_asm_error(pass->as, in->at, "bounds: 19 * (r >> 255) may take %u bits, piece 0 has room for 16",
                      eph_wide_bits(excess));
    return (struct interval){zero, eph_wide_add(eph_wide_sub(eph_wide_power(255), eph_wide_small(1)), excess)};
}

static struct interval reduce_p256(struct pass *pass, struct instruction *in, struct interval v, struct interval e)
{
    struct interval m = {{{0}}, eph_wide_add(pass->prime, eph_wide_small(1))};
    struct interval high = {eph_wide_asr(v.low, 264), eph_wide_asr(v.high, 264)};
    struct interval sum = add(add(high, m), e);
    struct wide bias = eph_wide_shl(pass->prime, in->bias);
    while (eph_wide_negative(eph_wide_add(sum.low, bias))) {
        if (in->bias == EPH_MAX_BIAS_SHIFT) {
            eph_asm_error(pass->as, in->at, "bounds: result may be negative even with a bias of 32p");
            break;
        }
        bias = eph_wide_shl(pass->prime, ++in->bias);
        pass->bias_grew = true;
    }
    struct interval r = add(sum, (struct interval){bias, bias});
    if (eph_wide_bits(r.high) > 261)
        eph_asm_error(pass->as, in->at, "bounds: result may take %u bits, a P-256 value has 261",
                      eph_wide_bits(r.high));
    return r;
}

static void most(unsigned *maximum, unsigned value)
{
    *maximum = value > *maximum ? value : *maximum;
}

static void execute(struct pass *pass, struct instruction *in)
{
    struct sum x = combine(pass, &in->a, in->opb, &in->b);
    struct sum y = combine(pass, &in->c, in->opg, &in->g);
    struct interval e = apply(in->ope, shift(value_of(pass, &in->e), in->e.shift));
    if (x.leaf_bits > LEFT_LEAF_BITS)
        eph_asm_error(pass->as, in->at, "bounds: left factor takes %u bits in a leaf, it has %d", x.leaf_bits,
                      LEFT_LEAF_BITS);
    if (y.leaf_bits > RIGHT_LEAF_BITS)
        eph_asm_error(pass->as, in->at, "bounds: right factor takes %u bits in a leaf, it has %d", y.leaf_bits,
                      RIGHT_LEAF_BITS);
    struct interval v = multiply(x.value, y.value);
    struct interval result =
        pass->program->field == EPH_FIELD_F25519 ? reduce25519(pass, in, v, e) : reduce_p256(pass, in, v, e);
    most(&in->left_bits, x.leaf_bits);
    most(&in->right_bits, y.leaf_bits);
    most(&in->result_bits, eph_wide_bits(result.high));
    if (in->dst >= 0)
        pass->names[in->dst] = result;
    if (in->tdst >= 0)
        pass->table[in->tdst] = result;
}

// Runs the loops as the sequencer does. False when an error stopped it.
static bool unroll(struct pass *pass)
{
    struct program *program = pass->program;
    unsigned slots = 0, digits = 0, count = 0, errors = pass->as->errors;
    for (unsigned pc = 0;; slots++) {
        struct instruction *in = &program->code[pc];
        execute(pass, in);
        if (pass->as->errors != errors)
            return false;
        digits += in->digit;
        if (in->seq == EPH_SEQ_HALT)
            break;
        if (in->seq == EPH_SEQ_COUNT)
            count = in->count;
        bool jump = in->seq == EPH_SEQ_LOOP && count > 0;
        count -= jump;
        pc = jump ? pc - in->distance : pc + 1;
    }
    program->slots = slots + 1;
    if (digits != program->windows)
        eph_asm_error(pass->as, program->at, "'%s' advances %u digits, its scalar has %u", program->name, digits,
                      program->windows);
    return true;
}

static void load(struct pass *pass)
{
    static const unsigned bits[LOAD_SOURCES] = {256, 256, 255};
    memset(pass->names, 0, sizeof pass->names);
    memset(pass->table, 0, sizeof pass->table);
    for (int i = 0; i < LOAD_SOURCES; i++) {
        unsigned width = i == LOAD_PEER_X && pass->program->mask_x ? 255 : bits[i];
        if (pass->program->load[i] >= 0)
            pass->names[pass->program->load[i]].high = eph_wide_sub(eph_wide_power(width), eph_wide_small(1));
    }
}

static void check_results(const struct pass *pass)
{
    static const unsigned rounds[EPH_FIELD_COUNT] = {EPH_FIELD_ROUNDS_F25519, EPH_FIELD_ROUNDS_FP256};
    const struct program *program = pass->program;
    struct wide limit = eph_wide_mul(pass->prime, eph_wide_small(rounds[program->field] + 1));
    for (unsigned i = 0; i < program->result_count; i++)
        if (eph_wide_compare(pass->names[program->results[i]].high, limit) >= 0)
            eph_asm_error(pass->as, program->at, "bounds: result '%s' may exceed %up at unload",
                          program->names[program->results[i]].text, rounds[program->field] + 1);
}

void eph_asm_bounds(struct assembly *as, struct program *program)
{
    struct pass pass = {.as = as, .program = program, .prime = eph_wide_parse(eph_primes[program->field])};
    do { // a larger bias enlarges later values: repeat until none grows; at most EPH_MAX_BIAS_SHIFT steps an
         // instruction
        pass.bias_grew = false;
        load(&pass);
        if (!unroll(&pass))
            return;
    } while (pass.bias_grew);
    check_results(&pass);
}
