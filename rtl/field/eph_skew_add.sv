// SPDX-License-Identifier: Apache-2.0
// Purpose: adder of two skewed vectors (eph_skew_view), 33 bits of carry a cycle.
// Contract: y = a * 2^AShift + b * 2^BShift, or the difference when neg_i, modulo 2^W, signed.
//   Operands are re-sliced and delayed (AWait, BWait) to one base first; neg_i is valid at that
//   base. A constant neg_i gives a plain adder or subtracter; Dynamic says that it changes from
//   cycle to cycle and must travel with the digits. A wait of at least one cycle on both sides is
//   also an operand register in front of the carry chain.
// Latency: AWait + 1 from the base of a, BWait + 1 from that of b.  Throughput: 1 a cycle.
// Data-dependent timing: none.
// Value bounds: the result must fit W bits, signed (asserted if Exact), or be meant modulo 2^W.
// Cleared by: nothing.
module eph_skew_add #(
    parameter int W       = 66,
    parameter int AW      = W,
    parameter bit ASigned = 1,
    parameter int AShift  = 0,
    parameter int AWait   = 0,
    parameter int BW      = W,
    parameter bit BSigned = 1,
    parameter int BShift  = 0,
    parameter int BWait   = 0,
    parameter bit Dynamic = 0,
    parameter bit Exact   = 0
) (
    input  logic          clk_i,
    input  logic          neg_i,
    input  logic [AW-1:0] a_i,
    input  logic [BW-1:0] b_i,
    output logic [ W-1:0] y_o
);
  localparam int Digits = (W > 35) ? (W + 30) / 33 : 1;
  logic [W-1:0] a, b;

  eph_skew_view #(
      .InW(AW),
      .InSigned(ASigned),
      .OutW(W),
      .Shift(AShift),
      .Wait(AWait)
  ) u_a (
      .clk_i,
      .x_i(a_i),
      .y_o(a)
  );

  eph_skew_view #(
      .InW(BW),
      .InSigned(BSigned),
      .OutW(W),
      .Shift(BShift),
      .Wait(BWait)
  ) u_b (
      .clk_i,
      .x_i(b_i),
      .y_o(b)
  );

  for (genvar j = 0; j < Digits; j++) begin : gen_digit
    localparam int Lo = 33 * j;
    localparam int DigitW = (j == Digits - 1) ? W - Lo : 33;
    logic [DigitW-1:0] a_digit, b_digit;
    logic [DigitW:0] sum_q;  // top bit: carry into the next digit
    logic neg, carry;
    assign a_digit = a[Lo+:DigitW];
    assign b_digit = b[Lo+:DigitW] ^ {DigitW{neg}};

    if (j == 0) begin : gen_low
      assign neg   = neg_i;
      assign carry = neg_i;
    end else begin : gen_high
      eph_delay #(
          .Cycles(Dynamic ? 1 : 0)
      ) u_neg (
          .clk_i,
          .d_i(gen_digit[j-1].neg),
          .q_o(neg)
      );
      assign carry = gen_digit[j-1].sum_q[33];
    end

    always_ff @(posedge clk_i)
      sum_q <= {1'b0, a_digit} + {1'b0, b_digit} + (DigitW + 1)'(carry);
    assign y_o[Lo+:DigitW] = sum_q[DigitW-1:0];

    if (j == Digits - 1) begin : gen_top
      logic unused_carry;
      assign unused_carry = sum_q[DigitW];
      if (Exact) begin : gen_check
        logic a_sign_q, b_sign_q;
        always_ff @(posedge clk_i) begin
          a_sign_q <= a_digit[DigitW-1];
          b_sign_q <= b_digit[DigitW-1];
          a_sum_fits : assert (a_sign_q != b_sign_q || sum_q[DigitW-1] == a_sign_q);
        end
      end
    end
  end
endmodule
