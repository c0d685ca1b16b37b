// SPDX-License-Identifier: Apache-2.0
// Purpose: re-slices a skewed vector: shift, extension, other digit boundaries, extra delay.
//
// A skewed vector carries one number of Width bits in Digits digits of Digit bits each; the last
// digit takes all remaining bits (up to 35 when digits are 33). Digit j is valid j cycles after
// digit 0, the cycle of which is called the vector's base. Numbers are added digit by digit in this
// form with carries of one digit only (eph_skew_add).
//
// Contract: y = x * 2^Shift (Shift < 0 drops low bits), as far as it fits OutW bits; signed or zero
//   extension as InSigned says. The base of y is the base of x plus Wait. A bit that moves to a
//   higher digit waits, here, until that digit's turn. Elaboration fails when Wait is too small,
//   that is, when a bit would be needed before it exists.
// Latency: Wait, base to base.  Throughput: 1 a cycle.  Data-dependent timing: none.
// Value bounds: bits above OutW are dropped; the user knows that they are copies of the sign.
// Cleared by: nothing.
module eph_skew_view #(
    parameter int InW       = 66,
    parameter int InDigit   = 33,
    parameter int InDigits  = (InW > 35) ? (InW + 30) / 33 : 1,
    parameter bit InSigned  = 1,
    parameter int OutW      = InW,
    parameter int OutDigit  = 33,
    parameter int OutDigits = (OutW > 35) ? (OutW + 30) / 33 : 1,
    parameter int Shift     = 0,
    parameter int Wait      = 0
) (
    input  logic            clk_i,
    input  logic [ InW-1:0] x_i,
    output logic [OutW-1:0] y_o
);
  // bits [0, Shift) of y are zero, [Shift, Top) come from x, [Top, OutW) extend it
  localparam int Top = (InW + Shift < OutW) ? InW + Shift : OutW;
  logic unused_x;
  assign unused_x = ^{clk_i, x_i};

  if (Shift > 0) begin : gen_zero
    assign y_o[Shift-1:0] = '0;
  end

  for (genvar j = 0; j < OutDigits; j++) begin : gen_digit
    localparam int OutLo = j * OutDigit;
    localparam int OutHi = (j == OutDigits - 1) ? OutW : OutLo + OutDigit;
    for (genvar i = 0; i < InDigits; i++) begin : gen_from
      localparam int InLo = i * InDigit + Shift;
      localparam int InHi = (i == InDigits - 1) ? Top : InLo + InDigit;
      localparam int Lo = (InLo > OutLo) ? InLo : OutLo;
      localparam int Hi = (InHi < OutHi) ? InHi : OutHi;
      if (Lo < Hi) begin : gen_part
        eph_delay #(
            .Width (Hi - Lo),
            .Cycles(Wait + j - i)
        ) u_wait (
            .clk_i,
            .d_i(x_i[Lo-Shift+:Hi-Lo]),
            .q_o(y_o[Lo+:Hi-Lo])
        );
      end
    end
    localparam int ExtLo = (Top > OutLo) ? Top : OutLo;
    if (ExtLo < OutHi) begin : gen_extend
      if (InSigned) begin : gen_sign
        logic sign;
        eph_delay #(
            .Width (1),
            .Cycles(Wait + j - (InDigits - 1))
        ) u_wait (
            .clk_i,
            .d_i(x_i[InW-1]),
            .q_o(sign)
        );
        assign y_o[OutHi-1:ExtLo] = {(OutHi - ExtLo) {sign}};
      end else begin : gen_unsigned
        assign y_o[OutHi-1:ExtLo] = '0;
      end
    end
  end
endmodule
