// SPDX-License-Identifier: Apache-2.0
// Proves eph_skid against a two-word reference queue: order, loss, duplication, stability, latency,
// registered ready.
module eph_skid_proof #(
  parameter int unsigned Width = 17
) (
  input logic clk_i,
  input logic in_valid_i,
  input logic [Width-1:0] in_i,
  input logic out_ready_i
);
  logic rst_q = 1'b1;
  always_ff @(posedge clk_i) rst_q <= 1'b0;

  logic in_ready, out_valid;
  logic [Width-1:0] out;
  eph_skid #(.Width(Width)) u_dut (
    .clk_i, .rst_i(rst_q), .in_valid_i, .in_ready_o(in_ready), .in_i, .out_valid_o(out_valid),
    .out_ready_i, .out_o(out));

  // Registers of the unit under proof, for the induction.
  (* hierconn *) wire \u_dut.spare_valid_q ;
  (* hierconn *) wire [Width-1:0] \u_dut.spare_q ;

  logic [1:0] count_q = 2'd0;
  logic [Width-1:0] first_q, second_q;
  wire in = in_valid_i && in_ready;
  wire out_taken = out_valid && out_ready_i;
  always_ff @(posedge clk_i) begin
    if (rst_q) count_q <= 2'd0;
    else count_q <= count_q + {1'b0, in} - {1'b0, out_taken};
    if (out_taken) first_q <= count_q == 2'd2 ? second_q : in_i;
    else if (in && count_q == 2'd0) first_q <= in_i;
    if (in) second_q <= in_i;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_q) begin
      a_count: assert (count_q == {1'b0, out_valid} + {1'b0, \u_dut.spare_valid_q });
      a_order: assert (!out_valid || out == first_q);
      a_spare: assert (!\u_dut.spare_valid_q || \u_dut.spare_q == second_q);
      a_valid_when_held: assert (out_valid == (count_q != 2'd0)); // latency 1, no bubble
      // no dependence on this cycle's inputs
      a_ready_when_room: assert (in_ready == (count_q != 2'd2));
    end
  end
endmodule
