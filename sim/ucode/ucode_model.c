// SPDX-License-Identifier: Apache-2.0
#include "ucode_model.h"
#include "datapath.h"
#include "record.h"
#include "scalar.h"
#include <string.h>

struct machine { // all of it secret but image, program and count
    const struct eph_ucode_image *image;
    const uint64_t *program;
    struct eph_digits digits;
    struct eph_digit digit;
    struct eph_record record;
    struct eph_value registers[EPH_REGISTERS];
    struct eph_value table[EPH_TABLE_ENTRIES];
    unsigned count; // of the loop
};

static uint32_t get(const uint64_t *word, unsigned field)
{
    return eph_word_get(word, field);
}

static void wipe(void *memory, size_t bytes)
{
    volatile uint8_t *p = memory;
    while (bytes--)
        *p++ = 0;
}

static struct eph_value load_value(const uint8_t bytes[32])
{
    struct eph_value value = {{0}};
    for (int i = 31; i >= 0; i--)
        value.limb[i / 8] = value.limb[i / 8] << 8 | bytes[i];
    return value;
}

static void store_value(uint8_t bytes[32], const struct eph_value *value)
{
    for (int i = 0; i < 32; i++)
        bytes[i] = (uint8_t)(value->limb[i / 8] >> (i % 8 * 8));
}

// Load turns: X, Y, R. Returns their number.
static unsigned load_operands(struct machine *m, const struct eph_sqe *sqe)
{
    unsigned turns = 0;
    if (get(m->program, EPH_P_LOAD_X)) {
        struct eph_value *x = &m->registers[get(m->program, EPH_P_REG_X)];
        *x = load_value(sqe->peer_x);
        if (get(m->program, EPH_P_MASK_X))
            x->limb[3] &= UINT64_MAX >> 1;
        turns++;
    }
    if (get(m->program, EPH_P_LOAD_Y)) {
        m->registers[get(m->program, EPH_P_REG_Y)] = load_value(sqe->peer_y);
        turns++;
    }
    if (get(m->program, EPH_P_LOAD_R)) {
        struct eph_value *r = &m->registers[get(m->program, EPH_P_REG_R)];
        *r = load_value(sqe->blind);
        r->limb[3] &= UINT64_MAX >> 1;
        turns++;
    }
    return turns;
}

static struct eph_value read_rom(const struct machine *m, const uint64_t word[2])
{
    uint32_t kind = get(word, EPH_U_ROM), address = EPH_BASE_CONSTANTS + get(word, EPH_U_TSRC);
    if (kind != EPH_ROM_CONSTANT) {
        uint32_t column = kind == EPH_ROM_F0_SIGN   ? (uint32_t)m->digit.sign
                          : kind == EPH_ROM_F1_SIGN ? 1 ^ (uint32_t)m->digit.sign
                                                    : kind;
        address = get(m->program, EPH_P_ROM_BASE) * EPH_BASE_WORDS + column +
                  (m->digit.row * EPH_COMB_ROWS + m->digit.index) * get(m->program, EPH_P_ROWS);
    }
    const uint64_t *limbs = m->image->base[address];
    return (struct eph_value){{limbs[0], limbs[1], limbs[2], limbs[3]}};
}

static struct eph_value read_table(const struct machine *m, const uint64_t word[2])
{
    uint32_t mode = get(word, EPH_U_TMODE), entry = get(word, EPH_U_TSRC);
    if (mode != EPH_TMODE_ENTRY)
        entry = (2 * m->digit.index + (mode == EPH_TMODE_Y)) % EPH_TABLE_ENTRIES;
    return m->table[entry];
}

// 1 when the operator subtracts.
static uint64_t negates(const struct machine *m, uint32_t op)
{
    return op < EPH_OPERATOR_SIGN ? op : m->digit.sign ^ (op == EPH_OPERATOR_INVERSE);
}

// Operands to factors X, Y and last term E.
static void select_operands(const struct machine *m, const uint64_t word[2], struct eph_value *x, struct eph_value *y,
                            struct eph_value *e)
{
    const struct eph_value zero = {{0}}, *r = m->registers;
    struct eph_value a = get(word, EPH_U_ZA) ? zero : r[get(word, EPH_U_P0)];
    struct eph_value b = get(word, EPH_U_ZB) ? zero : r[get(word, EPH_U_P1)];
    struct eph_value c = get(word, EPH_U_ZC) ? zero : r[get(word, EPH_U_P2)], g = zero;
    uint32_t tb = get(word, EPH_U_TB), tg = get(word, EPH_U_TG);
    if (tb != EPH_TB_NONE)
        b = tb == EPH_TB_TABLE ? read_table(m, word) : read_rom(m, word);
    if (tg == EPH_TG_PORT)
        g = r[get(word, EPH_U_P3)];
    else if (tg != EPH_TG_ZERO)
        g = tg == EPH_TG_TABLE ? read_table(m, word) : read_rom(m, word);
    *x = eph_value_combine(a, get(word, EPH_U_SHA), b, get(word, EPH_U_SHB), negates(m, get(word, EPH_U_OPB)));
    *y = eph_value_combine(c, 0, g, 0, negates(m, get(word, EPH_U_OPG)));
    if (get(word, EPH_U_XCH) == EPH_XCH_SQUARE)
        *y = *x;
    if (get(word, EPH_U_XCH) == EPH_XCH_LADDER)
        *x = *y = eph_value_select(*x, *y, m->digit.sign);
    struct eph_value last = r[get(word, get(word, EPH_U_ESEL) ? EPH_U_P3 : EPH_U_P1)];
    *e = eph_value_combine(zero, 0, get(word, EPH_U_ZE) ? zero : last, get(word, EPH_U_SHE),
                           negates(m, get(word, EPH_U_OPE)));
}

static void execute_word(struct machine *m, const uint64_t word[2])
{
    struct eph_value x, y, e, result;
    select_operands(m, word, &x, &y, &e);
    if (get(m->program, EPH_P_FIELD) == EPH_FIELD_F25519)
        result = eph_fma_25519(x, y, e);
    else
        result = eph_fma_p256(x, y, e, get(word, EPH_U_KSH));
    if (get(word, EPH_U_WE))
        m->registers[get(word, EPH_U_DST)] = result;
    if (get(word, EPH_U_TWE))
        m->table[get(word, EPH_U_TDST)] = result;
    if (get(word, EPH_U_DIGIT)) {
        eph_record_digit(&m->record, &m->digits, &m->digit);
        eph_digits_advance(&m->digits);
        m->digit = eph_digits_current(&m->digits);
    }
}

// Runs the program to its halt; returns the turns.
static unsigned run(struct machine *m)
{
    unsigned turns = 0;
    for (unsigned pc = get(m->program, EPH_P_ENTRY);; turns++) {
        const uint64_t *word = m->image->rom[pc % EPH_UCODE_WORDS];
        execute_word(m, word);
        uint32_t seq = get(word, EPH_U_SEQ);
        if (seq == EPH_SEQ_HALT) {
            eph_record_parity(&m->record, &m->digit);
            return turns + 1;
        }
        if (seq == EPH_SEQ_COUNT)
            m->count = get(word, EPH_U_COUNT);
        if (seq == EPH_SEQ_LOOP && m->count != 0) {
            m->count--;
            pc -= get(word, EPH_U_DIST);
        } else {
            pc++;
        }
    }
}

// Canonical results into the completion; the status that they give.
static enum eph_wire_status unload(struct machine *m, struct eph_cqe *cqe)
{
    enum eph_wire_status status = EPH_ST_OK;
    uint32_t results = get(m->program, EPH_P_RESULTS), check = get(m->program, EPH_P_CHECK);
    for (uint32_t i = 0; i < results; i++) {
        bool check_row = check && i + 1 == results;
        uint64_t is_zero = eph_value_canonical(&m->registers[i], get(m->program, EPH_P_FIELD));
        if (i == 0 && get(m->program, EPH_P_ZERO) && is_zero)
            status = EPH_ST_ZERO;
        if (check_row && !is_zero)
            status = EPH_ST_BAD_POINT;
        if (!check_row)
            store_value(cqe->result + 32 * i, &m->registers[i]);
    }
    if (eph_record_fault(&m->record))
        status = EPH_ST_CHECK;
    if (status != EPH_ST_OK)
        wipe(cqe->result, sizeof cqe->result);
    return status;
}

static unsigned unload_and_wipe_turns(const uint64_t *program)
{
    uint32_t results = get(program, EPH_P_RESULTS), table = get(program, EPH_P_TABLE);
    uint32_t temporaries = get(program, EPH_P_REGS) - results;
    return results + (temporaries > table ? temporaries : table);
}

static const uint64_t *find_program(const struct eph_ucode_image *image, uint8_t opcode, uint8_t curve)
{
    for (unsigned i = 0; i < image->program_count; i++)
        if (image->programs[i].opcode == opcode && image->programs[i].curve == curve)
            return image->programs[i].word;
    return NULL;
}

static bool known_opcode(uint8_t opcode)
{
#define EPH_OPCODE(name, value, text)                                                                                  \
    if (opcode == value)                                                                                               \
        return true;
#include <isa.def>
    return false;
}

void eph_model_execute_image(const struct eph_ucode_image *image, uint32_t contexts, const struct eph_sqe *sqe,
                             struct eph_cqe *cqe)
{
    struct machine m = {.image = image, .program = find_program(image, sqe->opcode, sqe->curve)};
    memset(cqe, 0, sizeof *cqe);
    cqe->generation = sqe->generation;
    cqe->tag = sqe->tag;
    cqe->cycles = EPH_FIXED_CYCLES;
    if (!m.program) {
        cqe->status = known_opcode(sqe->opcode) ? EPH_ST_BAD_CURVE : EPH_ST_BAD_OP;
        return;
    }
    eph_digits_init(&m.digits, m.program, sqe->scalar);
    m.digit = eph_digits_current(&m.digits);
    eph_record_init(&m.record, m.program, sqe->scalar);
    unsigned turns = load_operands(&m, sqe) + run(&m) + unload_and_wipe_turns(m.program);
    cqe->cycles += contexts * turns;
    cqe->status = (uint16_t)unload(&m, cqe);
    wipe(&m, sizeof m);
}

void eph_model_execute(uint32_t contexts, const struct eph_sqe *sqe, struct eph_cqe *cqe)
{
    eph_model_execute_image(&eph_ucode, contexts, sqe, cqe);
}
