// SPDX-License-Identifier: Apache-2.0
// Purpose: register slice of a valid/ready stream: both directions registered, full throughput.
// Contract: words leave in order, each exactly once; out_o and out_valid_o hold while out_ready_i
//   is low; in_ready_o depends on no input of the same cycle. Not for secrets: a word that has left
//   stays in the registers.
// Latency: 1 cycle. Throughput: 1 word a cycle. Data-dependent timing: none. Cleared by: rst_i
//   (valid flags only).
module eph_skid #(
  parameter int unsigned Width = 32
) (
  input  logic clk_i,
  input  logic rst_i,
  input  logic in_valid_i,
  output logic in_ready_o,
  input  logic [Width-1:0] in_i,
  output logic out_valid_o,
  input  logic out_ready_i,
  output logic [Width-1:0] out_o
);
  // the spare holds the word that arrives in the cycle in which the output stalls
  logic out_valid_q, spare_valid_q;
  logic [Width-1:0] out_q, spare_q;

  assign in_ready_o = !spare_valid_q;
  assign out_valid_o = out_valid_q;
  assign out_o = out_q;

  wire accept = in_valid_i && in_ready_o;
  wire advance = out_ready_i || !out_valid_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      out_valid_q <= 1'b0;
      spare_valid_q <= 1'b0;
    end else if (advance) begin
      out_valid_q <= accept || spare_valid_q;
      spare_valid_q <= 1'b0;
    end else if (accept) begin
      spare_valid_q <= 1'b1;
    end
    if (advance) out_q <= spare_valid_q ? spare_q : in_i;
    if (accept) spare_q <= in_i;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_i) a_spare_implies_out: assert (!spare_valid_q || out_valid_q);
  end
endmodule
