// SPDX-License-Identifier: Apache-2.0
#include "x25519.h"
#include "field51.h"

#include <isa.h>
#include <scalar.h>
#include <string.h>
#include <ucode_data.h>

enum { FIELD_BYTES = EPH_CURVE_BYTES_X25519 };

enum { A24 = 121665 }; // (A - 2) / 4, RFC 7748 section 5

static const uint64_t *find_program(enum eph_opcode opcode)
{
    for (unsigned i = 0; i < eph_ucode.program_count; i++)
        if (eph_ucode.programs[i].opcode == opcode && eph_ucode.programs[i].curve == EPH_CURVE_X25519)
            return eph_ucode.programs[i].word;
    return NULL;
}

struct ladder {
    struct eph_digits digits;
    struct eph_field51 x1, x2, z2, x3, z3, aa, bb, p, q, t;
};

// (X2:Z2) doubled, (X3:Z3) the sum of both; their difference is x1.
static void ladder_step(struct ladder *s)
{
    struct eph_field51 sum2 = eph_field51_add(&s->x2, &s->z2), difference2 = eph_field51_sub(&s->x2, &s->z2);
    s->aa = eph_field51_square(&sum2);
    s->bb = eph_field51_square(&difference2);
    s->t = eph_field51_sub(&s->x3, &s->z3);
    s->p = eph_field51_mul(&sum2, &s->t);
    s->t = eph_field51_add(&s->x3, &s->z3);
    s->q = eph_field51_mul(&difference2, &s->t);
    s->x2 = eph_field51_mul(&s->aa, &s->bb);
    s->t = eph_field51_add(&s->p, &s->q);
    s->x3 = eph_field51_square(&s->t);
    s->t = eph_field51_sub(&s->p, &s->q);
    s->t = eph_field51_square(&s->t);
    s->z3 = eph_field51_mul(&s->x1, &s->t);
    s->bb = eph_field51_sub(&s->aa, &s->bb);
    s->t = eph_field51_mul_small(&s->bb, A24);
    s->t = eph_field51_add(&s->t, &s->aa);
    s->z2 = eph_field51_mul(&s->bb, &s->t);
}

enum eph_wire_status eph_timed_x25519_derive(const struct eph_sqe *sqe, uint8_t result[232])
{
    const uint64_t *program = find_program(EPH_OP_DERIVE);
    if (program == NULL)
        return EPH_ST_BAD_CURVE;
    struct ladder s = {.x1 = eph_field51_from_bytes(sqe->peer_x), .x2 = eph_field51_from_bytes(sqe->blind)};
    s.x3 = eph_field51_mul(&s.x1, &s.x2);
    s.z3 = s.x2;
    for (eph_digits_init(&s.digits, program, sqe->scalar); s.digits.position >= 0; eph_digits_advance(&s.digits)) {
        uint64_t swap = eph_digits_current(&s.digits).sign;
        eph_field51_swap(&s.x2, &s.x3, swap);
        eph_field51_swap(&s.z2, &s.z3, swap);
        ladder_step(&s);
    } // bit 0 of a clamped scalar is 0: nothing left to swap
    s.p = eph_field51_inverse(&s.z2);
    s.q = eph_field51_mul(&s.x2, &s.p);
    const struct eph_field51 *fields[] = {&s.q, &s.z2, &s.x3, &s.z3};
    for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++)
        eph_field51_to_bytes(result + i * FIELD_BYTES, fields[i]);
    explicit_bzero(&s, sizeof s);
    uint8_t any = 0;
    for (unsigned i = 0; i < FIELD_BYTES; i++)
        any |= result[i];
    if (any != 0)
        return EPH_ST_OK;
    memset(result, 0, 4 * FIELD_BYTES);
    return EPH_ST_ZERO;
}

struct comb {
    struct eph_digits digits;
    struct eph_field51 x, y, z, t, a, b, c, sum, difference;
};

// One digit: adds or subtracts the table point with rows ((y+x)/2, (y-x)/2, dxy).
static void comb_step(struct comb *s, const uint64_t (*table)[4])
{
    struct eph_digit digit = eph_digits_current(&s->digits);
    const uint64_t(*rows)[4] = table + (digit.row * EPH_COMB_ROWS + digit.index) * 3;
    struct eph_field51 f0 = eph_field51_from_words(rows[0]), f1 = eph_field51_from_words(rows[1]),
                       f2 = eph_field51_from_words(rows[2]), plus, minus;
    eph_field51_swap(&f0, &f1, digit.sign);
    plus = eph_field51_add(&s->y, &s->x);
    minus = eph_field51_sub(&s->y, &s->x);
    s->b = eph_field51_mul(&plus, &f0);
    s->a = eph_field51_mul(&minus, &f1);
    s->c = eph_field51_mul(&s->t, &f2);
    plus = eph_field51_add(&s->z, &s->c);
    minus = eph_field51_sub(&s->z, &s->c);
    eph_field51_swap(&plus, &minus, digit.sign);
    s->sum = eph_field51_add(&s->b, &s->a);
    s->difference = eph_field51_sub(&s->b, &s->a);
    s->x = eph_field51_mul(&minus, &s->difference);
    s->y = eph_field51_mul(&plus, &s->sum);
    s->t = eph_field51_mul(&s->difference, &s->sum);
    s->z = eph_field51_mul(&minus, &plus);
}

enum eph_wire_status eph_timed_x25519_keygen(const struct eph_sqe *sqe, uint8_t result[232])
{
    const uint64_t *program = find_program(EPH_OP_KEYGEN);
    if (program == NULL || eph_word_get(program, EPH_P_ROWS) != 3)
        return EPH_ST_BAD_CURVE;
    const uint64_t(*table)[4] = eph_ucode.base + eph_word_get(program, EPH_P_ROM_BASE) * EPH_BASE_WORDS;
    struct comb s = {.y = eph_field51_from_bytes(sqe->blind)}; // the neutral element (0 : r : r : 0)
    s.z = s.y;
    for (eph_digits_init(&s.digits, program, sqe->scalar); s.digits.position >= 0; eph_digits_advance(&s.digits))
        comb_step(&s, table);
    s.sum = eph_field51_add(&s.z, &s.y);
    s.difference = eph_field51_sub(&s.z, &s.y);
    s.a = eph_field51_inverse(&s.difference);
    s.b = eph_field51_mul(&s.sum, &s.a);
    const struct eph_field51 *fields[] = {&s.b, &s.x, &s.y, &s.z, &s.t};
    for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++)
        eph_field51_to_bytes(result + i * FIELD_BYTES, fields[i]);
    explicit_bzero(&s, sizeof s);
    return EPH_ST_OK;
}
