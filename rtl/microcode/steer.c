// SPDX-License-Identifier: Apache-2.0
// Five operand roles over four read ports and one table read: a = P0; b = P1 or table; c = P2; g = P3 or table; e = P3
// or P1. A table or constant operand is only ever b or g; alone in a factor it goes there with a or c zero. A square
// reads a and b only and copies X into Y after the pre-add. The ladder's swap reads both pairs and exchanges X and Y on
// data, so that no register address depends on a secret.
#include "asm.h"

struct steering {
    struct assembly *as;
    struct instruction *in;
    const struct operand *table; // the operand that has the table read, NULL: free
};

static bool fail(struct steering *s, const char *message)
{
    eph_asm_error(s->as, s->in->at, "%s", message);
    return false;
}

static bool same_operand(const struct operand *x, const struct operand *y)
{
    return x->kind == y->kind && x->index == y->index && x->other == y->other && x->shift == y->shift &&
           x->by_sign == y->by_sign;
}

static bool is_table(const struct operand *operand)
{
    return operand->kind >= OPERAND_CONSTANT;
}

static void put(struct steering *s, unsigned field, uint32_t value)
{
    eph_word_put(s->in->word, field, value);
}

static bool use_port(struct steering *s, unsigned port, const struct operand *operand)
{
    if (operand->kind == OPERAND_PAIR)
        return fail(s, "a register pair stands only in a squared sum of two pairs (the ladder's swap)");
    if (s->in->port[port] >= 0 && s->in->port[port] != operand->index)
        return fail(s, "port conflict: five different registers in one instruction");
    s->in->port[port] = operand->index;
    return true;
}

static bool use_table(struct steering *s, const struct operand *operand)
{
    if (operand->shift)
        return fail(s, "shift on a table or constant operand");
    if (s->table)
        return same_operand(s->table, operand) || fail(s, "two table or constant reads in one instruction");
    s->table = operand;
    switch (operand->kind) {
    case OPERAND_CONSTANT:
        put(s, EPH_U_TSRC, (uint32_t)operand->index);
        put(s, EPH_U_ROM, EPH_ROM_CONSTANT);
        break;
    case OPERAND_BASE:
        put(s, EPH_U_ROM, (uint32_t)operand->index + (operand->by_sign ? EPH_ROM_F0_SIGN : EPH_ROM_F0));
        break;
    case OPERAND_TABLE:
        put(s, EPH_U_TSRC, (uint32_t)operand->index);
        break;
    default:
        put(s, EPH_U_TMODE, operand->kind == OPERAND_TABLE_X ? EPH_TMODE_X : EPH_TMODE_Y);
    }
    return true;
}

static uint32_t table_part(const struct operand *operand)
{
    return operand->kind == OPERAND_CONSTANT || operand->kind == OPERAND_BASE ? EPH_TB_ROM : EPH_TB_TABLE;
}

// A factor that is one table or constant operand: it moves to the second place, where tables are read.
static bool move_table(struct steering *s, struct operand *first, enum eph_operator *op, struct operand *second)
{
    if (!is_table(first))
        return true;
    if (second->kind != OPERAND_NONE)
        return fail(s, "a table or constant operand must be the second of a sum");
    *second = *first;
    *first = (struct operand){.kind = OPERAND_ZERO};
    *op = EPH_OPERATOR_PLUS;
    return true;
}

static bool steer_left(struct steering *s)
{
    struct instruction *in = s->in;
    if (in->a.kind == OPERAND_ZERO)
        put(s, EPH_U_ZA, 1);
    else if (!use_port(s, 0, &in->a))
        return false;
    put(s, EPH_U_SHA, in->a.shift);
    put(s, EPH_U_OPB, in->opb);
    if (is_table(&in->b)) {
        put(s, EPH_U_ZB, 1);
        put(s, EPH_U_TB, table_part(&in->b));
        return use_table(s, &in->b);
    }
    put(s, EPH_U_SHB, in->b.shift);
    if (in->b.kind == OPERAND_REGISTER || in->b.kind == OPERAND_PAIR)
        return use_port(s, 1, &in->b);
    put(s, EPH_U_ZB, 1);
    return true;
}

static bool steer_right(struct steering *s)
{
    struct instruction *in = s->in;
    if (in->c.kind == OPERAND_ZERO)
        put(s, EPH_U_ZC, 1);
    else if (!use_port(s, 2, &in->c))
        return false;
    put(s, EPH_U_OPG, in->opg);
    if (is_table(&in->g)) {
        put(s, EPH_U_TG, table_part(&in->g) == EPH_TB_ROM ? EPH_TG_ROM : EPH_TG_TABLE);
        return use_table(s, &in->g);
    }
    if (in->g.kind == OPERAND_NONE || in->g.kind == OPERAND_ZERO)
        return true; // TG 0: zero
    put(s, EPH_U_TG, EPH_TG_PORT);
    return use_port(s, 3, &in->g);
}

static bool steer_last(struct steering *s)
{
    struct instruction *in = s->in;
    if (in->e.kind == OPERAND_NONE || in->e.kind == OPERAND_ZERO) {
        put(s, EPH_U_ZE, 1);
        return true;
    }
    if (is_table(&in->e))
        return fail(s, "the last term must be a register");
    put(s, EPH_U_SHE, in->e.shift);
    put(s, EPH_U_OPE, in->ope);
    bool third = in->port[3] < 0 || in->port[3] == in->e.index;
    put(s, EPH_U_ESEL, third);
    return use_port(s, third ? 3 : 1, &in->e);
}

// (A|B op C|D) * (A|B op C|D): a = A, b = C, c = B, g = D; the swap bit then takes X or Y for both factors.
static bool steer_ladder(struct steering *s)
{
    struct instruction *in = s->in;
    if (in->b.kind != OPERAND_PAIR || in->a.shift || in->b.shift || in->e.kind != OPERAND_NONE ||
        in->opb > EPH_OPERATOR_MINUS)
        return fail(s, "a register pair stands only in a squared sum of two pairs (the ladder's swap)");
    in->port[0] = in->a.index;
    in->port[1] = in->b.index;
    in->port[2] = in->a.other;
    in->port[3] = in->b.other;
    put(s, EPH_U_OPB, in->opb);
    put(s, EPH_U_OPG, in->opg);
    put(s, EPH_U_TG, EPH_TG_PORT);
    put(s, EPH_U_XCH, EPH_XCH_LADDER);
    put(s, EPH_U_ZE, 1);
    return true;
}

static bool steer_instruction(struct steering *s)
{
    struct instruction *in = s->in;
    bool square = same_operand(&in->a, &in->c) && same_operand(&in->b, &in->g) && in->opb == in->opg;
    if (in->a.kind == OPERAND_PAIR)
        return square ? steer_ladder(s)
                      : fail(s, "a register pair stands only in a squared sum of two pairs (the ladder's swap)");
    if (!move_table(s, &in->a, &in->opb, &in->b) || !steer_left(s))
        return false;
    if (square) {
        put(s, EPH_U_ZC, 1);
        put(s, EPH_U_XCH, EPH_XCH_SQUARE);
    } else if (!move_table(s, &in->c, &in->opg, &in->g) || !steer_right(s)) {
        return false;
    }
    return steer_last(s);
}

void eph_asm_steer(struct assembly *as, struct program *program)
{
    for (unsigned i = 0; i < program->length; i++) {
        struct steering s = {.as = as, .in = &program->code[i]};
        steer_instruction(&s);
    }
}
