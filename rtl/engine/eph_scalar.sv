// SPDX-License-Identifier: Apache-2.0
// Purpose: the scalars of all contexts in two byte banks, and the secret digit of each turn cut
//          from them.
// Contract: ctx_i and offset_i at stage 1, the digit's shape at stage 3, the digit at stage 4 (see
//           eph_engine_pkg). Even and odd bytes lie in separate banks, so any 8 bits at any bit
//           offset are read in one pass. Ladder: the digit is bit i xor bit i+1. Odd signed window
//           of w bits: w+1 bits v, digit (v | 1) - 2^w, given as sign and (|digit| - 1) / 2; the
//           top one is v | 1. After the last digit: index 0, sign = parity.
// Latency: 3 cycles.
// Throughput: one digit a cycle; one pair of bytes written a cycle.
// Data-dependent timing: none; addresses depend on public positions only.
// Value bounds: windows of at most 6 bits.
// Cleared by: the unload unit (all bytes of the context) and the reset turns.
module eph_scalar #(
    parameter int unsigned Contexts = 64,
    parameter int unsigned CtxW = $clog2(Contexts)
) (
    input  logic            clk_i,
    // a pair of bytes: write port
    input  logic            we_i,
    input  logic [CtxW-1:0] wctx_i,
    input  logic [4:0]      wpair_i,
    input  logic [15:0]     wdata_i,
    // stage 1
    input  logic [CtxW-1:0] ctx_i,
    input  logic [8:0]      offset_i,
    // stage 3
    input  logic            windows_i,  // odd signed windows, else ladder
    input  logic [2:0]      width_i,
    input  logic            top_i,
    input  logic            ended_i,
    // stage 4
    output logic            sign_o,     // or the ladder's swap
    output logic [4:0]      index_o
);
  localparam int unsigned PairW = eph_engine_pkg::ScalarByteW - 1;
  logic [7:0] even_mem[0:(Contexts<<PairW)-1];
  logic [7:0] odd_mem[0:(Contexts<<PairW)-1];

  // Stage 1 to 3: the byte that holds bit `offset` and the next one; the even bank runs one pair
  // ahead when that byte is odd. Behind byte 63 the pair number wraps; only bit 0 of byte 63 is
  // ever used.
  logic [7:0] even_q, odd_q, bits_q;
  logic [3:0] shift_q;
  logic [PairW-1:0] even_pair;
  logic [15:0] pair;
  assign even_pair = offset_i[8:4] + PairW'(offset_i[3]);
  assign pair = shift_q[3] ? {even_q, odd_q} : {odd_q, even_q};

  always_ff @(posedge clk_i) begin
    if (we_i) begin
      even_mem[{wctx_i, wpair_i}] <= wdata_i[7:0];
      odd_mem[{wctx_i, wpair_i}]  <= wdata_i[15:8];
    end
    even_q  <= even_mem[{ctx_i, even_pair}];
    odd_q   <= odd_mem[{ctx_i, offset_i[8:4]}];
    shift_q <= offset_i[3:0];
    bits_q  <= 8'(pair >> shift_q[2:0]);
  end

  // Stage 3 to 4
  // Bits 5:1 only, since digits are odd: the mask of the window's own bits, and those bits.
  logic [4:0] below, low;
  logic positive;
  assign below = 5'(~(6'h3f << width_i) >> 1);
  assign low = bits_q[5:1] & below;
  assign positive = top_i || ((bits_q >> width_i) & 8'd1) != 8'd0;

  always_ff @(posedge clk_i) begin
    if (ended_i) begin
      sign_o  <= bits_q[0];
      index_o <= 5'd0;
    end else if (windows_i) begin
      sign_o  <= !positive;
      index_o <= positive ? low : ~low & below;
    end else begin
      sign_o  <= bits_q[0] ^ bits_q[1];
      index_o <= 5'd0;
    end
    a_window_fits_index: assert (ended_i || !windows_i || width_i <= 3'd6);
  end
endmodule
