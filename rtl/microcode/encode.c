// SPDX-License-Identifier: Apache-2.0
// Completes instruction words and descriptors and places the programs one after the other in the ROM.
#include "asm.h"

static void encode_instruction(const struct program *program, struct instruction *in)
{
    static const unsigned ports[4] = {EPH_U_P0, EPH_U_P1, EPH_U_P2, EPH_U_P3};
    for (int i = 0; i < 4; i++)
        if (in->port[i] >= 0)
            eph_word_put(in->word, ports[i], (uint32_t)program->names[in->port[i]].number);
    if (in->dst >= 0) {
        eph_word_put(in->word, EPH_U_DST, (uint32_t)program->names[in->dst].number);
        eph_word_put(in->word, EPH_U_WE, 1);
    }
    if (in->tdst >= 0) {
        eph_word_put(in->word, EPH_U_TDST, (uint32_t)in->tdst);
        eph_word_put(in->word, EPH_U_TWE, 1);
    }
    eph_word_put(in->word, EPH_U_KSH, in->bias);
    eph_word_put(in->word, EPH_U_DIGIT, in->digit);
    eph_word_put(in->word, EPH_U_SEQ, in->seq);
    eph_word_put(in->word, EPH_U_COUNT, in->count);
    eph_word_put(in->word, EPH_U_DIST, in->distance);
}

static void encode_load(struct program *program, enum load_source source, unsigned load, unsigned reg)
{
    int name = program->load[source];
    if (name < 0)
        return;
    eph_word_put(program->word, load, 1);
    eph_word_put(program->word, reg, (uint32_t)program->names[name].number);
}

static void encode_descriptor(struct program *program)
{
    uint64_t *word = program->word;
    eph_word_put(word, EPH_P_VALID, 1);
    eph_word_put(word, EPH_P_FIELD, (uint32_t)program->field);
    eph_word_put(word, EPH_P_ENTRY, program->entry);
    eph_word_put(word, EPH_P_DIGITS, program->digits);
    eph_word_put(word, EPH_P_WINDOW, program->window);
    eph_word_put(word, EPH_P_WINDOWS, program->windows);
    eph_word_put(word, EPH_P_LOWEST, program->lowest);
    eph_word_put(word, EPH_P_SCALAR, program->scalar);
    eph_word_put(word, EPH_P_ROWS, program->rows);
    eph_word_put(word, EPH_P_ROM_BASE, program->rom_base);
    encode_load(program, LOAD_PEER_X, EPH_P_LOAD_X, EPH_P_REG_X);
    encode_load(program, LOAD_PEER_Y, EPH_P_LOAD_Y, EPH_P_REG_Y);
    encode_load(program, LOAD_BLIND, EPH_P_LOAD_R, EPH_P_REG_R);
    eph_word_put(word, EPH_P_MASK_X, program->mask_x);
    eph_word_put(word, EPH_P_RESULTS, program->result_count);
    eph_word_put(word, EPH_P_REGS, program->registers);
    eph_word_put(word, EPH_P_TABLE, program->table);
    eph_word_put(word, EPH_P_ZERO, program->zero);
    eph_word_put(word, EPH_P_CHECK, program->check);
}

void eph_asm_encode(struct assembly *as)
{
    unsigned entry = 0;
    for (unsigned i = 0; i < as->program_count; i++) {
        struct program *program = as->programs[i];
        if (entry + program->length > EPH_UCODE_WORDS) {
            eph_asm_error(as, program->at, "'%s' does not fit: the ROM has %d words", program->name, EPH_UCODE_WORDS);
            return;
        }
        program->entry = entry;
        entry += program->length;
        for (unsigned j = 0; j < program->length; j++)
            encode_instruction(program, &program->code[j]);
        encode_descriptor(program);
    }
}

void eph_asm_image(const struct assembly *as, uint64_t words[EPH_UCODE_WORDS][2])
{
    for (unsigned i = 0; i < EPH_UCODE_WORDS; i++) {
        words[i][0] = words[i][1] = 0;
        eph_word_put(words[i], EPH_U_SEQ, EPH_SEQ_HALT);
    }
    for (unsigned i = 0; i < as->program_count; i++)
        for (unsigned j = 0; j < as->programs[i]->length; j++) {
            words[as->programs[i]->entry + j][0] = as->programs[i]->code[j].word[0];
            words[as->programs[i]->entry + j][1] = as->programs[i]->code[j].word[1];
        }
}

unsigned eph_asm_base_words(const struct assembly *as)
{
    unsigned units = 1;
    for (unsigned i = 0; i < as->program_count; i++)
        units = as->programs[i]->rom_base + 1 > units ? as->programs[i]->rom_base + 1 : units;
    return units * EPH_BASE_WORDS;
}
