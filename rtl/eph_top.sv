// SPDX-License-Identifier: Apache-2.0
// Purpose: the whole device: registers and doorbells in, descriptors fetched, engines fed, completions written, interrupts requested.
// Contract: rtl/README.md "eph_top" and microcode/isa.def. AXI4-Lite slave (32-bit aligned accesses only), AXI4 master (INCR,
//   aligned, at most 256 bytes, never across 4 KiB, one burst outstanding each way, no IDs), interrupts as level request/acknowledge.
//   m_axi_aruser / m_axi_awuser carry the number of the queue whose memory is meant; they are stable while *valid is high.
//   busy_o is high whenever a future clock cycle could do something without a further input (it stays low in state FATAL, apart
//   from a pending interrupt); a bench may stop the clock while busy_o is low and no register access or bus answer is pending.
module eph_top #(
  parameter int unsigned Engines = 1,         // 1 .. 8
  parameter int unsigned Contexts = 64,       // an engine
  parameter int unsigned Queues = 16,         // 1 .. 16
  parameter int unsigned AxiDataBits = 128,   // 64, 128 or 256
  parameter bit Simulated = 1'b1,             // FEATURES bit 0
  parameter logic [31:0] BuildId = 32'd1,     // not 0xffffffff
  parameter logic [31:0] ClkKhz = 32'd150000, // information only; not 0xffffffff
  parameter int unsigned WatchdogCycles = 1 << 22 // without progress on the AXI master: FATAL
) (
  input  logic clk_i,
  input  logic rst_i, // synchronous, active high; the bus environment must be reset with it

  // AXI4-Lite slave: BAR0
  input  logic [16:0] s_axil_awaddr,
  input  logic        s_axil_awvalid,
  output logic        s_axil_awready,
  input  logic [31:0] s_axil_wdata,
  input  logic [3:0]  s_axil_wstrb, // anything but 4'hf: the write is ignored (answered OKAY)
  input  logic        s_axil_wvalid,
  output logic        s_axil_wready,
  output logic [1:0]  s_axil_bresp, // always OKAY
  output logic        s_axil_bvalid,
  input  logic        s_axil_bready,
  input  logic [16:0] s_axil_araddr,
  input  logic        s_axil_arvalid,
  output logic        s_axil_arready,
  output logic [31:0] s_axil_rdata,
  output logic [1:0]  s_axil_rresp, // always OKAY
  output logic        s_axil_rvalid,
  input  logic        s_axil_rready,

  // AXI4 master, read: SQE fetches (256 bytes) and shadow pages (one beat of the full bus width)
  output logic [63:0] m_axi_araddr,
  output logic [7:0]  m_axi_arlen,
  output logic [2:0]  m_axi_arsize,  // always the full bus width
  output logic [1:0]  m_axi_arburst, // always INCR
  output logic [3:0]  m_axi_aruser,
  output logic        m_axi_arvalid,
  input  logic        m_axi_arready,
  input  logic [AxiDataBits-1:0] m_axi_rdata,
  input  logic [1:0]  m_axi_rresp,
  input  logic        m_axi_rlast,
  input  logic        m_axi_rvalid,
  output logic        m_axi_rready,

  // AXI4 master, write: CQEs (256 bytes)
  output logic [63:0] m_axi_awaddr,
  output logic [7:0]  m_axi_awlen,
  output logic [2:0]  m_axi_awsize,
  output logic [1:0]  m_axi_awburst,
  output logic [3:0]  m_axi_awuser,
  output logic        m_axi_awvalid,
  input  logic        m_axi_awready,
  output logic [AxiDataBits-1:0] m_axi_wdata,
  output logic [AxiDataBits/8-1:0] m_axi_wstrb, // always all ones
  output logic        m_axi_wlast,
  output logic        m_axi_wvalid,
  input  logic        m_axi_wready,
  input  logic [1:0]  m_axi_bresp,
  input  logic        m_axi_bvalid,
  output logic        m_axi_bready,

  // MSI-X: request v is held until acknowledged; it falls in the cycle after the acknowledge and rises again for a later event
  // only after irq_ack_i[v] is low.
  output logic [16:0] irq_req_o,
  input  logic [16:0] irq_ack_i,

  output logic busy_o
);
  assign {s_axil_awready, s_axil_wready, s_axil_bresp, s_axil_bvalid, s_axil_arready, s_axil_rdata, s_axil_rresp, s_axil_rvalid} = '0;
  assign {m_axi_araddr, m_axi_arlen, m_axi_arsize, m_axi_arburst, m_axi_aruser, m_axi_arvalid, m_axi_rready} = '0;
  assign {m_axi_awaddr, m_axi_awlen, m_axi_awsize, m_axi_awburst, m_axi_awuser, m_axi_awvalid} = '0;
  assign {m_axi_wdata, m_axi_wstrb, m_axi_wlast, m_axi_wvalid, m_axi_bready, irq_req_o, busy_o} = '0;
endmodule
