// SPDX-License-Identifier: Apache-2.0
// Purpose: brings a scalar into its program's form, 32 bits at a time, on its way from the
//          submission entry into scalar RAM.
// Contract: step 0..7 carry the scalar's words, step 8 flushes the last one, step 9 writes the
//           parity byte; a word is stored one step late because the division by 8 needs bits of the
//           next one. Forms, as P_SCALAR: 0 as is; 1 clamped (RFC 7748 section 5); 2 clamped, /8,
//           l - k when that is even; 3 n - k when even, parity kept as the digit after the last.
//           The subtraction is always computed and selected at the end.
// Latency: the pair writes of a step follow in the next two cycles; busy_o during the first of
//          them.
// Throughput: one step every two cycles.
// Data-dependent timing: none.
// Value bounds: form 2: 2^251 <= k/8 < l. Form 3: k < n, else the borrow is dropped and the result
//           is n - k mod 2^256.
// Cleared by: step 8 and the parity write; wipe_i.
module eph_scalar_in (
    input  logic        clk_i,
    input  logic        rst_i,
    input  logic        wipe_i,
    input  logic        step_valid_i,
    input  logic [3:0]  step_i,
    input  logic [31:0] word_i,
    input  logic [2:0]  form_i,
    output logic        busy_o,
    output logic        we_o,
    output logic [4:0]  pair_o,
    output logic [15:0] data_o
);
  localparam logic [2:0] FormClamp = 3'd1, FormComb = 3'd2, FormOdd = 3'd3;

  logic [31:0] prev_q;    // the word before, clamped
  logic [31:0] out_q;     // the word being written
  logic [3:0] out_word_q;
  logic [1:0] pending_q;  // halves still to write
  logic even_q, borrow_q;

  logic [31:0] word, value, order, result;
  logic [32:0] difference;
  logic clamp;
  assign clamp = form_i == FormClamp || form_i == FormComb;
  always_comb begin
    word = word_i;
    if (step_i >= 4'd8) word = 32'd0;
    else if (clamp && step_i == 4'd0) word = word_i & 32'hffff_fff8;
    else if (clamp && step_i == 4'd7) word = (word_i & 32'h7fff_ffff) | 32'h4000_0000;
  end

  logic [2:0] index;  // of the word that leaves in this step
  assign index = step_i[2:0] - 3'd1;
  logic [255:0] whole_order;
  assign whole_order = (form_i == FormComb) ? eph_engine_pkg::Order25519
      : eph_engine_pkg::OrderP256;
  assign order = 32'(whole_order >> {index, 5'd0});
  assign value = (form_i == FormComb) ? {word[2:0], prev_q[31:3]} : prev_q;
  assign difference = {1'b0, order} - {1'b0, value} - 33'(borrow_q);
  assign result = even_q ? difference[31:0] : value;

  assign busy_o = pending_q == 2'd2;
  assign we_o = pending_q != 2'd0;
  assign pair_o = {out_word_q, pending_q == 2'd1};
  assign data_o = (pending_q == 2'd1) ? out_q[31:16] : out_q[15:0];

  always_ff @(posedge clk_i) begin
    if (pending_q != 2'd0) pending_q <= pending_q - 2'd1;
    if (pending_q == 2'd1) out_q <= 32'd0;
    if (step_valid_i) begin
      prev_q <= word;
      if (step_i == 4'd0) begin
        even_q   <= (form_i == FormComb && !word_i[3]) || (form_i == FormOdd && !word_i[0]);
        borrow_q <= 1'b0;
      end else if (step_i <= 4'd8) begin
        borrow_q   <= difference[32];
        out_q      <= result;
        out_word_q <= {1'b0, index};
        pending_q  <= 2'd2;
      end else begin
        even_q     <= 1'b0;
        borrow_q   <= 1'b0;
        out_q      <= {7'd0, even_q, 24'd0};
        out_word_q <= 4'(eph_engine_pkg::ParityByte / 4);
        pending_q  <= 2'd1;
      end
    end
    if (rst_i) pending_q <= 2'd0;
    if (wipe_i) begin
      prev_q   <= 32'd0;
      out_q    <= 32'd0;
      even_q   <= 1'b0;
      borrow_q <= 1'b0;
    end
    if (!rst_i) begin
      a_not_while_busy: assert (!(step_valid_i && busy_o));
      a_step_range: assert (!step_valid_i || step_i <= 4'd9);
    end
  end
endmodule
