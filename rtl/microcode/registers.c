// SPDX-License-Identifier: Apache-2.0
// Liveness over the static program with its loops, then register numbers: results and .register names as said, the
// others get the lowest number that no simultaneously live name has.
#include "asm.h"
#include <string.h>

typedef uint64_t name_set; // bit n: name n; MAX_NAMES is 64

struct liveness {
    name_set after[EPH_UCODE_WORDS];
    name_set entry;
};

static name_set bit(int name)
{
    return name < 0 ? 0 : UINT64_C(1) << name;
}

static name_set reads(const struct instruction *in)
{
    return bit(in->port[0]) | bit(in->port[1]) | bit(in->port[2]) | bit(in->port[3]);
}

static name_set before(const struct instruction *in, name_set after)
{
    return (after & ~bit(in->dst)) | reads(in);
}

// Fixpoint: each loop feeds what is live at its start back to its end.
static void find_liveness(const struct program *program, struct liveness *live)
{
    name_set results = 0;
    for (unsigned i = 0; i < program->result_count; i++)
        results |= bit(program->results[i]);
    memset(live, 0, sizeof *live);
    for (bool changed = true; changed;) {
        changed = false;
        name_set flow = results;
        for (unsigned i = program->length; i-- > 0;) {
            const struct instruction *in = &program->code[i];
            if (in->seq == EPH_SEQ_LOOP) {
                unsigned start = i - in->distance;
                flow |= before(&program->code[start], live->after[start]);
            }
            changed |= live->after[i] != flow;
            live->after[i] = flow;
            flow = before(in, flow);
        }
        live->entry = flow;
    }
}

static void check_defined(struct assembly *as, const struct program *program, const struct liveness *live)
{
    name_set loaded =
        bit(program->load[LOAD_PEER_X]) | bit(program->load[LOAD_PEER_Y]) | bit(program->load[LOAD_BLIND]);
    for (unsigned n = 0; n < program->name_count; n++)
        if ((live->entry & ~loaded) >> n & 1)
            eph_asm_error(as, program->names[n].first, "register '%s' is read before anything writes it",
                          program->names[n].text);
}

// Names that may not share a register with each name: those live when it is written.
static void find_conflicts(const struct program *program, const struct liveness *live, name_set conflicts[MAX_NAMES])
{
    memset(conflicts, 0, MAX_NAMES * sizeof *conflicts);
    for (unsigned i = 0; i <= program->length; i++) {
        name_set written = i < program->length ? bit(program->code[i].dst) : live->entry;
        name_set together = i < program->length ? live->after[i] | written : live->entry;
        for (unsigned n = 0; n < program->name_count; n++) {
            if (written >> n & 1)
                conflicts[n] |= together;
            if (together >> n & 1)
                conflicts[n] |= written;
        }
    }
}

static uint32_t taken(const struct program *program, name_set conflicts, unsigned self)
{
    uint32_t numbers = 0;
    for (unsigned n = 0; n < program->name_count; n++)
        if (n != self && (conflicts >> n & 1) && program->names[n].number >= 0)
            numbers |= UINT32_C(1) << program->names[n].number;
    return numbers;
}

static void number_names(struct assembly *as, struct program *program, const name_set conflicts[MAX_NAMES])
{
    for (unsigned n = 0; n < program->name_count; n++) {
        struct name *name = &program->names[n];
        uint32_t numbers = taken(program, conflicts[n], n);
        if (name->number >= 0) {
            if (numbers >> name->number & 1)
                eph_asm_error(as, name->first, "register %d of '%s' holds another live value", name->number,
                              name->text);
            continue;
        }
        int number = 0;
        while (numbers >> number & 1)
            number++;
        if (number >= EPH_REGISTERS) {
            eph_asm_error(as, name->first, "no register for '%s': more than %d live at once", name->text,
                          EPH_REGISTERS);
            return;
        }
        name->number = number;
    }
}

static unsigned count_live(const struct program *program, const struct liveness *live)
{
    unsigned most = (unsigned)__builtin_popcountll(live->entry);
    for (unsigned i = 0; i < program->length; i++) {
        unsigned now = (unsigned)__builtin_popcountll(live->after[i] | bit(program->code[i].dst));
        most = now > most ? now : most;
    }
    return most;
}

void eph_asm_allocate(struct assembly *as, struct program *program)
{
    struct liveness live;
    name_set conflicts[MAX_NAMES];
    find_liveness(program, &live);
    check_defined(as, program, &live);
    find_conflicts(program, &live, conflicts);
    number_names(as, program, conflicts);
    program->live = count_live(program, &live);
    for (unsigned n = 0; n < program->name_count; n++) {
        unsigned used = (unsigned)(program->names[n].number + 1);
        program->registers = used > program->registers ? used : program->registers;
    }
    for (unsigned i = 0; i < program->length; i++) {
        unsigned used = (unsigned)(program->code[i].tdst + 1);
        program->table = used > program->table ? used : program->table;
    }
}
