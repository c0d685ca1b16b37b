// SPDX-License-Identifier: Apache-2.0
// Purpose: the one carry chain of both fields: turns seven coefficients into pieces of 66 bits and,
//   for P-256, adds m*p on the way (Montgomery, R = 2^264). Since p = -1 mod 2^96, the quotient
//   digit m of a piece is the piece itself: no multiplier.
//     m*p = -m + m*2^(66+30) + m*2^(132+60) + m*(2^58 - 2^26)*2^198
//   clears piece k and reaches pieces k+1, k+2, k+3. For 2^255-19 m is 0.
// Contract: low_o, pieces 0..3 of the register that the post-add joins: for 2^255-19 those of X*Y,
//   for P-256 those of 2^KSH * p (the chain's own low pieces are zero then). high_o: the upper
//   half, pieces 0..2 unsigned, 3 signed and of 67 bits. [66*k +: 66] is piece k.
// Latency: bases in eph_fma_pkg: inputs TCoef*, f25519_i and ksh_i cycle 0; piece k of low_o TChain
//   + 3k + 1, of high_o TFold<k>.
// Throughput: 1 a cycle.  Data-dependent timing: none.
// Value bounds: X pieces 3 below 2^67, Y pieces 3 below 2^64 in magnitude, as the front makes them.
// Cleared by: nothing.
module eph_fma_chain (
    input  logic                          clk_i,
    input  logic                          f25519_i,
    input  logic [                   2:0] ksh_i,
    input  logic [eph_fma_pkg::ProdW-1:0] c0_i,
    input  logic [eph_fma_pkg::ProdW-1:0] c1_i,
    input  logic [eph_fma_pkg::ProdW-1:0] c2_i,
    input  logic [eph_fma_pkg::ProdW-1:0] c3_i,
    input  logic [eph_fma_pkg::ProdW-1:0] c4_i,
    input  logic [eph_fma_pkg::ProdW-1:0] c5_i,
    input  logic [eph_fma_pkg::ProdW-1:0] c6_i,
    output logic [                 263:0] low_o,
    output logic [                 264:0] high_o
);
  localparam int ProdW = eph_fma_pkg::ProdW;
  localparam int TopW = 133;  // coefficient 6: pieces 2 and 3 of the upper half
  localparam int QuotW = 126;  // m * (2^58 - 2^26)
  localparam logic [268:0] PrimeWindow = {
    8'd0, 256'hffffffff00000001000000000000000000000000ffffffffffffffffffffffff, 5'd0
  };

  // T<k>: cycle in which piece k is complete; bit n of a control line is the control in its
  // instruction's cycle n
  localparam int T0 = eph_fma_pkg::TChain;
  localparam int T1 = T0 + 3;
  localparam int T2 = T1 + 3;
  localparam int T3 = T2 + 3;
  localparam int Last = T3 + 1;
  logic [Last:0] f25519, ksh0, ksh1, ksh2;
  logic [Last-1:0] f25519_q, ksh0_q, ksh1_q, ksh2_q;
  assign f25519 = {f25519_q, f25519_i};
  assign ksh0 = {ksh0_q, ksh_i[0]};
  assign ksh1 = {ksh1_q, ksh_i[1]};
  assign ksh2 = {ksh2_q, ksh_i[2]};
  always_ff @(posedge clk_i) begin
    f25519_q <= f25519[Last-1:0];
    ksh0_q   <= ksh0[Last-1:0];
    ksh1_q   <= ksh1[Last-1:0];
    ksh2_q   <= ksh2[Last-1:0];
  end

  logic [ProdW-1:0] t0, t1, t2, t3, t4, t5;
  logic [TopW-1:0] t6;
  logic [263:0] piece, m;  // low pieces of t0..t3; quotient digits, one cycle later
  logic [4*QuotW-1:0] w;  // m * (2^58 - 2^26), two cycles later
  assign piece = {t3[65:0], t2[65:0], t1[65:0], t0[65:0]};

  for (genvar k = 0; k < 4; k++) begin : gen_piece
    localparam int T = T0 + 3 * k;
    logic [65:0] bias;  // piece k of p << ksh, as a skewed vector
    for (genvar d = 0; d < 2; d++) begin : gen_digit
      logic [2:0] ksh;
      logic [37:0] window;
      assign ksh = {ksh2[T+d], ksh1[T+d], ksh0[T+d]};
      assign window = PrimeWindow[66*k+33*d+:38] << ksh;
      assign bias[33*d+:33] = window[37:5];
      logic unused_window;
      assign unused_window = ^window[4:0];
    end

    eph_skew_mux #(.W(66), .Registered(1)) u_m (
        .clk_i, .sel_i(f25519[T]), .a_i(66'd0), .b_i(piece[66*k+:66]), .y_o(m[66*k+:66]));
    eph_skew_mux #(.W(66), .Registered(1)) u_low (
        .clk_i, .sel_i(f25519[T]), .a_i(piece[66*k+:66]), .b_i(bias), .y_o(low_o[66*k+:66]));
    eph_skew_add #(
        .W(QuotW), .AW(66), .ASigned(0), .AShift(58), .BW(66), .BSigned(0), .BShift(26)) u_w (
        .clk_i, .neg_i(1'b1), .a_i(m[66*k+:66]), .b_i(m[66*k+:66]), .y_o(w[QuotW*k+:QuotW]));
  end

  // Names: c<k>_m<i>, c<k>_w<i> is coefficient k after the term of quotient digit i; t<k> after the
  // carry from t<k-1>.
  logic [ProdW-1:0] c1_m0, c2_m0, c2_m1, c3_w0, c3_m1, c3_m2, c4_w1, c4_m2, c4_m3, c5_w2, c5_m3;
  logic [TopW-1:0] c6_w3;
  localparam int TC2m0 = eph_fma_pkg::TCoef2 + 1;
  localparam int TC3m1 = eph_fma_pkg::TCoef3 + 2;

  // piece 0
  eph_skew_view #(.InW(ProdW), .Wait(T0 - eph_fma_pkg::TCoef0)) u_t0 (
      .clk_i, .x_i(c0_i), .y_o(t0));

  // piece 1
  eph_skew_add #(
      .W(ProdW), .AWait(T0 + 1 - eph_fma_pkg::TCoef1), .BW(66), .BSigned(0), .BShift(30)) u_c1_m0 (
      .clk_i, .neg_i(1'b0), .a_i(c1_i), .b_i(m[0+:66]), .y_o(c1_m0));
  eph_skew_add #(.W(ProdW), .BShift(-66), .BWait(2)) u_t1 (
      .clk_i, .neg_i(1'b0), .a_i(c1_m0), .b_i(t0), .y_o(t1));

  // piece 2
  eph_skew_add #(
      .W(ProdW), .BW(66), .BSigned(0), .BShift(60), .BWait(TC2m0 - 2 - T0)) u_c2_m0 (
      .clk_i, .neg_i(1'b0), .a_i(c2_i), .b_i(m[0+:66]), .y_o(c2_m0));
  eph_skew_add #(
      .W(ProdW), .AWait(T1 + 1 - TC2m0), .BW(66), .BSigned(0), .BShift(30)) u_c2_m1 (
      .clk_i, .neg_i(1'b0), .a_i(c2_m0), .b_i(m[66+:66]), .y_o(c2_m1));
  eph_skew_add #(.W(ProdW), .BShift(-66), .BWait(2)) u_t2 (
      .clk_i, .neg_i(1'b0), .a_i(c2_m1), .b_i(t1), .y_o(t2));

  // piece 3
  eph_skew_add #(.W(ProdW), .BW(QuotW), .BWait(TC3m1 - 4 - T0)) u_c3_w0 (
      .clk_i, .neg_i(1'b0), .a_i(c3_i), .b_i(w[0+:QuotW]), .y_o(c3_w0));
  eph_skew_add #(
      .W(ProdW), .BW(66), .BSigned(0), .BShift(60), .BWait(TC3m1 - 2 - T1)) u_c3_m1 (
      .clk_i, .neg_i(1'b0), .a_i(c3_w0), .b_i(m[66+:66]), .y_o(c3_m1));
  eph_skew_add #(
      .W(ProdW), .AWait(T2 + 1 - TC3m1), .BW(66), .BSigned(0), .BShift(30)) u_c3_m2 (
      .clk_i, .neg_i(1'b0), .a_i(c3_m1), .b_i(m[132+:66]), .y_o(c3_m2));
  eph_skew_add #(.W(ProdW), .BShift(-66), .BWait(2)) u_t3 (
      .clk_i, .neg_i(1'b0), .a_i(c3_m2), .b_i(t2), .y_o(t3));

  // piece 4
  eph_skew_add #(.W(ProdW), .AWait(T1 + 2 - eph_fma_pkg::TCoef2), .BW(QuotW)) u_c4_w1 (
      .clk_i, .neg_i(1'b0), .a_i(c4_i), .b_i(w[QuotW+:QuotW]), .y_o(c4_w1));
  eph_skew_add #(.W(ProdW), .AWait(T2 - T1 - 2), .BW(66), .BSigned(0), .BShift(60)) u_c4_m2 (
      .clk_i, .neg_i(1'b0), .a_i(c4_w1), .b_i(m[132+:66]), .y_o(c4_m2));
  eph_skew_add #(.W(ProdW), .AWait(T3 - T2 - 1), .BW(66), .BSigned(0), .BShift(30)) u_c4_m3 (
      .clk_i, .neg_i(1'b0), .a_i(c4_m2), .b_i(m[198+:66]), .y_o(c4_m3));
  eph_skew_add #(.W(ProdW), .BShift(-66), .BWait(2)) u_t4 (
      .clk_i, .neg_i(1'b0), .a_i(c4_m3), .b_i(t3), .y_o(t4));

  // piece 5
  eph_skew_add #(.W(ProdW), .AWait(T2 + 2 - eph_fma_pkg::TCoef1), .BW(QuotW)) u_c5_w2 (
      .clk_i, .neg_i(1'b0), .a_i(c5_i), .b_i(w[2*QuotW+:QuotW]), .y_o(c5_w2));
  eph_skew_add #(.W(ProdW), .AWait(T3 - T2 - 2), .BW(66), .BSigned(0), .BShift(60)) u_c5_m3 (
      .clk_i, .neg_i(1'b0), .a_i(c5_w2), .b_i(m[198+:66]), .y_o(c5_m3));
  eph_skew_add #(
      .W(ProdW), .AWait(eph_fma_pkg::TFold0 - T3), .BShift(-66), .BWait(2)) u_t5 (
      .clk_i, .neg_i(1'b0), .a_i(c5_m3), .b_i(t4), .y_o(t5));

  // pieces 6 and 7
  eph_skew_add #(
      .W(TopW), .AW(ProdW), .AWait(T3 + 2 - eph_fma_pkg::TCoef0), .BW(QuotW)) u_c6_w3 (
      .clk_i, .neg_i(1'b0), .a_i(c6_i), .b_i(w[3*QuotW+:QuotW]), .y_o(c6_w3));
  eph_skew_add #(
      .W(TopW), .AWait(eph_fma_pkg::TFold1 - T3 - 1), .BW(ProdW), .BShift(-66), .BWait(2)) u_t6 (
      .clk_i, .neg_i(1'b0), .a_i(c6_w3), .b_i(t5), .y_o(t6));

  assign high_o[197:0] = {t6[65:0], t5[65:0], t4[65:0]};
  eph_skew_view #(.InW(TopW), .OutW(67), .Shift(-66), .Wait(2)) u_top (
      .clk_i, .x_i(t6), .y_o(high_o[264:198]));
endmodule
