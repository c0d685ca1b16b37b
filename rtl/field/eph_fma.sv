// SPDX-License-Identifier: Apache-2.0
// Purpose: the fused datapath of an engine, two fields:
//     ((a << sha) +- (b << shb)) * (c +- g) +- (e << she) + K*p
// Contract: rtl/README.md, section eph_fma: exact result formulas, ports, digits in time; control
//   layout in eph_fma_pkg. One instruction every cycle, each with its own field; no state between
//   instructions, no stall, no reset.
// Latency: result digit i in cycle eph_fma_pkg::Lat[8*i +: 8], even operand digits in cycle 0.
// Throughput: 1 a cycle.  Data-dependent timing: none.
// Value bounds: operands and results as in rtl/README.md, kept by the assembler's interval pass and
//   asserted in the parts.
// Cleared by: nothing; contents leave by shifting on, LatMax cycles after the last instruction.
module eph_fma (
    input  logic                               clk_i,
    input  logic [eph_fma_pkg::EphFmaCtlW-1:0] ctl_i,
    input  logic [                      287:0] p0_i,
    input  logic [                      287:0] p1_i,
    input  logic [                      287:0] p2_i,
    input  logic [                      287:0] p3_i,
    input  logic [                      287:0] tab_i,
    input  logic [                      287:0] rom_i,
    output logic [                      287:0] res_o
);
  localparam int XW = eph_fma_pkg::XW;
  localparam int YW = eph_fma_pkg::YW;
  localparam int ProdW = eph_fma_pkg::ProdW;

  logic [eph_fma_pkg::EphFmaCtlW-1:0] ctl_q;  // cycle 0
  always_ff @(posedge clk_i) ctl_q <= ctl_i;

  logic [4*XW-1:0] x;
  logic [4*YW-1:0] y;
  logic [2*XW-1:0] x_diff;
  logic [2*YW-1:0] y_diff;
  logic [4*eph_fma_pkg::PieceW-1:0] e;
  eph_fma_front u_front (
      .clk_i, .ctl_i(ctl_q), .p0_i, .p1_i, .p2_i, .p3_i, .tab_i, .rom_i,
      .x_o(x), .y_o(y), .x_diff_o(x_diff), .y_diff_o(y_diff), .e_o(e));

  // p: products of pieces, q: products of their differences 0-2, 1-3
  logic [ProdW-1:0] p0, p01, p1, p2, p23, p3, q0, q01, q1;
  eph_pair_unit u_pair01 (
      .clk_i, .x_lo_i(x[0+:XW]), .x_hi_i(x[XW+:XW]), .y_lo_i(y[0+:YW]),
      .y_hi_i(y[YW+:YW]), .lo_o(p0), .mid_o(p01), .hi_o(p1));
  eph_pair_unit u_pair23 (
      .clk_i, .x_lo_i(x[2*XW+:XW]), .x_hi_i(x[3*XW+:XW]), .y_lo_i(y[2*YW+:YW]),
      .y_hi_i(y[3*YW+:YW]), .lo_o(p2), .mid_o(p23), .hi_o(p3));
  eph_pair_unit u_pair_diff (
      .clk_i, .x_lo_i(x_diff[0+:XW]), .x_hi_i(x_diff[XW+:XW]), .y_lo_i(y_diff[0+:YW]),
      .y_hi_i(y_diff[YW+:YW]), .lo_o(q0), .mid_o(q01), .hi_o(q1));

  logic [ProdW-1:0] c0, c1, c2, c3, c4, c5, c6;
  eph_fma_recombine u_recombine (
      .clk_i, .p0_i(p0), .p01_i(p01), .p1_i(p1), .p2_i(p2), .p23_i(p23), .p3_i(p3),
      .q0_i(q0), .q01_i(q01), .q1_i(q1),
      .c0_o(c0), .c1_o(c1), .c2_o(c2), .c3_o(c3), .c4_o(c4), .c5_o(c5), .c6_o(c6));

  logic [263:0] low;
  logic [264:0] high;
  eph_fma_chain u_chain (
      .clk_i, .f25519_i(ctl_q[eph_fma_pkg::CtlF25519]), .ksh_i(ctl_q[eph_fma_pkg::CtlKsh+:3]),
      .c0_i(c0), .c1_i(c1), .c2_i(c2), .c3_i(c3), .c4_i(c4), .c5_i(c5), .c6_i(c6),
      .low_o(low), .high_o(high));

  eph_fma_fold u_fold (
      .clk_i, .ctl_i(ctl_q), .e_i(e), .low_i(low), .high_i(high), .res_o);
endmodule
