// SPDX-License-Identifier: Apache-2.0
// eph_fma with its latencies as an output, so that the bench reads what the engine uses.
module eph_fma_bench (
    input  logic         clk_i,
    input  logic [ 23:0] ctl_i,
    input  logic [287:0] p0_i,
    input  logic [287:0] p1_i,
    input  logic [287:0] p2_i,
    input  logic [287:0] p3_i,
    input  logic [287:0] tab_i,
    input  logic [287:0] rom_i,
    output logic [287:0] res_o,
    output logic [ 63:0] lat_o,
    output logic [ 15:0] lat_min_max_o
);
  assign lat_o = eph_fma_pkg::Lat;
  assign lat_min_max_o = {8'(eph_fma_pkg::LatMax), 8'(eph_fma_pkg::LatMin)};
  eph_fma u_fma (.*);
endmodule
