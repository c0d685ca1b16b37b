// SPDX-License-Identifier: Apache-2.0
// Purpose: test bench top: all that eph-asm generates for the RTL behind one set of ports.
module eph_rom_probe (
    input  logic         clk_i,
    input  logic [11:0]  addr_i,
    input  logic [7:0]   opcode_i,
    input  logic [7:0]   curve_i,
    output logic [95:0]  ucode_o,
    output logic [287:0] base_o,
    output logic [127:0] program_o,
    output logic [31:0]  curves_o,
    output logic [31:0]  operations_o
);
  eph_ucode_rom u_ucode (.clk_i, .addr_i(addr_i[9:0]), .word_o(ucode_o));
  eph_base_rom u_base (.clk_i, .addr_i, .word_o(base_o));
  assign program_o = eph_ucode_pkg::program_word(opcode_i, curve_i);
  assign curves_o = eph_ucode_pkg::CurveMask;
  assign operations_o = eph_ucode_pkg::OpMask;
endmodule
