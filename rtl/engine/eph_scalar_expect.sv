// SPDX-License-Identifier: Apache-2.0
// Purpose: what the record of a program's digits must come to (eph_scalar_record), computed from
//          the scalar's words as they arrive and without the path that feeds scalar RAM.
// Contract: steps as eph_scalar_in. With V the scalar, clamped where the form says so, and v the
//           value that the digits stand for (V, V/8, or order - that when it is even): the residue
//           2 * v + parity modulo 2^17 - 1. It is offered from the cycle after step 9 until
//           residue_ack_i. Dividing is rotating: 2^17 = 1.
// Latency: a half of a word a cycle, so busy_o in the cycle after a word.
// Throughput: one step every two cycles.
// Data-dependent timing: none.
// Value bounds: 17 bits, zero as 0 or as 2^17 - 1. Form 3 wants a scalar below the order.
// Cleared by: residue_ack_i; wipe_i.
module eph_scalar_expect (
    input  logic        clk_i,
    input  logic        rst_i,
    input  logic        wipe_i,
    input  logic        step_valid_i,
    input  logic [3:0]  step_i,
    input  logic [31:0] word_i,
    input  logic [2:0]  form_i,
    output logic        busy_o,
    output logic        residue_valid_o,
    input  logic        residue_ack_i,
    output logic [16:0] residue_o
);
  localparam logic [2:0] FormClamp = 3'd1, FormComb = 3'd2, FormOdd = 3'd3;

  logic [16:0] sum_q;     // the halves so far, each over 2^16 for every half behind it
  logic [15:0] upper_q;   // of the word that came one cycle ago
  logic even_q;           // the digits stand for order - v

  logic clamp;
  logic [15:0] low, high;
  assign clamp = form_i == FormClamp || form_i == FormComb;
  assign low = (clamp && step_i == 4'd0) ? {word_i[15:3], 3'd0} : word_i[15:0];
  assign high = (clamp && step_i == 4'd7) ? {2'b01, word_i[29:16]} : word_i[31:16];

  // 16 halves make the scalar over 2^240; 2^240 = 2^2, and 1/8 = 2^-3.
  logic [16:0] half_turn, value, a, b;
  assign half_turn = {sum_q[15:0], sum_q[16]};  // over 2^16, which is times 2
  assign value = (form_i == FormComb) ? {sum_q[0], sum_q[16:1]} : {sum_q[14:0], sum_q[16:15]};
  always_comb begin
    a = half_turn;
    b = {1'b0, upper_q};
    if (!busy_o) begin
      if (step_i < 4'd8) begin
        if (step_i == 4'd0) a = 17'd0;
        b = {1'b0, low};
      end else if (step_i == 4'd8) begin
        a = value ^ {17{even_q}};
        b = !even_q ? 17'd0 : (form_i == FormComb)
            ? eph_engine_pkg::Residue25519 : eph_engine_pkg::ResidueP256;
      end else begin
        b = {16'd0, even_q};
      end
    end
  end
  assign residue_o = sum_q;

  always_ff @(posedge clk_i) begin
    busy_o <= step_valid_i && step_i < 4'd8;
    if (step_valid_i || busy_o) sum_q <= eph_engine_pkg::residue_add(a, b);
    if (step_valid_i) begin
      upper_q <= (step_i < 4'd8) ? high : 16'd0;
      if (step_i == 4'd0)
        even_q <= (form_i == FormComb && !word_i[3]) || (form_i == FormOdd && !word_i[0]);
      if (step_i == 4'd9) begin
        even_q          <= 1'b0;
        residue_valid_o <= 1'b1;
      end
    end
    if (residue_ack_i) begin
      sum_q           <= 17'd0;
      residue_valid_o <= 1'b0;
    end
    if (rst_i || wipe_i) begin
      sum_q           <= 17'd0;
      upper_q         <= 16'd0;
      even_q          <= 1'b0;
      busy_o          <= 1'b0;
      residue_valid_o <= 1'b0;
    end
    if (!rst_i) begin
      a_not_while_busy: assert (!(step_valid_i && busy_o));
      a_taken_before_next: assert (!(step_valid_i && residue_valid_o));
      a_ack_of_valid: assert (!residue_ack_i || residue_valid_o);
    end
  end
endmodule
