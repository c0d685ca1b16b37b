// SPDX-License-Identifier: Apache-2.0
// Proves eph_arbiter: one grant, to somebody who asks, with its number; an arbitrary requester is
// passed over at most N-1 times.
module eph_arbiter_proof #(
  parameter int unsigned N = 4
) (
  input logic clk_i,
  input logic [N-1:0] req_i,
  input logic take_i
);
  localparam int unsigned IndexW = N > 1 ? $clog2(N) : 1;
  logic rst_q = 1'b1;
  always_ff @(posedge clk_i) rst_q <= 1'b0;

  logic [N-1:0] grant;
  logic [IndexW-1:0] index;
  eph_arbiter #(.N(N)) u_dut (.clk_i, .rst_i(rst_q), .req_i, .take_i, .grant_o(grant),
      .index_o(index));
  (* hierconn *) wire [N-1:0] \u_dut.after_q ;

  (* anyconst *) logic [IndexW-1:0] who;
  always_comb assume (who < N);
  wire waits = req_i[who] && !grant[who];

  logic [4:0] missed_q = 5'd0; // takes by others since it asks
  always_ff @(posedge clk_i) begin
    if (rst_q || !req_i[who] || (take_i && grant[who])) missed_q <= 5'd0;
    else if (take_i && waits) missed_q <= missed_q + 5'd1;
  end

  // How many are served before it at most: the distance from the head of the turn.
  logic [4:0] head, rank;
  always_comb begin
    head = 5'd0;
    for (int unsigned i = 0; i < N; i++) head = head + {4'd0, !\u_dut.after_q [i]};
    if (head == N) head = 5'd0;
    rank = who >= head ? who - head : who + N - head;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_q) begin
      a_one_grant: assert ((grant & (grant - 1'b1)) == '0);
      a_granted_asked: assert ((grant & ~req_i) == '0);
      a_somebody: assert ((grant != '0) == (req_i != '0));
      a_index: assert (!grant[who] || index == who);
      a_turn_is_upper_part: assert ((~\u_dut.after_q & (~\u_dut.after_q + 1'b1)) == '0);
      a_fair: assert (missed_q <= N - 1);
      a_turn: assert (!req_i[who] || missed_q + rank <= N - 1);
    end
  end
endmodule
