// SPDX-License-Identifier: Apache-2.0
// Prints isa.def as the SystemVerilog package eph_isa_pkg, so that hardware and software cannot disagree about a
// number.
#include <stdio.h>

static void heading(const char *text)
{
    printf("\n  // %s\n", text);
}

static void number(const char *prefix, const char *name, unsigned long value)
{
    printf("  localparam logic [31:0] %s%s = 32'h%lx;\n", prefix, name, value);
}

static void bit_field(const char *prefix, const char *name, int lsb, int width)
{
    printf("  localparam int unsigned %s%sLsb = %d;\n", prefix, name, lsb);
    printf("  localparam int unsigned %s%sW = %d;\n", prefix, name, width);
}

static void byte_field(const char *prefix, const char *name, int offset, int bytes)
{
    printf("  localparam int unsigned %s%sByte = %d;\n", prefix, name, offset);
    printf("  localparam int unsigned %s%sBytes = %d;\n", prefix, name, bytes);
}

int main(void)
{
    printf("// SPDX-License-Identifier: Apache-2.0\n// Generated from isa.def by isa_gen: do not edit.\n"
           "package eph_isa_pkg;\n");
    heading("operations, curves, status codes, numbers");
#define EPH_OPCODE(name, value, text) number("OP_", #name, value);
#define EPH_CURVE(name, value, bytes, text)                                                                            \
    number("CURVE_", #name, value);                                                                                    \
    number("CURVE_BYTES_", #name, bytes);
#define EPH_STATUS(name, value, text) number("ST_", #name, value);
#define EPH_NUMBER(name, value)       number("", #name, value);
#include "isa.def"
    heading("registers");
#define EPH_REG(name, offset, access, text)   number("REG_", #name, offset);
#define EPH_QREG(name, offset, access, text)  number("QREG_", #name, offset);
#define EPH_DBREG(name, offset, access, text) number("DB_", #name, offset);
#include "isa.def"
    heading("queue entries, in bytes");
#define EPH_SQE_FIELD(name, offset, bytes) byte_field("SQE_", #name, offset, bytes);
#define EPH_CQE_FIELD(name, offset, bytes) byte_field("CQE_", #name, offset, bytes);
#include "isa.def"
    heading("instruction word");
#define EPH_UFIELD(name, lsb, width, text) bit_field("U_", #name, lsb, width);
#include "isa.def"
    heading("program descriptor");
#define EPH_PFIELD(name, lsb, width, text) bit_field("P_", #name, lsb, width);
#include "isa.def"
    heading("fields");
#define EPH_FIELD(name, row, pieces, beats, prime, radix, rounds)                                                      \
    number("FIELD_", #name, row);                                                                                      \
    number("FIELD_ROUNDS_", #name, rounds);                                                                            \
    printf("  localparam logic [263:0] PRIME_%s = 264'h%s;\n", #name, prime);
#include "isa.def"
    printf("endpackage\n");
    return 0;
}
