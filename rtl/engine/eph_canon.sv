// SPDX-License-Identifier: Apache-2.0
// Purpose: brings a stored value below its prime, one 33-bit digit a cycle, and cuts it into 32-bit
//          words.
// Contract: start_i with the even digits on digits_i, the odd digits one cycle later. One round
//           takes up the spare bit of digit 1 and the carries, then P rounds (FIELD_ROUNDS of the
//           field) each subtract p and keep the difference unless it is negative. zero_o is valid
//           with the first word and holds until the next start.
// Latency: first word 2 + 9 * (rounds + 1) cycles after start_i, then 8 words in a row.
// Throughput: one value in 10 + 9 * (rounds + 1) cycles.
// Data-dependent timing: none.
// Value bounds: in 0 .. 2^264 - 1 and below (rounds + 1) * p.
// Cleared by: cutting the words (shifts zeros in); wipe_i.
module eph_canon (
    input  logic         clk_i,
    input  logic         rst_i,
    input  logic         wipe_i,
    input  logic         start_i,
    input  logic [287:0] digits_i,
    input  logic [2:0]   field_i,
    output logic         busy_o,
    output logic         word_valid_o,
    output logic [2:0]   word_index_o,
    output logic [31:0]  word_o,
    output logic         zero_o
);
  localparam logic [1:0] StIdle = 2'd0, StOdd = 2'd1, StRound = 2'd2, StWords = 2'd3;
  logic [1:0] state_q;
  logic [3:0] step_q;      // digits 0..7, 8: decide; or word
  logic [2:0] round_q;
  logic [2:0] field_q;
  logic [263:0] value_q, diff_q;
  logic extra_q;           // bit 33 of digit 1
  logic [1:0] carry_q;     // -1, 0, 1
  logic any_q;             // a digit of the difference is not zero

  logic [263:0] prime;
  logic [2:0] rounds;
  logic p256;
  assign p256 = 32'(field_q) == eph_isa_pkg::FIELD_FP256;
  assign prime = p256 ? eph_isa_pkg::PRIME_FP256 : eph_isa_pkg::PRIME_F25519;
  assign rounds = p256 ? 3'(eph_isa_pkg::FIELD_ROUNDS_FP256) : 3'(eph_isa_pkg::FIELD_ROUNDS_F25519);

  logic [32:0] prime_digit, subtrahend;
  logic [34:0] sum;
  always_comb begin
    prime_digit = 33'd0;
    for (int d = 0; d < 8; d++) if (step_q[2:0] == 3'(d)) prime_digit = prime[33*d+:33];
  end
  assign subtrahend = (round_q == 3'd0) ? 33'd0 : prime_digit;
  assign sum = {2'd0, value_q[32:0]} - {2'd0, subtrahend} + {{33{carry_q[1]}}, carry_q}
      + 35'(extra_q && round_q == 3'd0 && step_q == 4'd2);

  logic decide;  // all digits are through: keep the difference or not
  assign decide = state_q == StRound && step_q == 4'd8;
  assign busy_o = state_q != StIdle;
  assign word_valid_o = state_q == StWords;
  assign word_index_o = step_q[2:0];
  assign word_o = value_q[31:0];

  always_ff @(posedge clk_i) begin
    unique case (state_q)
      StIdle:
        if (start_i) begin
          state_q <= StOdd;
          field_q <= field_i;
          for (int d = 0; d < 8; d += 2) value_q[33*d+:33] <= digits_i[36*d+:33];
        end
      StOdd: begin
        for (int d = 1; d < 8; d += 2) value_q[33*d+:33] <= digits_i[36*d+:33];
        extra_q <= digits_i[36+33];
        state_q <= StRound;
        step_q  <= 4'd0;
        round_q <= 3'd0;
        carry_q <= 2'd0;
        any_q   <= 1'b0;
      end
      StRound:
        if (!decide) begin
          value_q <= {value_q[32:0], value_q[263:33]};
          diff_q  <= {sum[32:0], diff_q[263:33]};
          carry_q <= sum[34:33];
          any_q   <= any_q || sum[32:0] != 33'd0;
          step_q  <= step_q + 4'd1;
        end else begin
          if (!carry_q[1]) begin
            value_q <= diff_q;
            zero_o  <= !any_q;
          end
          carry_q <= 2'd0;
          any_q   <= 1'b0;
          step_q  <= 4'd0;
          round_q <= round_q + 3'd1;
          if (round_q == rounds) begin
            state_q <= StWords;
            extra_q <= 1'b0;
            diff_q  <= '0;
          end
        end
      default: begin
        value_q <= {32'd0, value_q[263:32]};
        step_q  <= step_q + 4'd1;
        if (step_q == 4'd7) begin
          state_q <= StIdle;
          value_q <= '0;
        end
      end
    endcase
    if (rst_i) state_q <= StIdle;
    if (wipe_i) begin
      value_q <= '0;
      diff_q  <= '0;
      extra_q <= 1'b0;
      carry_q <= 2'd0;
      any_q   <= 1'b0;
    end
    if (!rst_i) begin
      a_start_when_idle: assert (!start_i || !busy_o);
      a_no_carry_out: assert (!decide || carry_q != 2'd1);
      a_first_round_not_negative: assert (!decide || round_q != 3'd0 || !carry_q[1]);
      a_below_256_bits: assert (!word_valid_o || step_q != 4'd0 || value_q[263:256] == 8'd0);
    end
  end

  logic unused;
  assign unused = ^digits_i;
endmodule
