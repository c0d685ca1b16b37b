// SPDX-License-Identifier: Apache-2.0
// eph-asm --list: each instruction with its address, destination and read ports, bias, bounds and source.
#include "asm.h"

static void list_ports(const struct program *program, const struct instruction *in, FILE *out)
{
    for (int i = 0; i < 4; i++)
        if (in->port[i] >= 0)
            fprintf(out, "%4d", program->names[in->port[i]].number);
        else
            fputs("   .", out);
    uint32_t rom = eph_word_get(in->word, EPH_U_ROM), tb = eph_word_get(in->word, EPH_U_TB),
             tg = eph_word_get(in->word, EPH_U_TG);
    static const char *const rom_names[] = {"F0", "F1", "F2", "#", "F0^", "F1^"};
    static const char *const table_names[] = {"T", "?", "TX@", "TY@"};
    if (tb == EPH_TB_ROM || tg == EPH_TG_ROM)
        fprintf(out, "  %-4s", rom_names[rom]);
    else if (tb == EPH_TB_TABLE || tg == EPH_TG_TABLE)
        fprintf(out, "  %-4s", table_names[eph_word_get(in->word, EPH_U_TMODE)]);
    else
        fputs("  .   ", out);
}

static void list_sequence(const struct instruction *in, unsigned address, FILE *out)
{
    if (in->seq == EPH_SEQ_COUNT)
        fprintf(out, "  ; count %u", in->count);
    if (in->seq == EPH_SEQ_LOOP)
        fprintf(out, "  ; loop to %u", address - in->distance);
    if (in->digit)
        fputs("  ; next digit", out);
    if (in->seq == EPH_SEQ_HALT)
        fputs("  ; halt", out);
}

static void list_program(const struct program *program, FILE *out)
{
    fprintf(out, "%s: %u instructions at %u, %u slots, at most %u registers live, %u used, %u table entries\n",
            program->name, program->length, program->entry, program->slots, program->live, program->registers,
            program->table);
    fputs("registers:", out);
    for (unsigned n = 0; n < program->name_count; n++)
        fprintf(out, " %s=%d", program->names[n].text, program->names[n].number);
    fputs("\naddr   d  P0  P1  P2  P3  table  K  bits of result, left leaf, right leaf\n", out);
    for (unsigned i = 0; i < program->length; i++) {
        const struct instruction *in = &program->code[i];
        fprintf(out, "%4u", program->entry + i);
        if (in->dst >= 0)
            fprintf(out, "%4d", program->names[in->dst].number);
        else
            fputs("   .", out);
        list_ports(program, in, out);
        unsigned bias = program->field == EPH_FIELD_F25519 ? 1u << 10 : 1u << in->bias;
        fprintf(out, " %5u  %3u %2u %2u  %s", bias, in->result_bits, in->left_bits, in->right_bits, in->text);
        list_sequence(in, program->entry + i, out);
        fputc('\n', out);
    }
    fputc('\n', out);
}

void eph_asm_list(const struct assembly *as, FILE *out)
{
    for (unsigned i = 0; i < as->program_count; i++)
        list_program(as->programs[i], out);
}
