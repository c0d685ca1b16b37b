// SPDX-License-Identifier: Apache-2.0
// Purpose: second level of the Karatsuba recombination: the seven coefficients of 2^(66 k) in X*Y.
// Contract: inputs are the results of three pair units: p0, p01, p1 from pieces 0 and 1, p2, p23,
//   p3 from 2 and 3, q0, q01, q1 from the differences 0-2 and 1-3; outputs signed and unnormalised.
//   All skewed vectors (eph_skew_view).
// Latency: bases in eph_fma_pkg: inputs TFactor (p) or TDiff (q) + PairProdLat or PairMidLat;
//   outputs TCoef0..3, 4..6 as 2..0.
// Throughput: 1 a cycle.  Data-dependent timing: none.
// Value bounds: intermediate sums are meant modulo 2^142; a coefficient is below 4 * 2^137.1 in
//   magnitude.
// Cleared by: nothing.
module eph_fma_recombine (
    input  logic                          clk_i,
    input  logic [eph_fma_pkg::ProdW-1:0] p0_i,
    input  logic [eph_fma_pkg::ProdW-1:0] p01_i,
    input  logic [eph_fma_pkg::ProdW-1:0] p1_i,
    input  logic [eph_fma_pkg::ProdW-1:0] p2_i,
    input  logic [eph_fma_pkg::ProdW-1:0] p23_i,
    input  logic [eph_fma_pkg::ProdW-1:0] p3_i,
    input  logic [eph_fma_pkg::ProdW-1:0] q0_i,
    input  logic [eph_fma_pkg::ProdW-1:0] q01_i,
    input  logic [eph_fma_pkg::ProdW-1:0] q1_i,
    output logic [eph_fma_pkg::ProdW-1:0] c0_o,
    output logic [eph_fma_pkg::ProdW-1:0] c1_o,
    output logic [eph_fma_pkg::ProdW-1:0] c2_o,
    output logic [eph_fma_pkg::ProdW-1:0] c3_o,
    output logic [eph_fma_pkg::ProdW-1:0] c4_o,
    output logic [eph_fma_pkg::ProdW-1:0] c5_o,
    output logic [eph_fma_pkg::ProdW-1:0] c6_o
);
  localparam int ProdW = eph_fma_pkg::ProdW;
  localparam int LateP = eph_fma_pkg::TCoef2 - 1 - eph_fma_pkg::TCoef0;  // p1, p2 wait for q0, q1
  logic [ProdW-1:0] sum02, sum13, diff02, diff13, sum_mid;

  assign c0_o = p0_i;
  assign c1_o = p01_i;
  assign c5_o = p23_i;
  assign c6_o = p3_i;

  // c2 = p0 + p2 - q0 + p1
  eph_skew_add #(.W(ProdW), .AWait(1), .BWait(1)) u_sum02 (
      .clk_i, .neg_i(1'b0), .a_i(p0_i), .b_i(p2_i), .y_o(sum02));
  eph_skew_add #(.W(ProdW), .AWait(1), .BWait(1)) u_diff02 (
      .clk_i, .neg_i(1'b1), .a_i(sum02), .b_i(q0_i), .y_o(diff02));
  eph_skew_add #(.W(ProdW), .BWait(LateP)) u_c2 (
      .clk_i, .neg_i(1'b0), .a_i(diff02), .b_i(p1_i), .y_o(c2_o));

  // c4 = p1 + p3 - q1 + p2
  eph_skew_add #(.W(ProdW), .AWait(1), .BWait(1)) u_sum13 (
      .clk_i, .neg_i(1'b0), .a_i(p1_i), .b_i(p3_i), .y_o(sum13));
  eph_skew_add #(.W(ProdW), .AWait(1), .BWait(1)) u_diff13 (
      .clk_i, .neg_i(1'b1), .a_i(sum13), .b_i(q1_i), .y_o(diff13));
  eph_skew_add #(.W(ProdW), .BWait(LateP)) u_c4 (
      .clk_i, .neg_i(1'b0), .a_i(diff13), .b_i(p2_i), .y_o(c4_o));

  // c3 = p01 + p23 - q01
  eph_skew_add #(.W(ProdW), .AWait(1), .BWait(1)) u_sum_mid (
      .clk_i, .neg_i(1'b0), .a_i(p01_i), .b_i(p23_i), .y_o(sum_mid));
  eph_skew_add #(.W(ProdW), .AWait(1), .BWait(1)) u_c3 (
      .clk_i, .neg_i(1'b1), .a_i(sum_mid), .b_i(q01_i), .y_o(c3_o));
endmodule
