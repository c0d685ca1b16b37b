// SPDX-License-Identifier: Apache-2.0
// Purpose: gives each SQE to an engine with a free context, engines in turn.
// Contract: free_o says that at least one engine has a context to spare, the SQE under way counted;
//   the 64 words of an SQE go to one engine without mixing. retire_i[e] for one cycle an engine has
//   handed over a whole completion.
// Latency: first word offered to first word at the engine 1 cycle. Throughput: 1 word a cycle.
//   Data-dependent timing: none.
// Cleared by: rst_i, flush_i (counts). Holds no operand: words pass through combinationally.
module eph_dispatch #(
  parameter int unsigned Engines = 1,
  parameter int unsigned Contexts = 64
) (
  input  logic clk_i,
  input  logic rst_i,
  input  logic flush_i,
  output logic free_o,
  input  logic sqe_valid_i,
  output logic sqe_ready_o,
  input  logic [31:0] sqe_i,
  output logic [Engines-1:0] cmd_valid_o,
  input  logic [Engines-1:0] cmd_ready_i,
  output logic [31:0] cmd_o,
  input  logic [Engines-1:0] retire_i
);
  localparam int unsigned CountW = $clog2(Contexts + 1);

  logic [Engines-1:0] room, grant, engine_q;
  logic sending_q;
  logic [5:0] word_q;

  wire choose = sqe_valid_i && !sending_q && |room;
  wire sent = sqe_valid_i && sqe_ready_o;

  logic [$clog2(Engines > 1 ? Engines : 2)-1:0] unused_index;
  eph_arbiter #(.N(Engines)) u_arbiter (.clk_i, .rst_i, .req_i(room), .take_i(choose),
      .grant_o(grant), .index_o(unused_index));

  assign free_o = |room;
  assign cmd_o = sqe_i;
  assign cmd_valid_o = engine_q & {Engines{sending_q && sqe_valid_i}};
  assign sqe_ready_o = sending_q && |(engine_q & cmd_ready_i);

  for (genvar e = 0; e < Engines; e++) begin : gen_engine
    logic [CountW-1:0] count_q; // contexts of the engine that are taken
    assign room[e] = 32'(count_q) < Contexts;
    wire start = choose && grant[e];
    always_ff @(posedge clk_i) begin
      if (rst_i || flush_i) count_q <= '0;
      else if (start && !retire_i[e]) count_q <= count_q + 1'b1;
      else if (!start && retire_i[e]) count_q <= count_q - 1'b1;
      if (!rst_i && !flush_i) a_retired_was_started: assert (!retire_i[e] || count_q != '0);
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i || flush_i) begin
      sending_q <= 1'b0;
      word_q <= 6'd0;
    end else begin
      if (choose) sending_q <= 1'b1;
      else if (sent && word_q == 6'd63) sending_q <= 1'b0;
      if (sent) word_q <= word_q + 6'd1;
    end
    if (choose) engine_q <= grant;
  end
endmodule
