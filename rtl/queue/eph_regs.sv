// SPDX-License-Identifier: Apache-2.0
// Purpose: device-wide registers, address decode towards the queue table, error latch, reset
//   sequence.
// Contract: register map of isa.def. Unknown offsets read 0 and ignore writes. No register reads
//   0xffffffff: a value of all ones reads as 0xfffffffe. CYCLES_LO latches CYCLES_HI; the low word
//   of any BUSY counter latches the one BUSY high word: read low, then high. Reset, by rst_i or
//   CTRL: the engines are reset at once (their wipe waits for no bus), then flush_o holds until the
//   bus units are idle and erased, the queue table is clear and the engines are wiped; STATUS ready
//   rises after that (running_o). Until then queue registers read 0 and ignore writes. FATAL
//   (watchdog) stops all new work, makes STATUS not ready, and ends with the next reset. ERR_* keep
//   the first error since reset; ERR_ADDR is 0 for errors that are not of the bus.
// Latency: access in one cycle. Data-dependent timing: none (no operand passes here).
// Cleared by: rst_i; a CTRL reset leaves the counters running.
module eph_regs #(
  parameter int unsigned Engines = 1,
  parameter int unsigned Contexts = 64,
  parameter int unsigned Queues = 16,
  parameter bit Simulated = 1'b1,
  parameter logic [31:0] BuildId = 32'd1,
  parameter logic [31:0] ClkKhz = 32'd150000
) (
  input  logic clk_i,
  input  logic rst_i,

  input  logic access_valid_i, // as eph_axil gives it: a read's value belongs to the same cycle
  input  logic access_write_i,
  input  logic [16:0] access_addr_i,
  input  logic [31:0] access_wdata_i,
  output logic [31:0] access_rdata_o,

  output logic table_valid_o, // access to the queue table
  output logic [3:0] table_qid_o,
  output logic [eph_queue_pkg::OffsetW-1:0] table_offset_o,
  input  logic [31:0] table_rdata_i,

  output logic flush_o,        // bus units and queue table: give up what is under way
  output logic engine_reset_o,
  output logic running_o,      // no reset sequence under way
  input  logic flushed_i,      // bus units idle and erased, queue table clear
  input  logic [Engines-1:0] engine_ready_i,
  input  logic [Engines-1:0] engine_busy_i,

  input  logic err_valid_i, // of a queue
  input  logic [3:0] err_code_i,
  input  logic [3:0] err_qid_i,
  input  logic [1:0] expired_i, // watchdogs: {write, read}
  input  logic [3:0] read_qid_i,
  input  logic [63:0] read_addr_i,
  input  logic [3:0] write_qid_i,
  input  logic [63:0] write_addr_i,
  output logic fatal_o
);
  if (Engines < 1 || Engines > eph_isa_pkg::MAX_ENGINES) begin : gen_bad_engines
    $error("Engines must be 1..8");
  end
  if (&BuildId || &ClkKhz) begin : gen_bad_identity
    $error("BuildId and ClkKhz must not be all ones");
  end
  if (eph_isa_pkg::QUEUE_REGS_BASE != 32'h1000 || eph_isa_pkg::QUEUE_REGS_STRIDE != 32'h100 ||
      eph_isa_pkg::DOORBELL_BASE != 32'h2000 || eph_isa_pkg::DOORBELL_STRIDE != 32'h1000)
  begin : gen_bad_decode
    $error("address decode does not fit isa.def");
  end

  // ---- decode: page 0 global, page 1 queue registers, page 2 + q doorbells of queue q
  wire [4:0] page = access_addr_i[16:12];
  wire [4:0] doorbell = page - 5'd2;
  wire [4:0] qid = page == 5'd1 ? {1'b0, access_addr_i[11:8]} : doorbell;
  wire global_access = access_valid_i && page == 5'd0;
  wire doorbell_page = page >= 5'd2;
  assign table_valid_o = access_valid_i && page != 5'd0 && qid < 5'(Queues);
  assign table_qid_o = qid[3:0];
  assign table_offset_o = doorbell_page ? {1'b1, access_addr_i[11:0]} : {5'd0, access_addr_i[7:0]};
  wire [31:0] offset = {20'd0, access_addr_i[11:0]};
  wire read = global_access && !access_write_i;
  wire reset = global_access && access_write_i && offset == eph_isa_pkg::REG_CTRL &&
      |(access_wdata_i & eph_isa_pkg::CTRL_RESET);

  // ---- reset sequence
  localparam logic [1:0] Pulse = 2'd0, Settle = 2'd1, Wait = 2'd2, Ready = 2'd3;
  logic [1:0] reset_q;
  logic fatal_q;
  assign engine_reset_o = rst_i || reset_q == Pulse;
  assign flush_o = reset_q != Ready;
  assign running_o = reset_q == Ready;
  assign fatal_o = fatal_q;
  always_ff @(posedge clk_i) begin
    if (rst_i || reset) begin
      reset_q <= Pulse;
      fatal_q <= 1'b0;
    end else begin
      case (reset_q)
        Pulse: reset_q <= Settle;
        Settle: reset_q <= Wait; // the engines' ready may still be that of before the reset
        Wait: if (flushed_i && &engine_ready_i) reset_q <= Ready;
        default: ;
      endcase
      if (|expired_i) fatal_q <= 1'b1;
    end
  end

  // ---- first error since reset
  logic [3:0] err_code_q, err_qid_q;
  logic [63:0] err_addr_q;
  wire of_write = |expired_i ? expired_i[1] : err_code_i == eph_isa_pkg::ERR_AXI_WRITE[3:0];
  wire of_bus = |expired_i || of_write || err_code_i == eph_isa_pkg::ERR_AXI_READ[3:0];
  always_ff @(posedge clk_i) begin
    if (rst_i || reset) begin
      err_code_q <= eph_isa_pkg::ERR_NONE[3:0];
      err_qid_q <= 4'd0;
      err_addr_q <= 64'd0;
    end else if (err_code_q == eph_isa_pkg::ERR_NONE[3:0] && (err_valid_i || |expired_i)) begin
      err_code_q <= |expired_i ? eph_isa_pkg::ERR_WATCHDOG[3:0] : err_code_i;
      err_qid_q <= |expired_i ? (of_write ? write_qid_i : read_qid_i) : err_qid_i;
      err_addr_q <= !of_bus ? 64'd0 : of_write ? write_addr_i : read_addr_i;
    end
  end

  // ---- counters
  logic [63:0] cycles_q, busy_count;
  logic [31:0] cycles_hi_q, busy_hi_q;
  logic [64*Engines-1:0] busy_counts;
  wire busy_access = offset[11:6] == eph_isa_pkg::BUSY_BASE[11:6] && 32'(offset[5:3]) < Engines &&
      offset[1:0] == 2'b00;
  for (genvar e = 0; e < Engines; e++) begin : gen_busy
    logic [63:0] count_q;
    always_ff @(posedge clk_i) begin
      if (rst_i) count_q <= 64'd0;
      else if (engine_busy_i[e]) count_q <= count_q + 64'd1;
    end
    assign busy_counts[64*e +: 64] = count_q;
  end
  always_comb begin
    busy_count = 64'd0;
    for (int unsigned e = 0; e < Engines; e++)
      if (32'(offset[5:3]) == e) busy_count = busy_counts[64*e +: 64];
  end
  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      cycles_q <= 64'd0;
      cycles_hi_q <= 32'd0;
      busy_hi_q <= 32'd0;
    end else begin
      cycles_q <= cycles_q + 64'd1;
      if (read && offset == eph_isa_pkg::REG_CYCLES_LO) cycles_hi_q <= cycles_q[63:32];
      if (read && busy_access && !offset[2]) busy_hi_q <= busy_count[63:32];
    end
  end

  // ---- register reads
  wire [31:0] unfatal = running_o ? eph_isa_pkg::STATUS_READY : 32'd0;
  wire [31:0] status = fatal_q ? eph_isa_pkg::STATUS_FATAL : unfatal;
  logic [31:0] value;
  always_comb begin
    case (offset)
      eph_isa_pkg::REG_MAGIC: value = eph_isa_pkg::MAGIC;
      eph_isa_pkg::REG_IF_VERSION: value = eph_isa_pkg::IF_VERSION;
      eph_isa_pkg::REG_BUILD_ID: value = BuildId;
      eph_isa_pkg::REG_FEATURES: value = Simulated ? eph_isa_pkg::FEATURE_SIMULATED : 32'd0;
      eph_isa_pkg::REG_QUEUES: value = {16'(Contexts), eph_isa_pkg::MAX_LOG2_DEPTH[7:0],
          8'(Queues)};
      eph_isa_pkg::REG_ENGINES: value = Engines;
      eph_isa_pkg::REG_CURVES: value = eph_ucode_pkg::CurveMask;
      eph_isa_pkg::REG_OPS: value = eph_ucode_pkg::OpMask;
      eph_isa_pkg::REG_CLK_KHZ: value = ClkKhz;
      eph_isa_pkg::REG_STATUS: value = status;
      eph_isa_pkg::REG_ERR_CODE: value = {28'd0, err_code_q};
      eph_isa_pkg::REG_ERR_QID: value = {28'd0, err_qid_q};
      eph_isa_pkg::REG_ERR_ADDR_LO: value = err_addr_q[31:0];
      eph_isa_pkg::REG_ERR_ADDR_HI: value = err_addr_q[63:32];
      eph_isa_pkg::REG_CYCLES_LO: value = cycles_q[31:0];
      eph_isa_pkg::REG_CYCLES_HI: value = cycles_hi_q;
      // CTRL reads 0, too
      default: value = !busy_access ? 32'd0 : offset[2] ? busy_hi_q : busy_count[31:0];
    endcase
    if (page != 5'd0) value = table_valid_o ? table_rdata_i : 32'd0;
    access_rdata_o = &value ? 32'hffff_fffe : value;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      a_never_all_ones: assert (access_rdata_o != 32'hffff_ffff);
      a_running_means_wiped: assert (!running_o || &engine_ready_i);
      a_one_target: assert (!(table_valid_o && global_access));
    end
  end
endmodule
