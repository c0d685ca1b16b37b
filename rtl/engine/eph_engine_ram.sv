// SPDX-License-Identifier: Apache-2.0
// Purpose: one block RAM with one write and one read port and a fabric register behind its output.
// Contract: a read that meets a write to the same address returns the old word.
// Latency: address to data 2 cycles; a write is seen by reads whose address comes one cycle later
//          or more.
// Throughput: one read and one write a cycle.
// Data-dependent timing: none.
// Value bounds: none.
// Cleared by: whoever writes it.
module eph_engine_ram #(
    parameter int unsigned Width = 36,
    parameter int unsigned Depth = 1024,
    parameter int unsigned AddrW = $clog2(Depth)
) (
    input  logic             clk_i,
    input  logic             we_i,
    input  logic [AddrW-1:0] waddr_i,
    input  logic [Width-1:0] wdata_i,
    input  logic [AddrW-1:0] raddr_i,
    output logic [Width-1:0] rdata_o
);
  (* ram_style = "block" *) logic [Width-1:0] mem[0:Depth-1];
  logic [Width-1:0] read_q;

  always_ff @(posedge clk_i) begin
    if (we_i) mem[waddr_i] <= wdata_i;
    read_q  <= mem[raddr_i];
    rdata_o <= read_q;
  end
endmodule
