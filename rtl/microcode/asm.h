// SPDX-License-Identifier: Apache-2.0
// eph-asm: what the passes share. A program goes parse -> steer -> allocate -> bounds -> encode -> emit; each pass
// reports what it finds and goes on where it can, and a later pass never runs on a program with errors.
#ifndef EPH_ASM_H
#define EPH_ASM_H

#include "isa.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { MAX_NAMES = 64, MAX_NAME = 24, MAX_PROGRAMS = 16, MAX_FILES = 64, MAX_LINE = 256 };

struct location {
    const char *file; // shared, lives as long as the assembly
    unsigned line;
};

enum operand_kind {
    OPERAND_NONE,
    OPERAND_ZERO,     // #zero
    OPERAND_REGISTER, // name
    OPERAND_PAIR,     // name|other: other when the ladder's swap bit is set
    OPERAND_CONSTANT, // #name
    OPERAND_BASE,     // F0 F1 F2, F0^ F1^: fixed-base row of the digit
    OPERAND_TABLE,    // T[n]
    OPERAND_TABLE_X,  // TX@: entry 2 * index of the digit
    OPERAND_TABLE_Y   // TY@: entry 2 * index + 1
};

struct operand {
    enum operand_kind kind;
    int index;      // register name, constant, table entry, word of the fixed-base row
    int other;      // OPERAND_PAIR: second register name
    unsigned shift; // left shift in bits, 0..3
    bool by_sign;   // OPERAND_BASE: F0 and F1 trade places when the digit is negative
};

// d[,T[tdst]] = (a opb b) * (c opg g) ope e
struct instruction {
    struct location at;
    char *text; // owned, for the listing
    struct operand a, b, c, g, e;
    enum eph_operator opb, opg, ope;
    int dst;  // register name, -1: none
    int tdst; // table entry, -1: none
    enum eph_sequence seq;
    unsigned count;                              // EPH_SEQ_COUNT: body runs count + 1 times
    unsigned distance;                           // EPH_SEQ_LOOP
    bool digit;                                  // advance to the next secret digit afterwards
    int port[4];                                 // register names that steering put on the read ports, -1: none
    unsigned bias;                               // KSH
    unsigned result_bits, left_bits, right_bits; // bounds pass: widest result, widest leaf operands (signed)
    uint64_t word[2];                            // encoded
};

struct name {
    char text[MAX_NAME];
    int number;   // register, -1 until allocated
    bool written; // by an instruction or the load unit
    struct location first;
};

enum load_source { LOAD_PEER_X, LOAD_PEER_Y, LOAD_BLIND, LOAD_SOURCES };

struct program {
    struct location at;
    char name[MAX_NAME];
    unsigned opcode, curve;
    int field; // enum eph_field_row, -1 until said
    enum eph_digits_kind digits;
    unsigned window, windows, lowest;
    enum eph_scalar_form scalar;
    unsigned rows, rom_base;
    int load[LOAD_SOURCES]; // register names, -1: not loaded
    bool mask_x, zero, check;
    int results[EPH_REGISTERS];
    unsigned result_count;
    struct name names[MAX_NAMES];
    unsigned name_count;
    struct instruction *code; // owned, room for EPH_UCODE_WORDS
    unsigned length;
    bool halted;
    unsigned entry, slots, live, registers, table;
    uint64_t word[2]; // descriptor
};

struct assembly {
    struct program *programs[MAX_PROGRAMS]; // owned
    unsigned program_count;
    char *files[MAX_FILES]; // owned names, for locations
    unsigned file_count;
    unsigned errors;
};

// Prints "file:line: message" to stderr and counts it.
__attribute__((format(printf, 3, 4))) void eph_asm_error(struct assembly *as, struct location at, const char *format,
                                                         ...);

// parse.c, expression.c
void eph_asm_parse(struct assembly *as, const char *path);
struct substitution { // of an .include: register name inside -> register name outside
    char inside[MAX_NAME], outside[MAX_NAME];
};
struct cursor { // reads one source line
    struct assembly *as;
    struct program *program;
    struct location at;
    const char *next;
    const struct substitution *substitutions;
    unsigned substitution_count;
};
__attribute__((format(printf, 2, 3))) bool eph_asm_fail(struct cursor *cursor, const char *format, ...); // always false
void eph_asm_skip_space(struct cursor *cursor);
bool eph_asm_accept(struct cursor *cursor, char c);
bool eph_asm_identifier(struct cursor *cursor, char text[MAX_NAME]);
bool eph_asm_number(struct cursor *cursor, unsigned *value);
bool eph_asm_end_of_line(struct cursor *cursor);
int eph_asm_register(struct cursor *cursor, const char *text); // name index, made when new; -1: error reported
bool eph_asm_instruction(struct cursor *cursor);               // one instruction or sqr(), appended to the program
struct instruction *eph_asm_append(struct cursor *cursor);     // NULL: error reported

// steer.c: operand roles to read ports, and everything of the word that needs no register number
void eph_asm_steer(struct assembly *as, struct program *program);
// registers.c: liveness and register numbers
void eph_asm_allocate(struct assembly *as, struct program *program);
// bounds.c: interval pass over the unrolled program; chooses the bias of each P-256 instruction; counts the slots
void eph_asm_bounds(struct assembly *as, struct program *program);
// encode.c: places the programs in the ROM, completes the words
void eph_asm_encode(struct assembly *as);

// emit_sv.c, emit_c.c, list.c
void eph_asm_emit_package(const struct assembly *as, FILE *out);
void eph_asm_emit_rom(const struct assembly *as, FILE *out);
void eph_asm_emit_base_rom(FILE *out);
void eph_asm_emit_c(const struct assembly *as, const char *symbol, FILE *out); // symbol: the struct eph_ucode_image
void eph_asm_list(const struct assembly *as, FILE *out);
unsigned eph_asm_base_words(const struct assembly *as); // of the fixed-base ROM, as far as programs use it
// All EPH_UCODE_WORDS words; a word that no program uses halts and writes nothing.
void eph_asm_image(const struct assembly *as, uint64_t words[EPH_UCODE_WORDS][2]);

// names of isa.def
unsigned eph_asm_opcode(const char *text); // 0: unknown
unsigned eph_asm_curve(const char *text);  // 0: unknown
int eph_asm_field(const char *text);       // -1: unknown
int eph_asm_constant(const char *text);    // -1: unknown

#endif
