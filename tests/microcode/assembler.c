// SPDX-License-Identifier: Apache-2.0
// eph-asm as a user meets it: messages for wrong sources, words for right ones, the bounds pass and its listing.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct outcome {
    int code;
    char text[16384]; // stdout and stderr
};

// Runs eph-asm --list on a source text.
static struct outcome assemble(const char *source)
{
    struct outcome outcome = {0};
    char path[] = "/tmp/eph-asm-XXXXXX", command[512];
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, source, strlen(source)), (ssize_t)strlen(source));
    close(fd);
    snprintf(command, sizeof command, "%s --list %s 2>&1", EPH_ASM, path);
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    size_t length = fread(outcome.text, 1, sizeof outcome.text - 1, pipe);
    outcome.text[length] = 0;
    outcome.code = WEXITSTATUS(pclose(pipe));
    unlink(path);
    return outcome;
}

// A program in field 2^255-19 with the given body: x and r are loaded, a and b written first, a and b are the results.
static const char head_25519[] = ".program t derive x25519\n.field f25519\n.digits ladder 1\n.scalar clamp\n"
                                 ".load x peer_x mask\n.load r blind\n.result a b\n"
                                 "a = (x) * (r)\nb = (r) * (r)\n";
enum { HEAD_LINES = 9 };
static const char head_p256[] = ".program t derive p256\n.field fp256\n.digits ladder 1\n.scalar plain\n"
                                ".load x peer_x\n.load r blind\n.result a b\n"
                                "a = (x) * (r)\nb = (r) * (r)\n";
static const char tail[] = "b = (b) * (a)\n.digit\n.halt\n";

static struct outcome assemble_body(const char *head, const char *body)
{
    char source[8192];
    snprintf(source, sizeof source, "%s%s%s", head, body, tail);
    return assemble(source);
}

Test(assembler, accepts_the_plain_program_that_the_error_tests_change)
{
    struct outcome outcome = assemble_body(head_25519, "");
    cr_assert_eq(outcome.code, 0, "%s", outcome.text);
    cr_assert_not_null(strstr(outcome.text, "t: 3 instructions at 0, 3 slots"), "%s", outcome.text);
    outcome = assemble_body(head_p256, "");
    cr_assert_eq(outcome.code, 0, "%s", outcome.text);
}

Test(assembler, names_file_line_and_reason_of_each_error)
{
    static const struct {
        const char *body;
        unsigned line; // of the body
        const char *message;
    } cases[] = {
        {"a = (q) * (b)\n", 1, "unknown register 'q': nothing writes it"},
        {"\nc = (d) * (a)\nd = (c) * (a)\n", 2, "register 'd' is read before anything writes it"},
        {"a = (T[0]) * (T[1])\n", 1, "two table or constant reads in one instruction"},
        {"a = (a + #one) * (#a24)\n", 1, "two table or constant reads in one instruction"},
        {"a = (#one + a) * (b)\n", 1, "a table or constant operand must be the second of a sum"},
        {"a = (a + 2#one) * (b)\n", 1, "shift on a table or constant operand"},
        {"a = (a) * (2b)\n", 1, "shift on the right factor"},
        {"a = (a) * (b + 4x)\n", 1, "shift on the right factor"},
        {"a = (3a) * (b)\n", 1, "factor 3: only 2, 4 and 8 are shifts"},
        {"c = (a) * (a)\nd = (a) * (b)\na = (a + b) * (c + d) + x\n", 3, "port conflict"},
        {"a = (a) * (b) + #one\n", 1, "the last term must be a register"},
        {"a = (a|b) * (b)\n", 1, "a register pair stands only in a squared sum"},
        {"a = (x) * (a|b)\n", 1, "a register pair stands only in a squared sum"},
        {"a = (a) * (#two)\n", 1, "unknown constant '#two'"},
        {"a = (a * (b)\n", 1, "expected ')' at '* (b)'"},
        {"a = a * b\n", 1, "expected '(' at 'a * b'"},
        {"a = (a) * (b) c\n", 1, "unexpected 'c'"},
        {"a (a) * (b)\n", 1, "expected '=' at '(a) * (b)'"},
        {"a, c = (a) * (b)\n", 1, "the second destination must be a table entry, not 'c'"},
        {"a, T[32] = (a) * (b)\n", 1, "table entry 32: there are 32"},
        {"a = (F2^) * (b)\n", 1, "F2 has no sign partner"},
        {"a = sqr(a, 258)\n", 1, "sqr takes 1 to 257 squarings"},
        {"T[0] = sqr(a, 4)\n", 1, "sqr writes one register and no table entry"},
        {".loop 2\na = sqr(a, 4)\n.end\n", 3, "repeated squaring inside a loop"},
        {".loop 2\na = (a) * (b)\n.loop 2\n", 3, "loop inside a loop"},
        {".loop 257\n", 1, "a loop runs 1 to 256 times"},
        {".loop 2\n.end\n", 2, "empty loop"},
        {".end\n", 1, ".end without .loop"},
        {"a = sqr(a, 9)\n.loop 2\n", 2, "a loop needs a plain instruction before it"},
        {".loop 2 twice\n", 1, "expected 'digit' or the end of the line"},
        {".loop 2\na = (a) * (b)\n", 1, ".loop without .end"},
        {".register a 5\n", 1, "'a' already has register 0"},
        {".register c 16\n", 1, "register 16: there are 16"},
        {".bogus\n", 1, "unknown directive '.bogus'"},
        {".load a peer_z\n", 1, "unknown operand 'peer_z'"},
        {".include nothing.uinc z=a\n", 1, "cannot read '/tmp/nothing.uinc'"},
        {".status maybe\n", 1, "unknown status 'maybe'"},
        {".scalar odder\n", 1, "unknown scalar preparation 'odder'"},
        {".digits odd 7 43 6\n", 1, "windows have 2 to 6 bits"},
        {".base 4 0\n", 1, "a fixed-base row has 1 to 3 words"},
        {".field f448\n", 1, "unknown field 'f448'"},
        {".program t derive x25519\n", 1, "derive x25519 already has program 't'"},
        {".program u derive x2551\n", 1, "unknown curve 'x2551'"},
        {".program u sign x25519\n", 1, "unknown operation 'sign'"},
        {".halt\n", 2, "instruction after .halt"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome outcome = assemble_body(head_25519, cases[i].body);
        char where[32];
        snprintf(where, sizeof where, ":%u: ", HEAD_LINES + cases[i].line);
        const char *found = strstr(outcome.text, cases[i].message);
        cr_assert_eq(outcome.code, 1, "%s%s", cases[i].body, outcome.text);
        cr_assert_not_null(found, "%s%s", cases[i].body, outcome.text);
        while (found > outcome.text && found[-1] != '\n') // start of that line
            found--;
        cr_assert(strncmp(found, "/tmp/eph-asm-", 13) == 0 && strstr(found, where), "%s%s", cases[i].body,
                  outcome.text);
    }
}

Test(assembler, refuses_a_loop_longer_than_its_jump)
{
    char body[8192] = ".loop 2\n";
    for (int i = 0; i < 129; i++)
        strcat(body, "a = (a) * (b)\n");
    strcat(body, ".end\n");
    struct outcome outcome = assemble_body(head_25519, body);
    cr_assert_eq(outcome.code, 1);
    cr_assert_not_null(
        strstr(outcome.text, ":140: loop too far: its end jumps back 128 instructions, the field holds 127"), "%s",
        outcome.text);
    strstr(body, ".end\n")[-1] = 0; // one instruction less
    *(strrchr(body, '\n') + 1) = 0;
    strcat(body, ".end\n");
    outcome = assemble_body(head_25519, body);
    cr_assert_eq(outcome.code, 0, "%s", outcome.text);
}

Test(assembler, refuses_seventeen_live_registers_and_accepts_sixteen)
{
    for (int count = 14; count <= 15; count++) { // beside a, b; x and r are dead by then
        char body[4096] = "";
        for (int i = 0; i < count; i++)
            sprintf(body + strlen(body), "v%d = (a) * (b)\n", i);
        for (int i = 0; i < count; i++)
            sprintf(body + strlen(body), "a = (a) * (v%d)\n", i);
        struct outcome outcome = assemble_body(head_25519, body);
        cr_assert_eq(outcome.code, count == 15, "%s", outcome.text);
        cr_assert_eq(strstr(outcome.text, "more than 16 live at once") != NULL, count == 15, "%s", outcome.text);
    }
}

Test(assembler, refuses_a_program_that_leaves_digits_of_its_scalar)
{
    struct outcome outcome = assemble_body(head_25519, ".digit\n");
    cr_assert_eq(outcome.code, 1);
    cr_assert_not_null(strstr(outcome.text, "'t' advances 2 digits, its scalar has 1"), "%s", outcome.text);
}

// In field 2^255-19 masked operands and the shifts that exist can not leave the format; an operand of 256 bits can.
Test(assembler, proves_bounds_and_catches_a_forgotten_mask)
{
    static const char body[] = "a = (8a + 8b) * (a + b)\na = (8b - 8x) * (x + x) - 8x\na = (a ? b) * (a ! b)\n";
    char source[4096], *mask;
    snprintf(source, sizeof source, "%s%s%s", head_25519, body, tail);
    struct outcome outcome = assemble(source);
    cr_assert_eq(outcome.code, 0, "%s", outcome.text);
    mask = strstr(source, "mask");
    memset(mask, ' ', 4);
    outcome = assemble(source);
    cr_assert_eq(outcome.code, 1, "%s", outcome.text);
    cr_assert_not_null(strstr(outcome.text, ":11: bounds: result may be negative"), "%s", outcome.text);
}

// In field P-256 the pass picks the smallest bias 2^j * p, and gives up when 32p is not enough.
Test(assembler, fits_the_bias_of_p256_and_catches_planted_violations)
{
    static const struct {
        const char *term;
        const char *columns; // bias, bits of the result
    } fits[] = {{"+ c", "     1  259 "},
                {"- c", "     4  259 "},
                {"- 2c", "     8  259 "},
                {"- 4c", "    16  260 "},
                {"? 4c", "    16  261 "}};
    for (size_t i = 0; i < sizeof fits / sizeof *fits; i++) {
        char body[256];
        snprintf(body, sizeof body, "c = (a) * (b)\na = (a) * (b) %s\na = (a) * (#R1)\n", fits[i].term);
        struct outcome outcome = assemble_body(head_p256, body);
        cr_assert_eq(outcome.code, 0, "%s", outcome.text);
        cr_assert_not_null(strstr(outcome.text, fits[i].columns), "%s: %s", fits[i].columns, outcome.text);
    }
    struct outcome outcome = assemble_body(head_p256, "a = (a) * (b) - 8x\na = (b) * (b) - 8a\n");
    cr_assert_eq(outcome.code, 1, "%s", outcome.text);
    cr_assert_not_null(strstr(outcome.text, ":11: bounds: result may be negative even with a bias of 32p"), "%s",
                       outcome.text);
    outcome = assemble_body(head_p256, "a = (a) * (b) + 8x\na = (b) * (b) + 8a\n");
    cr_assert_eq(outcome.code, 1, "%s", outcome.text);
    cr_assert_not_null(strstr(outcome.text, ":11: bounds: result may take 263 bits, a P-256 value has 261"), "%s",
                       outcome.text);
}

Test(assembler, refuses_results_that_the_unload_unit_cannot_reduce)
{
    static const char source[] =
        ".program t derive p256\n.field fp256\n.digits ladder 1\n.scalar plain\n.load x peer_x\n"
        ".result a\na = (x) * (x) + 8x\n.digit\n.halt\n";
    struct outcome outcome = assemble(source);
    cr_assert_eq(outcome.code, 1);
    cr_assert_not_null(strstr(outcome.text, "bounds: result 'a' may exceed 4p at unload"), "%s", outcome.text);
}

Test(assembler, lists_ports_bias_and_bounds_of_the_shipped_programs)
{
    char command[512], line[512];
    int ladder = 0, derive = 0, keygen = 0;
    snprintf(command, sizeof command, "%s --list %s/x25519_derive.uasm %s/x25519_keygen.uasm", EPH_ASM,
             EPH_MICROCODE_DIR, EPH_MICROCODE_DIR);
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    while (fgets(line, sizeof line, pipe)) {
        ladder += strstr(line, "AA = (X2|X3 + Z2|Z3)") != NULL;
        derive += strstr(line, "x25519_derive: 46 instructions at 0, 2820 slots, at most 8 registers live") != NULL;
        keygen += strstr(line, "x25519_keygen: 44 instructions at 46, 572 slots, at most 8 registers live") != NULL;
    }
    cr_assert_eq(pclose(pipe), 0);
    cr_assert(ladder == 1 && derive == 1 && keygen == 1);
}
