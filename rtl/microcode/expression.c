// SPDX-License-Identifier: Apache-2.0
// Instructions:  d[, T[n]] = (a op b) * (c op g) [op e]     T[n] = ...     d = sqr(a, times)
// Operands: NAME  NAME|NAME  #zero  #CONSTANT  F0 F1 F2 F0^ F1^  T[n]  TX@  TY@, with 2, 4 or 8 in front: shifted left.
#include "asm.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct instruction *eph_asm_append(struct cursor *cursor)
{
    struct program *program = cursor->program;
    if (program->halted) {
        eph_asm_fail(cursor, "instruction after .halt");
        return NULL;
    }
    if (program->length == EPH_UCODE_WORDS) {
        eph_asm_fail(cursor, "program longer than the ROM, %d words", EPH_UCODE_WORDS);
        return NULL;
    }
    struct instruction *instruction = &program->code[program->length++];
    *instruction = (struct instruction){.at = cursor->at, .dst = -1, .tdst = -1, .port = {-1, -1, -1, -1}};
    return instruction;
}

// T[ : a table entry; T alone may be a register.
static bool at_table(const struct cursor *cursor, const char *text)
{
    return strcmp(text, "T") == 0 && *cursor->next == '[';
}

static bool table_index(struct cursor *cursor, int *index)
{
    unsigned value;
    cursor->next++; // the '['
    if (!eph_asm_number(cursor, &value))
        return false;
    if (value >= EPH_TABLE_ENTRIES)
        return eph_asm_fail(cursor, "table entry %u: there are %d", value, EPH_TABLE_ENTRIES);
    *index = (int)value;
    return eph_asm_accept(cursor, ']') || eph_asm_fail(cursor, "expected ']'");
}

static bool shift_prefix(struct cursor *cursor, struct operand *operand)
{
    unsigned factor = 1;
    eph_asm_skip_space(cursor);
    if (isdigit((unsigned char)*cursor->next) && !eph_asm_number(cursor, &factor))
        return false;
    if (factor != 1 && factor != 2 && factor != 4 && factor != 8)
        return eph_asm_fail(cursor, "factor %u: only 2, 4 and 8 are shifts", factor);
    operand->shift = factor == 8 ? 3 : factor == 4 ? 2 : factor == 2;
    return true;
}

static bool hash_operand(struct cursor *cursor, struct operand *operand)
{
    char text[MAX_NAME];
    if (!eph_asm_identifier(cursor, text))
        return false;
    operand->kind = strcmp(text, "zero") == 0 ? OPERAND_ZERO : OPERAND_CONSTANT;
    operand->index = operand->kind == OPERAND_ZERO ? 0 : eph_asm_constant(text);
    return operand->index >= 0 || eph_asm_fail(cursor, "unknown constant '#%s'", text);
}

static bool register_operand(struct cursor *cursor, struct operand *operand, const char *text)
{
    operand->kind = OPERAND_REGISTER;
    operand->index = eph_asm_register(cursor, text);
    if (operand->index < 0 || !eph_asm_accept(cursor, '|'))
        return operand->index >= 0;
    char other[MAX_NAME];
    operand->kind = OPERAND_PAIR;
    if (!eph_asm_identifier(cursor, other))
        return false;
    operand->other = eph_asm_register(cursor, other);
    return operand->other >= 0;
}

static bool parse_operand(struct cursor *cursor, struct operand *operand)
{
    char text[MAX_NAME];
    if (!shift_prefix(cursor, operand))
        return false;
    if (eph_asm_accept(cursor, '#'))
        return hash_operand(cursor, operand);
    if (!eph_asm_identifier(cursor, text))
        return false;
    if (at_table(cursor, text)) {
        operand->kind = OPERAND_TABLE;
        return table_index(cursor, &operand->index);
    }
    if (strcmp(text, "TX") == 0 || strcmp(text, "TY") == 0) {
        operand->kind = text[1] == 'X' ? OPERAND_TABLE_X : OPERAND_TABLE_Y;
        return eph_asm_accept(cursor, '@') || eph_asm_fail(cursor, "expected '@' after %s", text);
    }
    if (text[0] == 'F' && text[1] >= '0' && text[1] <= '2' && text[2] == 0) {
        operand->kind = OPERAND_BASE;
        operand->index = text[1] - '0';
        operand->by_sign = eph_asm_accept(cursor, '^');
        return !operand->by_sign || operand->index < 2 || eph_asm_fail(cursor, "F2 has no sign partner");
    }
    return register_operand(cursor, operand, text);
}

static bool parse_operator(struct cursor *cursor, enum eph_operator *op)
{
    static const char symbols[] = "+-?!"; // in the order of enum eph_operator
    eph_asm_skip_space(cursor);
    const char *found = *cursor->next ? strchr(symbols, *cursor->next) : NULL;
    if (!found)
        return false;
    *op = (enum eph_operator)(found - symbols);
    cursor->next++;
    return true;
}

static bool parse_sum(struct cursor *cursor, struct operand *first, enum eph_operator *op, struct operand *second)
{
    if (!eph_asm_accept(cursor, '('))
        return eph_asm_fail(cursor, "expected '(' at '%s'", cursor->next);
    if (!parse_operand(cursor, first))
        return false;
    if (parse_operator(cursor, op) && !parse_operand(cursor, second))
        return false;
    return eph_asm_accept(cursor, ')') || eph_asm_fail(cursor, "expected ')' at '%s'", cursor->next);
}

static bool parse_product(struct cursor *cursor, struct instruction *in)
{
    if (!parse_sum(cursor, &in->a, &in->opb, &in->b))
        return false;
    if (!eph_asm_accept(cursor, '*'))
        return eph_asm_fail(cursor, "expected '*' at '%s'", cursor->next);
    if (!parse_sum(cursor, &in->c, &in->opg, &in->g))
        return false;
    if (in->c.shift || in->g.shift)
        return eph_asm_fail(cursor, "shift on the right factor: only the left factor and the last term shift");
    if (parse_operator(cursor, &in->ope) && !parse_operand(cursor, &in->e))
        return false;
    return eph_asm_end_of_line(cursor);
}

// d = sqr(a, n): a squared n times. The first squaring sets the loop count of the others, so n > 2 takes two words.
static bool parse_square(struct cursor *cursor, struct instruction *first)
{
    char text[MAX_NAME];
    unsigned times = 0;
    if (!eph_asm_accept(cursor, '('))
        return eph_asm_fail(cursor, "expected '(' after sqr");
    if (!eph_asm_identifier(cursor, text) || !register_operand(cursor, &first->a, text))
        return false;
    if (!eph_asm_accept(cursor, ','))
        return eph_asm_fail(cursor, "expected ',' in sqr");
    if (!eph_asm_number(cursor, &times))
        return false;
    if (times < 1 || times > 257)
        return eph_asm_fail(cursor, "sqr takes 1 to 257 squarings");
    if (!eph_asm_accept(cursor, ')'))
        return eph_asm_fail(cursor, "expected ')' in sqr");
    first->c = first->a;
    if (!eph_asm_end_of_line(cursor) || times == 1)
        return times == 1;
    struct instruction *rest = eph_asm_append(cursor);
    if (!rest)
        return false;
    rest->text = strdup(first->text);
    rest->dst = first->dst;
    rest->a = rest->c = (struct operand){.kind = OPERAND_REGISTER, .index = first->dst};
    if (times > 2) {
        first->seq = EPH_SEQ_COUNT;
        first->count = times - 2;
        rest->seq = EPH_SEQ_LOOP;
    }
    return true;
}

// d, or d, T[n], or T[n]
static bool parse_destination(struct cursor *cursor, struct instruction *in)
{
    char text[MAX_NAME];
    if (!eph_asm_identifier(cursor, text))
        return false;
    if (at_table(cursor, text))
        return table_index(cursor, &in->tdst);
    in->dst = eph_asm_register(cursor, text);
    if (in->dst < 0)
        return false;
    cursor->program->names[in->dst].written = true;
    if (!eph_asm_accept(cursor, ','))
        return true;
    if (!eph_asm_identifier(cursor, text))
        return false;
    if (!at_table(cursor, text))
        return eph_asm_fail(cursor, "the second destination must be a table entry, not '%s'", text);
    return table_index(cursor, &in->tdst);
}

bool eph_asm_instruction(struct cursor *cursor)
{
    struct instruction *in = eph_asm_append(cursor);
    if (!in)
        return false;
    eph_asm_skip_space(cursor);
    in->text = strdup(cursor->next);
    if (!parse_destination(cursor, in))
        return false;
    if (!eph_asm_accept(cursor, '='))
        return eph_asm_fail(cursor, "expected '=' at '%s'", cursor->next);
    eph_asm_skip_space(cursor);
    if (strncmp(cursor->next, "sqr", 3) != 0)
        return parse_product(cursor, in);
    cursor->next += 3;
    if (in->dst < 0 || in->tdst >= 0)
        return eph_asm_fail(cursor, "sqr writes one register and no table entry");
    return parse_square(cursor, in);
}
