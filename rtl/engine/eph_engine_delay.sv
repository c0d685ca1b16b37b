// SPDX-License-Identifier: Apache-2.0
// Purpose: a long delay as a ring in a small RAM instead of a chain of registers.
// Contract: q_o is d_i of Cycles cycles ago, once Cycles cycles have passed since reset. What the
//           ring held at a reset comes out, in a different order, within the next Cycles cycles; so
//           a wipe that enters behind it wins.
// Latency: Cycles (at least 2).
// Throughput: one word a cycle.
// Data-dependent timing: none.
// Value bounds: none.
// Cleared by: flow, within Cycles cycles.
module eph_engine_delay #(
    parameter int unsigned Width = 8,
    parameter int unsigned Cycles = 32
) (
    input  logic             clk_i,
    input  logic             rst_i,
    input  logic [Width-1:0] d_i,
    output logic [Width-1:0] q_o
);
  localparam int unsigned Depth = Cycles - 1;
  localparam int unsigned PtrW = (Depth > 1) ? $clog2(Depth) : 1;
  localparam logic [PtrW-1:0] Last = PtrW'(Depth - 1);

  logic [Width-1:0] ring[0:Depth-1];
  logic [PtrW-1:0] ptr_q;

  always_ff @(posedge clk_i) begin
    q_o <= ring[ptr_q];
    ring[ptr_q] <= d_i;
    if (rst_i || ptr_q == Last) ptr_q <= '0;
    else ptr_q <= ptr_q + 1'b1;
    if (!rst_i) a_ptr_in_ring: assert (ptr_q <= Last);
  end
endmodule
