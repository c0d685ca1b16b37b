// SPDX-License-Identifier: Apache-2.0
// What crosses the bus: queue entries, registers, status codes. All of it comes from isa.def (see there for the meaning
// of each number); this header gives it C names. Little-endian throughout; results and operands are little-endian
// integers.
#ifndef EPHEMERA_WIRE_H
#define EPHEMERA_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum eph_opcode {
#define EPH_OPCODE(name, value, text) EPH_OP_##name = value,
#include <isa.def>
};

enum eph_curve {
#define EPH_CURVE(name, value, bytes, text) EPH_CURVE_##name = value,
#include <isa.def>
    EPH_CURVE_COUNT = 6 // one past the last, so that arrays can be indexed by curve
};

enum eph_curve_bytes {
#define EPH_CURVE(name, value, bytes, text) EPH_CURVE_BYTES_##name = bytes,
#include <isa.def>
};

enum eph_wire_status {
#define EPH_STATUS(name, value, text) EPH_ST_##name = value,
#include <isa.def>
};

enum eph_number {
#define EPH_NUMBER(name, value) EPH_##name = (int)(value),
#include <isa.def>
};

enum eph_register {
#define EPH_REG(name, offset, access, text) EPH_REG_##name = offset,
#include <isa.def>
};

enum eph_queue_register {
#define EPH_QREG(name, offset, access, text) EPH_QREG_##name = offset,
#include <isa.def>
};

enum eph_doorbell {
#define EPH_DBREG(name, offset, access, text) EPH_DB_##name = offset,
#include <isa.def>
};

// Submission queue entry. The device reads it in one burst.
struct eph_sqe {
    uint8_t opcode; // enum eph_opcode
    uint8_t curve;  // enum eph_curve
    uint16_t flags; // 0
    uint32_t tag;   // returned unchanged
    uint64_t generation;
    uint8_t scalar[72]; // secret
    uint8_t peer_x[68]; // u for Montgomery curves
    uint8_t peer_y[68];
    uint8_t blind[32]; // projective randomiser: random, not zero; secret
};

// Completion queue entry. The device writes it in one ascending burst; phase comes last.
struct eph_cqe {
    uint8_t result[232]; // secret; fields of EPH_CURVE_BYTES_* each, zero unless status is OK
    uint64_t generation;
    uint32_t cycles;
    uint32_t tag;
    uint16_t sq_head;
    uint16_t qid;
    uint16_t status; // enum eph_wire_status
    uint16_t phase;  // 1 on the first lap of the ring, 0 on the second, ...
};

// Shadow page of a queue; isa.def says who writes what.
struct eph_shadow {
    uint32_t sq_tail;
    uint32_t cq_head;
    uint64_t awake;
};

#define EPH_SHADOW_FIELD(name, offset, bytes)                                                                           \
    enum { EPH_SHADOW_##name##_BYTE = (offset) };                                                                      \
    _Static_assert(offsetof(struct eph_shadow, name) == (offset), #name);                                              \
    _Static_assert(sizeof((struct eph_shadow *)0)->name == (bytes), #name);
#include <isa.def>

#define EPH_SQE_FIELD(name, offset, bytes) enum { EPH_SQE_##name##_BYTE = offset, EPH_SQE_##name##_BYTES = bytes };
#include <isa.def>
#define EPH_CQE_FIELD(name, offset, bytes) enum { EPH_CQE_##name##_BYTE = offset, EPH_CQE_##name##_BYTES = bytes };
#include <isa.def>

_Static_assert(sizeof(struct eph_sqe) == EPH_ENTRY_BYTES, "SQE is one 256-byte burst");
_Static_assert(sizeof(struct eph_cqe) == EPH_ENTRY_BYTES, "CQE is one 256-byte burst");

#endif
