// SPDX-License-Identifier: Apache-2.0
// Purpose: table RAM, 32 entries a context, one read port: precomputed points of window methods.
// Contract: as eph_regfile; the address at time -2 gives even digits at time 0 and odd digits at
//           time 1.
// Latency: 2 cycles from address to even digits, 3 to odd digits.
// Throughput: one read and one write a cycle.
// Data-dependent timing: none. The address may be a secret digit: every read takes the same cycles,
//           but the power drawn by its address lines is not hidden.
// Value bounds: 36-bit digits, stored as they come.
// Cleared by: write-back turns of kind wipe and reset.
module eph_table #(
    parameter int unsigned Contexts = 64,
    parameter int unsigned AddrW = $clog2(Contexts) + eph_engine_pkg::TableW
) (
    input  logic               clk_i,
    input  logic [AddrW-1:0]   raddr_i,
    output logic [287:0]       tab_o,
    input  logic [7:0]         we_i,  // per digit
    input  logic [8*AddrW-1:0] waddr_i,
    input  logic [287:0]       wdata_i
);
  logic [AddrW-1:0] raddr_q;
  always_ff @(posedge clk_i) raddr_q <= raddr_i;

  for (genvar d = 0; d < 8; d++) begin : gen_digit
    eph_engine_ram #(.Width(36), .Depth(Contexts << eph_engine_pkg::TableW), .AddrW(AddrW)) u_ram (
        .clk_i,
        .we_i   (we_i[d]),
        .waddr_i(waddr_i[d*AddrW+:AddrW]),
        .wdata_i(wdata_i[36*d+:36]),
        .raddr_i((d % 2 == 0) ? raddr_i : raddr_q),
        .rdata_o(tab_o[36*d+:36])
    );
  end
endmodule
