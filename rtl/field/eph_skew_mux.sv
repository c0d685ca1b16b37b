// SPDX-License-Identifier: Apache-2.0
// Purpose: choice between two skewed vectors (eph_skew_view) by a bit that travels with the digits.
// Contract: y = sel_i ? a : b; a, b and sel_i have the same base. Registered adds a flip-flop
//   behind the multiplexer.
// Latency: 1 if Registered, else 0, base to base.  Throughput: 1 a cycle.
// Data-dependent timing: none.  Value bounds: any.  Cleared by: nothing.
module eph_skew_mux #(
    parameter int W          = 66,
    parameter bit Registered = 0
) (
    input  logic         clk_i,
    input  logic         sel_i,
    input  logic [W-1:0] a_i,
    input  logic [W-1:0] b_i,
    output logic [W-1:0] y_o
);
  localparam int Digits = (W > 35) ? (W + 30) / 33 : 1;

  for (genvar j = 0; j < Digits; j++) begin : gen_digit
    localparam int Lo = 33 * j;
    localparam int DigitW = (j == Digits - 1) ? W - Lo : 33;
    logic sel;
    if (j == 0) begin : gen_low
      assign sel = sel_i;
    end else begin : gen_high
      eph_delay u_sel (
          .clk_i,
          .d_i(gen_digit[j-1].sel),
          .q_o(sel)
      );
    end
    eph_delay #(
        .Width (DigitW),
        .Cycles(Registered ? 1 : 0)
    ) u_y (
        .clk_i,
        .d_i(sel ? a_i[Lo+:DigitW] : b_i[Lo+:DigitW]),
        .q_o(y_o[Lo+:DigitW])
    );
  end
endmodule
