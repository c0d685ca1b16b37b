// SPDX-License-Identifier: Apache-2.0
// Purpose: AXI4-Lite slave in front of the registers: turns the five channels into single-cycle
//   accesses, one at a time.
// Contract: access_valid_o for one cycle an access; a read's value is taken from access_rdata_i in
//   that same cycle. Writes with incomplete strobes are answered OKAY and not passed on. All
//   answers are OKAY. Reads and writes take turns when both wait.
// Latency: request to answer 2 cycles when nothing waits. Throughput: one access every 2 cycles.
//   Data-dependent timing: none.
// Cleared by: rst_i. Says nothing about addresses: the registers decode them.
module eph_axil (
  input  logic clk_i,
  input  logic rst_i,
  input  logic [16:0] s_axil_awaddr,
  input  logic        s_axil_awvalid,
  output logic        s_axil_awready,
  input  logic [31:0] s_axil_wdata,
  input  logic [3:0]  s_axil_wstrb,
  input  logic        s_axil_wvalid,
  output logic        s_axil_wready,
  output logic [1:0]  s_axil_bresp,
  output logic        s_axil_bvalid,
  input  logic        s_axil_bready,
  input  logic [16:0] s_axil_araddr,
  input  logic        s_axil_arvalid,
  output logic        s_axil_arready,
  output logic [31:0] s_axil_rdata,
  output logic [1:0]  s_axil_rresp,
  output logic        s_axil_rvalid,
  input  logic        s_axil_rready,

  output logic access_valid_o,
  output logic access_write_o,
  output logic [16:0] access_addr_o,
  output logic [31:0] access_wdata_o,
  input  logic [31:0] access_rdata_i,
  output logic busy_o // an access or its answer is under way
);
  logic aw_valid, w_valid, ar_valid, bvalid_q, rvalid_q, write_last_q;
  logic [16:0] aw_addr, ar_addr;
  logic [3:0] w_strb;
  logic [31:0] rdata_q;

  wire may_write = aw_valid && w_valid && !bvalid_q;
  wire may_read = ar_valid && !rvalid_q;
  wire write = may_write && !(may_read && write_last_q);
  wire read = may_read && !write;

  eph_skid #(.Width(17)) u_aw (
    .clk_i, .rst_i, .in_valid_i(s_axil_awvalid), .in_ready_o(s_axil_awready), .in_i(s_axil_awaddr),
    .out_valid_o(aw_valid), .out_ready_i(write), .out_o(aw_addr));
  eph_skid #(.Width(36)) u_w (
    .clk_i, .rst_i, .in_valid_i(s_axil_wvalid), .in_ready_o(s_axil_wready),
    .in_i({s_axil_wstrb, s_axil_wdata}),
    .out_valid_o(w_valid), .out_ready_i(write), .out_o({w_strb, access_wdata_o}));
  eph_skid #(.Width(17)) u_ar (
    .clk_i, .rst_i, .in_valid_i(s_axil_arvalid), .in_ready_o(s_axil_arready), .in_i(s_axil_araddr),
    .out_valid_o(ar_valid), .out_ready_i(read), .out_o(ar_addr));

  assign access_valid_o = read || (write && w_strb == 4'hf);
  assign access_write_o = write;
  assign access_addr_o = write ? aw_addr : ar_addr;
  assign s_axil_bresp = 2'b00;
  assign s_axil_bvalid = bvalid_q;
  assign s_axil_rresp = 2'b00;
  assign s_axil_rvalid = rvalid_q;
  assign s_axil_rdata = rdata_q;
  assign busy_o = aw_valid || w_valid || ar_valid || bvalid_q || rvalid_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      bvalid_q <= 1'b0;
      rvalid_q <= 1'b0;
      write_last_q <= 1'b0;
    end else begin
      if (write) bvalid_q <= 1'b1;
      else if (s_axil_bready) bvalid_q <= 1'b0;
      if (read) rvalid_q <= 1'b1;
      else if (s_axil_rready) rvalid_q <= 1'b0;
      if (write || read) write_last_q <= write;
      a_one_access: assert (!(write && read));
    end
    if (read) rdata_q <= access_rdata_i;
  end
endmodule
