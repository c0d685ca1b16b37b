// SPDX-License-Identifier: Apache-2.0
// Proves eph_fifo for one arbitrary ring position (order, loss, duplication, content) and one
// arbitrary memory place (erased whenever it is not occupied). mem is the memory of the unit
// under proof: prove.sh connects it.
module eph_fifo_proof #(
  parameter int unsigned Width = 128,
  parameter int unsigned Depth = 16
) (
  input logic clk_i,
  input logic clear_i,
  input logic push_valid_i,
  input logic [Width-1:0] push_i,
  input logic pop_ready_i
);
  localparam int unsigned AddrW = $clog2(Depth);
  logic rst_q = 1'b1;
  always_ff @(posedge clk_i) rst_q <= 1'b0;

  logic push_ready, pop_valid, clean;
  logic [Width-1:0] pop_word;
  eph_fifo #(.Width(Width), .Depth(Depth)) u_dut (
    .clk_i, .rst_i(rst_q), .clear_i, .push_valid_i, .push_ready_o(push_ready), .push_i,
    .pop_valid_o(pop_valid), .pop_ready_i,
    .pop_o(pop_word), .clean_o(clean));

  (* hierconn *) wire [AddrW:0] \u_dut.write_q ;
  (* hierconn *) wire [AddrW:0] \u_dut.read_q ;
  (* hierconn *) wire [AddrW:0] \u_dut.wipe_q ;
  (* keep *) wire [Width*Depth-1:0] mem;

  wire push = push_valid_i && push_ready && !clear_i;
  wire [AddrW:0] waiting = \u_dut.write_q - \u_dut.read_q ;
  wire [AddrW:0] occupied = \u_dut.write_q - \u_dut.wipe_q ;

  // ---- one ring position: the word pushed there is the word popped there
  (* anyconst *) logic [AddrW:0] position;
  logic [Width-1:0] word_q;
  wire [AddrW:0] behind_read = position - \u_dut.read_q ;
  wire position_waits = behind_read < waiting;
  always_ff @(posedge clk_i) if (push && \u_dut.write_q == position) word_q <= push_i;
  wire [Width-1:0] at_position = mem[position[AddrW-1:0] * Width +: Width];

  // ---- one memory place
  (* anyconst *) logic [AddrW-1:0] place;
  wire [AddrW-1:0] behind_wipe = place - \u_dut.wipe_q [AddrW-1:0];
  wire place_occupied = {1'b0, behind_wipe} < occupied;
  wire [Width-1:0] at_place = mem[place * Width +: Width];

  // ---- what a user sees
  logic [AddrW:0] count_q = '0;
  always_ff @(posedge clk_i) begin
    if (rst_q || clear_i) count_q <= '0;
    else count_q <= count_q + {{AddrW{1'b0}}, push} - {{AddrW{1'b0}}, pop_valid && pop_ready_i};
  end

  always_ff @(posedge clk_i) begin
    if (!rst_q) begin
      a_pointers: assert (waiting <= occupied && occupied <= Depth);
      a_count: assert (count_q == waiting);
      // pushed in the cycle before: to be seen now
      a_latency: assert (pop_valid == (count_q != '0));
      a_kept: assert (!position_waits || at_position == word_q);
      a_order: assert (!(pop_valid && \u_dut.read_q == position) || pop_word == word_q);
      a_nothing_shown: assert (pop_valid || pop_word == '0);
      a_erased: assert (place_occupied || at_place == '0);
      a_clean_is_clean: assert (!(clean && count_q == '0) || at_place == '0);
      a_ready: assert (push_ready == (occupied != Depth));
    end
  end
endmodule
