// SPDX-License-Identifier: Apache-2.0
// Purpose: product of two numbers of two pieces by difference Karatsuba: three leaves instead of
//   four.
// Contract: (x_lo + x_hi T)(y_lo + y_hi T) = lo + mid T + hi T^2 with
//     mid = lo + hi - (x_lo - x_hi)(y_lo - y_hi)
//   Skewed vectors (eph_skew_view). Operands reach every adder and multiplier
//   through a register of its own.
// Latency: lo_o, hi_o eph_fma_pkg::PairProdLat = 10; mid_o PairMidLat = 13, base to base.
// Throughput: 1 a cycle.  Data-dependent timing: none.
// Value bounds: the differences must fit 73 and 69 bits, signed: asserted (in eph_skew_add); mid is
//   exact if it fits 142 bits.
// Cleared by: nothing.
module eph_pair_unit (
    input  logic                             clk_i,
    input  logic [   eph_fma_pkg::XW-1:0] x_lo_i,
    input  logic [   eph_fma_pkg::XW-1:0] x_hi_i,
    input  logic [   eph_fma_pkg::YW-1:0] y_lo_i,
    input  logic [   eph_fma_pkg::YW-1:0] y_hi_i,
    output logic [eph_fma_pkg::ProdW-1:0] lo_o,
    output logic [eph_fma_pkg::ProdW-1:0] mid_o,
    output logic [eph_fma_pkg::ProdW-1:0] hi_o
);
  localparam int XW = eph_fma_pkg::XW;
  localparam int YW = eph_fma_pkg::YW;
  localparam int ProdW = eph_fma_pkg::ProdW;

  // left and right factor of the three leaves: 0 low, 1 high, 2 difference
  logic [XW-1:0] x_lo, x_hi, x_diff, x_diff_hop;
  logic [YW-1:0] y_lo, y_hi, y_diff, y_diff_hop;
  logic [ProdW-1:0] prod_diff, sum;

  eph_skew_view #(.InW(XW), .Wait(2)) u_x_lo (.clk_i, .x_i(x_lo_i), .y_o(x_lo));
  eph_skew_view #(.InW(XW), .Wait(2)) u_x_hi (.clk_i, .x_i(x_hi_i), .y_o(x_hi));
  eph_skew_view #(.InW(YW), .Wait(2)) u_y_lo (.clk_i, .x_i(y_lo_i), .y_o(y_lo));
  eph_skew_view #(.InW(YW), .Wait(2)) u_y_hi (.clk_i, .x_i(y_hi_i), .y_o(y_hi));

  eph_skew_add #(.W(XW), .AWait(1), .BWait(1), .Exact(1)) u_x_diff (
      .clk_i, .neg_i(1'b1), .a_i(x_lo_i), .b_i(x_hi_i), .y_o(x_diff));
  eph_skew_add #(.W(YW), .AWait(1), .BWait(1), .Exact(1)) u_y_diff (
      .clk_i, .neg_i(1'b1), .a_i(y_lo_i), .b_i(y_hi_i), .y_o(y_diff));
  eph_skew_view #(.InW(XW), .Wait(1)) u_x_diff_hop (.clk_i, .x_i(x_diff), .y_o(x_diff_hop));
  eph_skew_view #(.InW(YW), .Wait(1)) u_y_diff_hop (.clk_i, .x_i(y_diff), .y_o(y_diff_hop));

  eph_leaf u_lo (.clk_i, .a_i(x_lo), .b_i(y_lo), .p_o(lo_o));
  eph_leaf u_hi (.clk_i, .a_i(x_hi), .b_i(y_hi), .p_o(hi_o));
  eph_leaf u_diff (.clk_i, .a_i(x_diff_hop), .b_i(y_diff_hop), .p_o(prod_diff));

  // the product of the differences is one cycle later than the others, which just fits their sum
  eph_skew_add #(.W(ProdW), .AWait(1), .BWait(1)) u_sum (
      .clk_i, .neg_i(1'b0), .a_i(lo_o), .b_i(hi_o), .y_o(sum));
  eph_skew_add #(.W(ProdW), .BWait(1)) u_mid (
      .clk_i, .neg_i(1'b1), .a_i(sum), .b_i(prod_diff), .y_o(mid_o));
endmodule
