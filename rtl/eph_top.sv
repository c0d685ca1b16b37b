// SPDX-License-Identifier: Apache-2.0
// Purpose: the whole device: registers and doorbells in, descriptors fetched, engines fed,
//   completions written, interrupts requested.
// Contract: rtl/README.md "eph_top" and microcode/isa.def. AXI4-Lite slave (32-bit aligned accesses
//   only), AXI4 master (INCR, aligned, at most 256 bytes, never across 4 KiB, one burst outstanding
//   each way, no IDs), interrupts as level request/acknowledge.
//   m_axi_aruser / m_axi_awuser carry the number of the queue whose memory is meant; they are
//   stable while *valid is high.
//   busy_o is high whenever a future clock cycle could do something without a further input (it
//   stays low in state FATAL, apart from a pending interrupt); a bench may stop the clock while
//   busy_o is low and no register access or bus answer is pending.
// Latency, throughput: queue/README.md. Data-dependent timing: none.
// Cleared by: rst_i and CTRL reset; STATUS ready rises when everything is wiped.
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

  // MSI-X: request v is held until acknowledged; it falls in the cycle after the acknowledge and
  // rises again, for a later event, only after irq_ack_i[v] is low.
  output logic [16:0] irq_req_o,
  input  logic [16:0] irq_ack_i,

  output logic busy_o
);
  // ---- register accesses
  logic access_valid, access_write, axil_busy;
  logic [16:0] access_addr;
  logic [31:0] access_wdata, access_rdata;
  eph_axil u_axil (
    .clk_i, .rst_i,
    .s_axil_awaddr, .s_axil_awvalid, .s_axil_awready, .s_axil_wdata, .s_axil_wstrb, .s_axil_wvalid,
    .s_axil_wready,
    .s_axil_bresp, .s_axil_bvalid, .s_axil_bready, .s_axil_araddr, .s_axil_arvalid, .s_axil_arready,
    .s_axil_rdata, .s_axil_rresp, .s_axil_rvalid, .s_axil_rready,
    .access_valid_o(access_valid), .access_write_o(access_write), .access_addr_o(access_addr),
    .access_wdata_o(access_wdata), .access_rdata_i(access_rdata), .busy_o(axil_busy));

  logic table_access, flush, engine_reset, running, fatal, cleared;
  logic [3:0] table_qid;
  logic [eph_queue_pkg::OffsetW-1:0] table_offset;
  logic [31:0] table_rdata;
  logic [Engines-1:0] engine_ready, engine_idle, engine_busy, engine_issue;
  logic err_valid, read_expired, write_expired, fetch_idle, cq_idle;
  logic [3:0] err_code, err_qid, read_qid, write_qid;
  logic [63:0] read_addr, write_addr;
  eph_regs #(.Engines(Engines), .Contexts(Contexts), .Queues(Queues), .Simulated(Simulated),
      .BuildId(BuildId), .ClkKhz(ClkKhz)) u_regs (
    .clk_i, .rst_i,
    .access_valid_i(access_valid), .access_write_i(access_write), .access_addr_i(access_addr),
    .access_wdata_i(access_wdata),
    .access_rdata_o(access_rdata),
    .table_valid_o(table_access), .table_qid_o(table_qid), .table_offset_o(table_offset),
    .table_rdata_i(table_rdata),
    .flush_o(flush), .engine_reset_o(engine_reset), .running_o(running),
    .flushed_i(fetch_idle && cq_idle && cleared),
    .engine_ready_i(engine_ready), .engine_busy_i(engine_busy),
    .err_valid_i(err_valid), .err_code_i(err_code), .err_qid_i(err_qid),
    .expired_i({write_expired, read_expired}),
    .read_qid_i(read_qid), .read_addr_i(read_addr), .write_qid_i(write_qid),
    .write_addr_i(write_addr), .fatal_o(fatal));

  // ---- queues: every decision in one table
  logic cpl_valid, cpl_ready, cpl_write, cpl_phase, grant_valid, grant_kick, done_valid,
      done_ready, done_failed, done_kick, done_keep;
  logic engine_free, quiet;
  logic [2:0] cpl_event;
  logic [63:0] cpl_addr, done_shadow;
  logic [15:0] cpl_sq_head;
  logic [3:0] grant_qid;
  logic [63:3] grant_addr;
  logic [16:0] irq_set;
  eph_queue_table #(.Queues(Queues)) u_table (
    .clk_i, .rst_i, .clear_i(flush), .cleared_o(cleared), .stop_i(fatal),
    .access_valid_i(table_access), .access_write_i(access_write), .access_qid_i(table_qid),
    .access_offset_i(table_offset),
    .access_wdata_i(access_wdata), .access_rdata_o(table_rdata),
    .cpl_valid_i(cpl_valid), .cpl_ready_o(cpl_ready), .cpl_event_i(cpl_event),
    .cpl_qid_i(write_qid), .cpl_write_o(cpl_write),
    .cpl_addr_o(cpl_addr), .cpl_sq_head_o(cpl_sq_head), .cpl_phase_o(cpl_phase),
    .read_idle_i(fetch_idle), .engine_free_i(engine_free),
    .grant_valid_o(grant_valid), .grant_kick_o(grant_kick), .grant_qid_o(grant_qid),
    .grant_addr_o(grant_addr),
    .done_valid_i(done_valid), .done_ready_o(done_ready), .done_failed_i(done_failed),
    .done_kick_i(done_kick), .done_qid_i(read_qid),
    .done_shadow_i(done_shadow), .done_keep_o(done_keep),
    .err_valid_o(err_valid), .err_qid_o(err_qid), .err_code_o(err_code), .irq_set_o(irq_set),
    .quiet_o(quiet));

  logic sqe_valid, sqe_ready;
  logic [31:0] sqe;
  eph_sq_fetch #(.AxiDataBits(AxiDataBits), .WatchdogCycles(WatchdogCycles)) u_fetch (
    .clk_i, .rst_i, .flush_i(flush), .idle_o(fetch_idle), .expired_o(read_expired),
    .qid_o(read_qid), .addr_o(read_addr),
    .grant_valid_i(grant_valid), .grant_kick_i(grant_kick), .grant_qid_i(grant_qid),
    .grant_addr_i(grant_addr),
    .done_valid_o(done_valid), .done_ready_i(done_ready), .done_failed_o(done_failed),
    .done_kick_o(done_kick),
    .done_shadow_o(done_shadow), .done_keep_i(done_keep),
    .sqe_valid_o(sqe_valid), .sqe_ready_i(sqe_ready), .sqe_o(sqe),
    .m_axi_araddr, .m_axi_arlen, .m_axi_arsize, .m_axi_arburst, .m_axi_aruser, .m_axi_arvalid,
    .m_axi_arready,
    .m_axi_rdata, .m_axi_rresp, .m_axi_rlast, .m_axi_rvalid, .m_axi_rready);

  // ---- engines
  logic [Engines-1:0] cmd_valid, cmd_ready, engine_cpl_valid, engine_cpl_ready, retire;
  logic [31:0] cmd;
  logic [32*Engines-1:0] engine_cpl;
  logic [4*Engines-1:0] engine_cpl_qid;
  eph_dispatch #(.Engines(Engines), .Contexts(Contexts)) u_dispatch (
    .clk_i, .rst_i, .flush_i(flush), .free_o(engine_free), .sqe_valid_i(sqe_valid),
    .sqe_ready_o(sqe_ready),
    .sqe_i(sqe), .cmd_valid_o(cmd_valid), .cmd_ready_i(cmd_ready), .cmd_o(cmd), .retire_i(retire));

  for (genvar e = 0; e < Engines; e++) begin : gen_engine
    eph_engine #(.Contexts(Contexts)) u_engine (
      .clk_i, .rst_i(engine_reset), .ready_o(engine_ready[e]), .idle_o(engine_idle[e]),
      .busy_o(engine_busy[e]),
      .issue_o(engine_issue[e]), .cmd_valid_i(cmd_valid[e]), .cmd_ready_o(cmd_ready[e]),
      .cmd_i(cmd), .cmd_qid_i(read_qid),
      .cpl_valid_o(engine_cpl_valid[e]), .cpl_ready_i(engine_cpl_ready[e]),
      .cpl_o(engine_cpl[32*e +: 32]),
      .cpl_qid_o(engine_cpl_qid[4*e +: 4]));
  end

  eph_cq_write #(.Engines(Engines), .AxiDataBits(AxiDataBits),
      .WatchdogCycles(WatchdogCycles)) u_cq_write (
    .clk_i, .rst_i, .flush_i(flush), .stop_i(fatal), .idle_o(cq_idle), .expired_o(write_expired),
    .qid_o(write_qid), .addr_o(write_addr),
    .engine_valid_i(engine_cpl_valid), .engine_ready_o(engine_cpl_ready),
    .engine_word_i(engine_cpl), .engine_qid_i(engine_cpl_qid),
    .retire_o(retire),
    .cpl_valid_o(cpl_valid), .cpl_ready_i(cpl_ready), .cpl_event_o(cpl_event),
    .cpl_write_i(cpl_write), .cpl_addr_i(cpl_addr),
    .cpl_sq_head_i(cpl_sq_head), .cpl_phase_i(cpl_phase),
    .m_axi_awaddr, .m_axi_awlen, .m_axi_awsize, .m_axi_awburst, .m_axi_awuser, .m_axi_awvalid,
    .m_axi_awready,
    .m_axi_wdata, .m_axi_wstrb, .m_axi_wlast, .m_axi_wvalid, .m_axi_wready, .m_axi_bresp,
    .m_axi_bvalid, .m_axi_bready);

  // ---- interrupts: errors, the watchdog's too, on vector 0
  logic irq_pending;
  eph_msix u_msix (
    .clk_i, .rst_i, .clear_i(flush), .set_i(irq_set | {16'd0, read_expired || write_expired}),
    .req_o(irq_req_o), .ack_i(irq_ack_i),
    .pending_o(irq_pending));

  wire work = !quiet || !fetch_idle || !cq_idle || !(&engine_idle);
  assign busy_o = rst_i || axil_busy || irq_pending || !running || (work && !fatal);

  logic unused;
  assign unused = |engine_issue; // of interest to a bench that looks inside
endmodule
