// SPDX-License-Identifier: Apache-2.0
// Purpose: operand shifter of the front: one piece, shifted left by 0..3 or cleared.
// Contract: y = zero_i ? 0 : x << shift_i; controls valid with the low digit of x.
// Latency: 1, base to base.  Throughput: 1 a cycle.  Data-dependent timing: none.
// Value bounds: x unsigned, 67 bits in digits of 33 and 34; y unsigned, 70 bits in digits of 33, 33
//   and 4.
// Cleared by: nothing.
module eph_skew_shift (
    input  logic                           clk_i,
    input  logic [                    1:0] shift_i,
    input  logic                           zero_i,
    input  logic [eph_fma_pkg::PieceW-1:0] x_i,
    output logic [eph_fma_pkg::ShiftW-1:0] y_o
);
  logic [1:0] shift_q;
  logic zero_q;
  logic [2:0] low_top_q;  // what a shift moves into the high digits
  logic [32:0] low_q;
  logic [36:0] high_q;
  logic [3:0] top_q;
  logic [39:0] high;

  logic [32:0] x_low;
  logic [33:0] x_high;
  assign x_low = x_i[32:0];
  assign x_high = x_i[66:33];
  assign high = {3'd0, x_high, low_top_q} << shift_q;

  always_ff @(posedge clk_i) begin
    shift_q   <= shift_i;
    zero_q    <= zero_i;
    low_top_q <= x_low[32:30];
    low_q     <= zero_i ? '0 : x_low << shift_i;
    high_q    <= zero_q ? '0 : high[39:3];
    top_q     <= high_q[36:33];
  end
  assign y_o = {top_q, high_q[32:0], low_q};

  logic unused_high;
  assign unused_high = ^high[2:0];
endmodule
