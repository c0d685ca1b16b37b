// SPDX-License-Identifier: Apache-2.0
// Source files and directives: README.md lists them.
#include "asm.h"
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

struct open_loop { // at most one: the sequencer has one counter
    bool open;
    struct location at;
    unsigned start, times;
    bool digit;
};

struct parser {
    struct cursor cursor;
    struct open_loop *loop;
    unsigned depth; // of .include
};

static void parse_file(struct parser *outer, const char *path, const struct substitution *list, unsigned count);

static bool directive_program(struct parser *parser)
{
    struct cursor *cursor = &parser->cursor;
    struct assembly *as = cursor->as;
    char name[MAX_NAME], op[MAX_NAME], curve[MAX_NAME];
    if (!eph_asm_identifier(cursor, name) || !eph_asm_identifier(cursor, op) || !eph_asm_identifier(cursor, curve))
        return false;
    if (as->program_count == MAX_PROGRAMS)
        return eph_asm_fail(cursor, "more than %d programs", MAX_PROGRAMS);
    struct program *program = calloc(1, sizeof *program);
    struct instruction *code = calloc(EPH_UCODE_WORDS, sizeof *code);
    if (!program || !code) {
        free(program);
        free(code);
        return eph_asm_fail(cursor, "out of memory");
    }
    *program = (struct program){.at = cursor->at, .field = -1, .load = {-1, -1, -1}, .code = code};
    strcpy(program->name, name);
    program->opcode = eph_asm_opcode(op);
    program->curve = eph_asm_curve(curve);
    as->programs[as->program_count++] = program;
    cursor->program = program;
    if (!program->opcode)
        return eph_asm_fail(cursor, "unknown operation '%s'", op);
    if (!program->curve)
        return eph_asm_fail(cursor, "unknown curve '%s'", curve);
    for (unsigned i = 0; i + 1 < as->program_count; i++)
        if (as->programs[i]->opcode == program->opcode && as->programs[i]->curve == program->curve)
            return eph_asm_fail(cursor, "%s %s already has program '%s'", op, curve, as->programs[i]->name);
    return true;
}

static bool directive_field(struct parser *parser)
{
    char text[MAX_NAME];
    if (!eph_asm_identifier(&parser->cursor, text))
        return false;
    parser->cursor.program->field = eph_asm_field(text);
    return parser->cursor.program->field >= 0 || eph_asm_fail(&parser->cursor, "unknown field '%s'", text);
}

static bool directive_digits(struct parser *parser)
{
    struct cursor *cursor = &parser->cursor;
    struct program *program = cursor->program;
    char text[MAX_NAME];
    if (!eph_asm_identifier(cursor, text))
        return false;
    if (strcmp(text, "ladder") == 0) {
        program->digits = EPH_DIGITS_LADDER;
        program->window = program->lowest = 1;
        return eph_asm_number(cursor, &program->windows);
    }
    if (strcmp(text, "odd") != 0)
        return eph_asm_fail(cursor, "unknown digits '%s': ladder or odd", text);
    program->digits = EPH_DIGITS_ODD;
    if (!eph_asm_number(cursor, &program->window) || !eph_asm_number(cursor, &program->windows) ||
        !eph_asm_number(cursor, &program->lowest))
        return false;
    if (program->window < 2 || program->window > 6 || program->lowest < 1 || program->lowest > program->window)
        return eph_asm_fail(cursor, "windows have 2 to 6 bits and the lowest is not wider");
    return true;
}

static bool directive_scalar(struct parser *parser)
{
    static const char *const names[] = {"plain", "clamp", "comb25519", "odd"}; // in the order of enum eph_scalar_form
    char text[MAX_NAME];
    if (!eph_asm_identifier(&parser->cursor, text))
        return false;
    for (unsigned i = 0; i < 4; i++)
        if (strcmp(text, names[i]) == 0) {
            parser->cursor.program->scalar = (enum eph_scalar_form)i;
            return true;
        }
    return eph_asm_fail(&parser->cursor, "unknown scalar preparation '%s': plain, clamp, comb25519 or odd", text);
}

static bool directive_base(struct parser *parser)
{
    struct cursor *cursor = &parser->cursor;
    if (!eph_asm_number(cursor, &cursor->program->rows) || !eph_asm_number(cursor, &cursor->program->rom_base))
        return false;
    if (cursor->program->rows < 1 || cursor->program->rows > 3 || cursor->program->rom_base > 1)
        return eph_asm_fail(cursor, "a fixed-base row has 1 to 3 words, its table starts at unit 0 or 1");
    return true;
}

static bool directive_load(struct parser *parser)
{
    static const char *const sources[] = {"peer_x", "peer_y", "blind"}; // in the order of enum load_source
    struct cursor *cursor = &parser->cursor;
    char text[MAX_NAME];
    if (!eph_asm_identifier(cursor, text))
        return false;
    int name = eph_asm_register(cursor, text);
    if (name < 0 || !eph_asm_identifier(cursor, text))
        return false;
    unsigned source = 0;
    while (source < LOAD_SOURCES && strcmp(text, sources[source]) != 0)
        source++;
    if (source == LOAD_SOURCES)
        return eph_asm_fail(cursor, "unknown operand '%s': peer_x, peer_y or blind", text);
    cursor->program->names[name].written = true;
    cursor->program->load[source] = name;
    eph_asm_skip_space(cursor);
    if (*cursor->next == 0)
        return true;
    if (!eph_asm_identifier(cursor, text))
        return false;
    if (strcmp(text, "mask") != 0 || source != LOAD_PEER_X)
        return eph_asm_fail(cursor, "only peer_x can be followed by mask");
    cursor->program->mask_x = true;
    return true;
}

static bool directive_result(struct parser *parser)
{
    struct cursor *cursor = &parser->cursor;
    struct program *program = cursor->program;
    for (;;) {
        char text[MAX_NAME];
        eph_asm_skip_space(cursor);
        if (*cursor->next == 0)
            return true;
        if (!eph_asm_identifier(cursor, text))
            return false;
        int name = eph_asm_register(cursor, text);
        if (name < 0)
            return false;
        if (program->result_count == EPH_REGISTERS)
            return eph_asm_fail(cursor, "more than %d results", EPH_REGISTERS);
        if (program->names[name].number >= 0)
            return eph_asm_fail(cursor, "'%s' already has register %d", text, program->names[name].number);
        program->names[name].number = (int)program->result_count;
        program->results[program->result_count++] = name;
    }
}

static bool directive_register(struct parser *parser)
{
    struct cursor *cursor = &parser->cursor;
    char text[MAX_NAME];
    unsigned number;
    if (!eph_asm_identifier(cursor, text) || !eph_asm_number(cursor, &number))
        return false;
    if (number >= EPH_REGISTERS)
        return eph_asm_fail(cursor, "register %u: there are %d", number, EPH_REGISTERS);
    int name = eph_asm_register(cursor, text);
    if (name < 0)
        return false;
    if (cursor->program->names[name].number >= 0)
        return eph_asm_fail(cursor, "'%s' already has register %d", text, cursor->program->names[name].number);
    cursor->program->names[name].number = (int)number;
    return true;
}

static bool directive_status(struct parser *parser)
{
    char text[MAX_NAME];
    if (!eph_asm_identifier(&parser->cursor, text))
        return false;
    if (strcmp(text, "zero") == 0)
        return parser->cursor.program->zero = true;
    if (strcmp(text, "check") == 0)
        return parser->cursor.program->check = true;
    return eph_asm_fail(&parser->cursor, "unknown status '%s': zero or check", text);
}

static bool directive_loop(struct parser *parser)
{
    struct cursor *cursor = &parser->cursor;
    struct program *program = cursor->program;
    struct open_loop *loop = parser->loop;
    unsigned times;
    char text[MAX_NAME];
    if (!eph_asm_number(cursor, &times))
        return false;
    if (loop->open)
        return eph_asm_fail(cursor, "loop inside a loop: the sequencer has one counter");
    if (times < 1 || times > 256)
        return eph_asm_fail(cursor, "a loop runs 1 to 256 times");
    if (program->length == 0 || program->code[program->length - 1].seq != EPH_SEQ_NEXT)
        return eph_asm_fail(cursor, "a loop needs a plain instruction before it, which sets its count");
    *loop = (struct open_loop){.open = true, .at = cursor->at, .start = program->length, .times = times};
    eph_asm_skip_space(cursor);
    if (*cursor->next == 0)
        return true;
    loop->digit = eph_asm_identifier(cursor, text) && strcmp(text, "digit") == 0;
    return loop->digit || eph_asm_fail(cursor, "expected 'digit' or the end of the line");
}

static bool directive_end(struct parser *parser)
{
    struct cursor *cursor = &parser->cursor;
    struct program *program = cursor->program;
    struct open_loop *loop = parser->loop;
    if (!loop->open)
        return eph_asm_fail(cursor, ".end without .loop");
    loop->open = false;
    if (program->length == loop->start)
        return eph_asm_fail(cursor, "empty loop");
    struct instruction *last = &program->code[program->length - 1], *before = &program->code[loop->start - 1];
    unsigned distance = program->length - 1 - loop->start;
    if (distance > 127)
        return eph_asm_fail(cursor, "loop too far: its end jumps back %u instructions, the field holds 127", distance);
    for (unsigned i = loop->start; i < program->length; i++)
        if (program->code[i].seq != EPH_SEQ_NEXT)
            return eph_asm_fail(cursor, "repeated squaring inside a loop: the sequencer has one counter");
    last->digit = loop->digit;
    if (loop->times > 1) {
        before->seq = EPH_SEQ_COUNT;
        before->count = loop->times - 1;
        last->seq = EPH_SEQ_LOOP;
        last->distance = distance;
    }
    return true;
}

static bool directive_digit(struct parser *parser)
{
    struct program *program = parser->cursor.program;
    if (program->length == 0)
        return eph_asm_fail(&parser->cursor, ".digit needs an instruction before it");
    return program->code[program->length - 1].digit = true;
}

static bool directive_halt(struct parser *parser)
{
    struct program *program = parser->cursor.program;
    if (parser->loop->open)
        return eph_asm_fail(&parser->cursor, ".halt inside a loop");
    if (program->length == 0 || program->code[program->length - 1].seq != EPH_SEQ_NEXT)
        return eph_asm_fail(&parser->cursor, ".halt needs a plain instruction before it");
    program->code[program->length - 1].seq = EPH_SEQ_HALT;
    return program->halted = true;
}

static bool directive_include(struct parser *parser)
{
    struct cursor *cursor = &parser->cursor;
    struct substitution list[8];
    unsigned count = 0;
    char path[1024], *copy;
    eph_asm_skip_space(cursor);
    size_t length = strcspn(cursor->next, " \t");
    if (parser->depth > 3)
        return eph_asm_fail(cursor, ".include too deep");
    copy = strdup(cursor->at.file);
    int written = copy ? snprintf(path, sizeof path, "%s/%.*s", dirname(copy), (int)length, cursor->next) : -1;
    free(copy);
    if (written < 0 || (size_t)written >= sizeof path)
        return eph_asm_fail(cursor, "path too long");
    cursor->next += length;
    for (eph_asm_skip_space(cursor); *cursor->next; eph_asm_skip_space(cursor)) {
        if (count == 8)
            return eph_asm_fail(cursor, "more than 8 substitutions");
        if (!eph_asm_identifier(cursor, list[count].inside))
            return false;
        if (!eph_asm_accept(cursor, '='))
            return eph_asm_fail(cursor, "expected '=' after '%s'", list[count].inside);
        if (!eph_asm_identifier(cursor, list[count].outside))
            return false;
        count++;
    }
    parse_file(parser, path, list, count);
    return true;
}

static const struct directive {
    const char *name;
    bool (*parse)(struct parser *parser);
} directives[] = {
    {"program", directive_program}, {"field", directive_field},       {"digits", directive_digits},
    {"scalar", directive_scalar},   {"base", directive_base},         {"load", directive_load},
    {"result", directive_result},   {"register", directive_register}, {"status", directive_status},
    {"loop", directive_loop},       {"end", directive_end},           {"digit", directive_digit},
    {"halt", directive_halt},       {"include", directive_include},
};

static bool parse_line(struct parser *parser)
{
    struct cursor *cursor = &parser->cursor;
    char text[MAX_NAME];
    eph_asm_skip_space(cursor);
    if (*cursor->next == 0)
        return true;
    if (!eph_asm_accept(cursor, '.')) {
        if (!cursor->program)
            return eph_asm_fail(cursor, "instruction before .program");
        return eph_asm_instruction(cursor);
    }
    if (!eph_asm_identifier(cursor, text))
        return false;
    for (size_t i = 0; i < sizeof directives / sizeof *directives; i++)
        if (strcmp(text, directives[i].name) == 0) {
            if (!cursor->program && directives[i].parse != directive_program)
                return eph_asm_fail(cursor, ".%s before .program", text);
            return directives[i].parse(parser) && eph_asm_end_of_line(cursor);
        }
    return eph_asm_fail(cursor, "unknown directive '.%s'", text);
}

// Reads one file with its own cursor; program and loop are the caller's.
static void parse_file(struct parser *outer, const char *path, const struct substitution *list, unsigned count)
{
    struct assembly *as = outer->cursor.as;
    struct parser parser = *outer;
    parser.depth++;
    parser.cursor.substitutions = list;
    parser.cursor.substitution_count = count;
    char *kept = as->file_count < MAX_FILES ? strdup(path) : NULL;
    FILE *file = kept ? fopen(path, "r") : NULL;
    if (kept)
        as->files[as->file_count++] = kept;
    if (!file) {
        struct location at = parser.depth > 1 ? outer->cursor.at : (struct location){path, 0};
        eph_asm_error(as, at, "cannot read '%s'", path);
        return;
    }
    char line[MAX_LINE];
    for (unsigned number = 1; fgets(line, sizeof line, file); number++) {
        parser.cursor.at = (struct location){kept, number};
        if (!strchr(line, '\n') && !feof(file))
            eph_asm_error(as, parser.cursor.at, "line longer than %d characters", MAX_LINE - 2);
        line[strcspn(line, ";\r\n")] = 0;
        size_t length = strlen(line);
        while (length && (line[length - 1] == ' ' || line[length - 1] == '\t'))
            line[--length] = 0;
        parser.cursor.next = line;
        parse_line(&parser);
    }
    fclose(file);
    outer->cursor.program = parser.cursor.program;
}

static void check_program(struct assembly *as, const struct program *program)
{
    if (program->field < 0)
        eph_asm_error(as, program->at, "'%s' has no .field", program->name);
    if (!program->windows)
        eph_asm_error(as, program->at, "'%s' has no .digits", program->name);
    if (!program->result_count)
        eph_asm_error(as, program->at, "'%s' has no .result", program->name);
    if (!program->halted)
        eph_asm_error(as, program->at, "'%s' has no .halt", program->name);
    for (unsigned i = 0; i < program->name_count; i++)
        if (!program->names[i].written)
            eph_asm_error(as, program->names[i].first, "unknown register '%s': nothing writes it",
                          program->names[i].text);
}

void eph_asm_parse(struct assembly *as, const char *path)
{
    struct open_loop loop = {0};
    struct parser parser = {.cursor = {.as = as}, .loop = &loop};
    unsigned first = as->program_count;
    parse_file(&parser, path, NULL, 0);
    if (loop.open)
        eph_asm_error(as, loop.at, ".loop without .end");
    for (unsigned i = first; i < as->program_count; i++)
        check_program(as, as->programs[i]);
}
