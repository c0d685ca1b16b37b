// SPDX-License-Identifier: Apache-2.0
// Purpose: round-robin choice among N requesters.
// Contract: grant_o is one-hot whenever a request is up, zero otherwise, always a subset of req_i,
//   and index_o its number; with take_i the choice is used up and the granted requester becomes the
//   last in turn. A requester that keeps its request up is passed over at most N-1 times. The grant
//   may change while take_i is low (the user registers it).
// Latency: 0 (combinational). Throughput: one choice a cycle. Data-dependent timing: none. Cleared
//   by: rst_i.
module eph_arbiter #(
  parameter int unsigned N = 4,
  parameter int unsigned IndexW = N > 1 ? $clog2(N) : 1 // derived: do not set
) (
  input  logic clk_i,
  input  logic rst_i,
  input  logic [N-1:0] req_i,
  input  logic take_i,
  output logic [N-1:0] grant_o,
  output logic [IndexW-1:0] index_o
);
  logic [N-1:0] after_q; // requesters above the last one taken: their turn comes before the wrap

  wire [N-1:0] first = req_i & after_q;
  wire [N-1:0] candidates = |first ? first : req_i;
  assign grant_o = candidates & (~candidates + 1'b1); // lowest bit set

  always_comb begin
    index_o = '0;
    for (int unsigned i = 0; i < N; i++) if (grant_o[i]) index_o = index_o | IndexW'(i);
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) after_q <= '0;
    else if (take_i && |req_i) after_q <= ~(grant_o | (grant_o - 1'b1));
    a_one_hot: assert ((grant_o & (grant_o - 1'b1)) == '0);
    a_granted_asked: assert ((grant_o & ~req_i) == '0);
    a_someone: assert ((grant_o != '0) == (req_i != '0));
  end
endmodule
