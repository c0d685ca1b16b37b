// SPDX-License-Identifier: Apache-2.0
// Purpose: FIFO in a small RAM (asynchronous read) that can erase what it held: nothing popped or
//   discarded stays in its memory.
// Contract: words leave in order, each exactly once. pop_o shows the oldest word while pop_valid_o,
//   else zero. clear_i discards all words, and one offered in the same cycle. Each freed place is
//   overwritten with zero, in order, in a cycle without a push, and counts as occupied until then;
//   clean_o: no freed place still holds its word. rst_i discards and erases everything.
// Latency: push to pop 1 cycle; a freed place is erased at the latest Depth push-free cycles later.
// Throughput: 1 word a cycle until the places run out; then pushes and erasures alternate.
// Data-dependent timing: none. Value bounds: Depth is a power of two. Cleared by: the erasure
// above.
module eph_fifo #(
  parameter int unsigned Width = 32,
  parameter int unsigned Depth = 16
) (
  input  logic clk_i,
  input  logic rst_i,
  input  logic clear_i,
  input  logic push_valid_i,
  output logic push_ready_o,
  input  logic [Width-1:0] push_i,
  output logic pop_valid_o,
  input  logic pop_ready_i,
  output logic [Width-1:0] pop_o,
  output logic clean_o
);
  localparam int unsigned AddrW = $clog2(Depth);
  if (Depth != (1 << AddrW) || Depth < 2) begin : gen_bad_depth
    $error("Depth must be a power of two, at least 2");
  end

  logic [Width-1:0] mem [0:Depth-1];
  // Pointers carry one bit more than the address. In ring order: wipe <= read <= write <= wipe +
  // Depth.
  logic [AddrW:0] write_q, read_q, wipe_q;

  wire full = write_q == {~wipe_q[AddrW], wipe_q[AddrW-1:0]};
  wire push = push_valid_i && push_ready_o && !clear_i;
  wire pop = pop_valid_o && pop_ready_i;
  wire wipe = !clean_o && !push;

  assign push_ready_o = !full;
  assign pop_valid_o = write_q != read_q;
  assign pop_o = pop_valid_o ? mem[read_q[AddrW-1:0]] : '0;
  assign clean_o = wipe_q == read_q;

  always_ff @(posedge clk_i) begin
    if (push) mem[write_q[AddrW-1:0]] <= push_i;
    else if (wipe) mem[wipe_q[AddrW-1:0]] <= '0;

    if (rst_i) begin // empty, and every place is due for erasure
      write_q <= {1'b1, {AddrW{1'b0}}};
      read_q <= {1'b1, {AddrW{1'b0}}};
      wipe_q <= '0;
    end else begin
      if (push) write_q <= write_q + 1'b1;
      if (clear_i) read_q <= write_q;
      else if (pop) read_q <= read_q + 1'b1;
      if (wipe) wipe_q <= wipe_q + 1'b1;
    end
  end

  wire [AddrW:0] occupied = write_q - wipe_q, waiting = write_q - read_q;
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      a_occupied_fits: assert (32'(occupied) <= Depth);
      a_waiting_is_occupied: assert (waiting <= occupied);
    end
  end
endmodule
