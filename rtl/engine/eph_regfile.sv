// SPDX-License-Identifier: Apache-2.0
// Purpose: the register file: 16 registers a context, four copies so that an instruction reads
//          four.
// Contract: addresses at time -2 give even digits at time 0 and odd digits at time 1. Each digit is
//           written on its own, when the datapath delivers it.
// Latency: 2 cycles from address to even digits, 3 to odd digits.
// Throughput: four reads and one write a cycle.
// Data-dependent timing: none; addresses never depend on a secret.
// Value bounds: 36-bit digits, stored as they come.
// Cleared by: write-back turns of kind wipe, unload and reset.
module eph_regfile #(
    parameter int unsigned Contexts = 64,
    parameter int unsigned AddrW = $clog2(Contexts) + eph_engine_pkg::RowW
) (
    input  logic               clk_i,
    input  logic [4*AddrW-1:0] raddr_i,  // port k at [k*AddrW +: AddrW]
    output logic [287:0]       p0_o,
    output logic [287:0]       p1_o,
    output logic [287:0]       p2_o,
    output logic [287:0]       p3_o,
    input  logic [7:0]         we_i,     // per digit
    input  logic [8*AddrW-1:0] waddr_i,
    input  logic [287:0]       wdata_i
);
  logic [4*AddrW-1:0] raddr_q;  // for the odd digits
  always_ff @(posedge clk_i) raddr_q <= raddr_i;

  logic [4*288-1:0] read;
  assign {p3_o, p2_o, p1_o, p0_o} = read;

  for (genvar d = 0; d < 8; d++) begin : gen_digit
    for (genvar k = 0; k < 4; k++) begin : gen_copy
      logic [AddrW-1:0] raddr;
      assign raddr = (d % 2 == 0) ? raddr_i[k*AddrW+:AddrW] : raddr_q[k*AddrW+:AddrW];
      eph_engine_ram #(.Width(36), .Depth(Contexts << eph_engine_pkg::RowW), .AddrW(AddrW)) u_ram (
          .clk_i,
          .we_i   (we_i[d]),
          .waddr_i(waddr_i[d*AddrW+:AddrW]),
          .wdata_i(wdata_i[36*d+:36]),
          .raddr_i(raddr),
          .rdata_o(read[288*k+36*d+:36])
      );
    end
  end
endmodule
