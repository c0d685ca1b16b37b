// SPDX-License-Identifier: Apache-2.0
// Errors, tokens of one source line, and the names of isa.def.
#include "asm.h"
#include <ctype.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

static void report(struct assembly *as, struct location at, const char *format, va_list arguments)
{
    fprintf(stderr, "%s:%u: ", at.file, at.line);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    as->errors++;
}

void eph_asm_error(struct assembly *as, struct location at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(as, at, format, arguments);
    va_end(arguments);
}

bool eph_asm_fail(struct cursor *cursor, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(cursor->as, cursor->at, format, arguments);
    va_end(arguments);
    return false;
}

void eph_asm_skip_space(struct cursor *cursor)
{
    while (*cursor->next == ' ' || *cursor->next == '\t')
        cursor->next++;
}

bool eph_asm_accept(struct cursor *cursor, char c)
{
    eph_asm_skip_space(cursor);
    if (*cursor->next != c)
        return false;
    cursor->next++;
    return true;
}

bool eph_asm_identifier(struct cursor *cursor, char text[MAX_NAME])
{
    eph_asm_skip_space(cursor);
    size_t length = 0;
    const char *start = cursor->next;
    if (!isalpha((unsigned char)*start) && *start != '_')
        return eph_asm_fail(cursor, "expected a name at '%s'", start);
    while (isalnum((unsigned char)start[length]) || start[length] == '_')
        length++;
    if (length >= MAX_NAME)
        return eph_asm_fail(cursor, "name longer than %d characters", MAX_NAME - 1);
    memcpy(text, start, length);
    text[length] = 0;
    cursor->next += length;
    return true;
}

bool eph_asm_number(struct cursor *cursor, unsigned *value)
{
    eph_asm_skip_space(cursor);
    if (!isdigit((unsigned char)*cursor->next))
        return eph_asm_fail(cursor, "expected a number at '%s'", cursor->next);
    *value = 0;
    while (isdigit((unsigned char)*cursor->next)) {
        *value = *value * 10 + (unsigned)(*cursor->next++ - '0');
        if (*value > 100000)
            return eph_asm_fail(cursor, "number too large");
    }
    return true;
}

bool eph_asm_end_of_line(struct cursor *cursor)
{
    eph_asm_skip_space(cursor);
    return *cursor->next == 0 || eph_asm_fail(cursor, "unexpected '%s'", cursor->next);
}

int eph_asm_register(struct cursor *cursor, const char *text)
{
    struct program *program = cursor->program;
    for (unsigned i = 0; i < cursor->substitution_count; i++)
        if (strcmp(text, cursor->substitutions[i].inside) == 0) {
            text = cursor->substitutions[i].outside;
            break;
        }
    for (unsigned i = 0; i < program->name_count; i++)
        if (strcmp(program->names[i].text, text) == 0)
            return (int)i;
    if (program->name_count == MAX_NAMES) {
        eph_asm_fail(cursor, "more than %d register names", MAX_NAMES);
        return -1;
    }
    struct name *name = &program->names[program->name_count];
    *name = (struct name){.number = -1, .first = cursor->at};
    strcpy(name->text, text);
    return (int)program->name_count++;
}

unsigned eph_asm_opcode(const char *text)
{
#define EPH_OPCODE(name, value, label)                                                                                 \
    if (strcmp(text, label) == 0)                                                                                      \
        return value;
#include "isa.def"
    return 0;
}

unsigned eph_asm_curve(const char *text)
{
#define EPH_CURVE(name, value, bytes, label)                                                                           \
    if (strcmp(text, label) == 0)                                                                                      \
        return value;
#include "isa.def"
    return 0;
}

int eph_asm_field(const char *text)
{
#define EPH_FIELD(name, row, pieces, beats, prime, radix, rounds)                                                      \
    if (strcasecmp(text, #name) == 0)                                                                                  \
        return row;
#include "isa.def"
    return -1;
}

int eph_asm_constant(const char *text)
{
#define EPH_CONST(name, index, value)                                                                                  \
    if (strcmp(text, #name) == 0)                                                                                      \
        return index;
#include "isa.def"
    return -1;
}
