// SPDX-License-Identifier: Apache-2.0
// Purpose: end of the datapath: post-add of e, fold of the upper half, bias of 2^255-19, carries,
//   last fold at 2^255.
// Contract: with L = low_i, H = high_i (eph_fma_chain) and e shifted or cleared:
//     f25519: r = L + 9728 H +- e + 2^10 p, result (r mod 2^255) + 19 (r >> 255)
//     P-256: result = L + H +- e (L holds the bias)
//   with 9728 = 19 * 2^9 = 2^264 mod p.
//   The post-add works piece by piece; carries between pieces come after the fold. 2^10 p = 2^265 -
//   19*2^10: the second term is subtracted in piece 0, the first is added to r >> 255.
// Latency: inputs: controls cycle 0; e_i TSelect; low_i, high_i as eph_fma_chain gives them; digits
//   of res_o: eph_fma_pkg::Lat.
// Throughput: 1 a cycle.  Data-dependent timing: none.
// Value bounds: P-256 result in 0 .. 2^261 (asserted for bits 261..267 of the sum); 19 (r >> 255) <
//   2^16, so piece 0 of a result is below 2^66 + 2^16 (asserted).
// Cleared by: nothing.
module eph_fma_fold (
    input  logic                               clk_i,
    input  logic [eph_fma_pkg::EphFmaCtlW-1:0] ctl_i,
    input  logic [  4*eph_fma_pkg::PieceW-1:0] e_i,
    input  logic [                      263:0] low_i,
    input  logic [                      264:0] high_i,
    output logic [                      287:0] res_o
);
  localparam int PieceW = eph_fma_pkg::PieceW;
  localparam int ShiftW = eph_fma_pkg::ShiftW;
  localparam int PostW = 72;  // L +- e, signed; also 19 H
  localparam int SumW = 82;  // pieces 0..2 of L +- e + 9728 H
  localparam int TopW = 70;  // piece 3 of it: 57 bits and r >> 255
  localparam logic [14:0] Bias = 15'(19 << 10);
  localparam int TTop = eph_fma_pkg::TTop;
  localparam int TWrap = eph_fma_pkg::TWrap;

  // bit n of a control line is the control in its instruction's cycle n
  localparam int Late = eph_fma_pkg::TChain + 10;  // the last use of the post-add's controls
  logic [TWrap:0] f25519;
  logic [TWrap-1:0] f25519_q;
  logic [Late:0] neg_e, ze, she0, she1;
  logic [Late-1:0] neg_e_q, ze_q, she0_q, she1_q;
  assign f25519 = {f25519_q, ctl_i[eph_fma_pkg::CtlF25519]};
  assign neg_e = {neg_e_q, ctl_i[eph_fma_pkg::CtlNegE]};
  assign ze = {ze_q, ctl_i[eph_fma_pkg::CtlZe]};
  assign she0 = {she0_q, ctl_i[eph_fma_pkg::CtlShe]};
  assign she1 = {she1_q, ctl_i[eph_fma_pkg::CtlShe+1]};
  always_ff @(posedge clk_i) begin
    f25519_q <= f25519[TWrap-1:0];
    neg_e_q  <= neg_e[Late-1:0];
    ze_q     <= ze[Late-1:0];
    she0_q   <= she0[Late-1:0];
    she1_q   <= she1[Late-1:0];
  end
  logic unused_ctl;
  assign unused_ctl = ^{ctl_i, ze, neg_e, she0, she1, f25519};

  // pieces before the carries between them, base TFold<k> + 3
  logic [3*SumW-1:0] sum;
  logic [TopW-1:0] sum3;

  for (genvar k = 0; k < 4; k++) begin : gen_piece
    localparam int TLow = eph_fma_pkg::TChain + 3 * k + 1;
    localparam int TFold = (k == 3) ? eph_fma_pkg::TFold3 : eph_fma_pkg::TFold0 + 3 * k;
    localparam int TPost = (k == 0) ? TLow + 2 : TLow + 1;

    logic [PieceW-1:0] e_late;
    logic [ShiftW-1:0] e;
    logic [PostW-1:0] low_e, post;
    eph_skew_view #(.InW(PieceW), .Wait(TLow - 1 - eph_fma_pkg::TSelect)) u_e_late (
        .clk_i, .x_i(e_i[PieceW*k+:PieceW]), .y_o(e_late));
    eph_skew_shift u_e (
        .clk_i, .shift_i({she1[TLow-1], she0[TLow-1]}), .zero_i(ze[TLow-1]), .x_i(e_late), .y_o(e));
    eph_skew_add #(
        .W(PostW), .AW(66), .ASigned(0), .BW(ShiftW), .BSigned(0), .Dynamic(1)) u_low_e (
        .clk_i, .neg_i(neg_e[TLow]), .a_i(low_i[66*k+:66]), .b_i(e), .y_o(low_e));
    if (k == 0) begin : gen_bias
      eph_skew_add #(.W(PostW), .BW(15), .BSigned(0)) u_post (
          .clk_i, .neg_i(1'b1), .a_i(low_e), .b_i(f25519[TLow+1] ? Bias : '0), .y_o(post));
    end else begin : gen_no_bias
      assign post = low_e;
    end

    // H, or 9728 H
    localparam bit HighSigned = (k == 3);
    localparam int HighW = (k == 3) ? 67 : 66;
    localparam int W = (k == 3) ? TopW : SumW;
    logic [HighW-1:0] high, high_mask;
    logic [PostW-1:0] high17, high19;
    logic [W-1:0] plain, scaled, addend, total;
    assign high = high_i[66*k+:HighW];
    eph_skew_mux #(.W(HighW)) u_high_mask (
        .clk_i, .sel_i(f25519[TFold]), .a_i(high), .b_i('0), .y_o(high_mask));
    eph_skew_add #(
        .W(PostW), .AW(HighW), .ASigned(HighSigned), .BW(HighW), .BSigned(HighSigned),
        .BShift(4)) u_high17 (
        .clk_i, .neg_i(1'b0), .a_i(high), .b_i(high_mask), .y_o(high17));
    eph_skew_add #(
        .W(PostW), .BW(HighW), .BSigned(HighSigned), .BShift(1), .BWait(1)) u_high19 (
        .clk_i, .neg_i(1'b0), .a_i(high17), .b_i(high_mask), .y_o(high19));
    eph_skew_view #(.InW(PostW), .OutW(W), .Shift(9)) u_scaled (
        .clk_i, .x_i(high19), .y_o(scaled));
    eph_skew_view #(.InW(PostW), .OutW(W)) u_plain (.clk_i, .x_i(high19), .y_o(plain));
    eph_skew_mux #(.W(W)) u_addend (
        .clk_i, .sel_i(f25519[TFold+2]), .a_i(scaled), .b_i(plain), .y_o(addend));
    eph_skew_add #(.W(W), .AW(PostW), .AWait(TFold + 2 - TPost)) u_total (
        .clk_i, .neg_i(1'b0), .a_i(post), .b_i(addend), .y_o(total));
    if (k == 3) begin : gen_sum3
      assign sum3 = total;
    end else begin : gen_sum
      assign sum[SumW*k+:SumW] = total;
    end
  end

  // carries between pieces
  logic [SumW-1:0] r1, r2;  // base TFold1 + 4, TFold2 + 4
  logic [TopW-1:0] r3;  // base TTop
  eph_skew_add #(
      .W(SumW), .BShift(-66), .BWait(eph_fma_pkg::TFold1 - eph_fma_pkg::TFold0)) u_r1 (
      .clk_i, .neg_i(1'b0), .a_i(sum[SumW+:SumW]), .b_i(sum[0+:SumW]), .y_o(r1));
  eph_skew_add #(
      .W(SumW), .BShift(-66), .BWait(eph_fma_pkg::TFold2 - eph_fma_pkg::TFold1 - 1)) u_r2 (
      .clk_i, .neg_i(1'b0), .a_i(sum[2*SumW+:SumW]), .b_i(r1), .y_o(r2));
  eph_skew_add #(
      .W(TopW), .AWait(TTop - eph_fma_pkg::TFold3 - 4), .BW(SumW), .BShift(-66),
      .BWait(TTop - eph_fma_pkg::TFold2 - 5)) u_r3 (
      .clk_i, .neg_i(1'b0), .a_i(sum3), .b_i(r2), .y_o(r3));

  // r >> 255 and its 19-fold; 2^265 of the bias is 2^10 here
  logic [12:0] top, quot_q;
  logic [14:0] quot3_q;
  logic [16:0] wrap_q;  // base TWrap
  eph_skew_view #(.InW(TopW), .OutW(13), .Shift(-57), .Wait(2)) u_quot (
      .clk_i, .x_i(r3), .y_o(top));
  always_ff @(posedge clk_i) begin
    quot_q  <= top + 13'd1024;
    quot3_q <= {2'd0, quot_q} + {1'b0, quot_q, 1'b0};
    wrap_q  <= f25519[TWrap-1] ? {2'd0, quot3_q} + {quot_q2, 4'd0} : '0;
  end
  logic [12:0] quot_q2;
  always_ff @(posedge clk_i) quot_q2 <= quot_q;

  // result: 66 bits of each piece; piece 0 plus the wrapped part; piece 3 without it
  logic [66:0] piece0;
  logic [29:0] digit7, digit7_q;
  eph_skew_add #(
      .W(67), .AW(66), .ASigned(0), .AWait(TWrap - eph_fma_pkg::TFold0 - 3), .BW(16),
      .BSigned(0)) u_piece0 (
      .clk_i, .neg_i(1'b0), .a_i(sum[65:0]), .b_i(wrap_q[15:0]), .y_o(piece0));
  assign digit7 = r3[62:33];
  always_ff @(posedge clk_i) digit7_q <= {f25519[TTop+1] ? 6'd0 : digit7[29:24], digit7[23:0]};
  assign res_o = {
    6'd0, digit7_q, 3'd0, r3[32:0],
    3'd0, r2[65:33], 3'd0, r2[32:0],
    3'd0, r1[65:33], 3'd0, r1[32:0],
    2'd0, piece0[66:33], 3'd0, piece0[32:0]
  };

  // bounds are asserted once the pipeline, which has no reset, has been filled
  logic [eph_fma_pkg::LatMax:0] filled_q;
  initial filled_q = '0;
  always_ff @(posedge clk_i) begin
    filled_q <= {filled_q[eph_fma_pkg::LatMax-1:0], 1'b1};
    if (filled_q[eph_fma_pkg::LatMax]) begin
      a_wrap_fits : assert (!wrap_q[16]);
      a_quotient_fits : assert (!f25519[TTop+3] || !quot_q[12]);
      a_p256_range : assert (f25519[TTop+2] || top[12:6] == '0);
    end
  end
endmodule
