// SPDX-License-Identifier: Apache-2.0
// Purpose: the state of all queues and every decision about them. One event a cycle on one queue,
//   atomically, so no two events race: register access before completion before finished read
//   before scan. The scan visits the queues in turn, grants reads, raises interrupts and ends
//   drains.
// Contract:
//   - An SQE is granted only when its queue is on, the engines have room (engine_free_i) and a CQE
//     is free for it. Every SQE whose read ended well becomes one completion: sq_head == cq_tail
//     means that nothing of the queue is under way.
//   - Ring order is cq_head <= cq_tail <= sq_head <= sq_tail; in error goes a queue whose doorbell
//     is out of range, moves sq_tail or cq_head backwards, cq_head beyond what can be visible, or
//     sq_tail beyond depth-1 requests without a completion. The host may see a completion, and
//     consume it, before the bus has answered its write: cq_head may then be one ahead of cq_tail.
//     sq_head moves when the SQE has been read whole.
//   - Bases, depth and vector are written in state off only, SQ_TAIL and KICK in state on only,
//     CQ_HEAD in on and draining; other writes are ignored. LOG2_DEPTH above 15 reads back as 15,
//     VECTOR above 31 as 31. ENABLE = 1 is ignored while draining.
//   - Arming survives CQ_HEAD writes without ARM, and ends with its interrupt.
//   - In state error completions under way are dropped (counted, not written) until the drain after
//     ENABLE = 0 is over. An error during a drain ends in state off as well.
//   - clear_i: all state becomes zero within Queues cycles (cleared_o); accesses are ignored and
//     read 0.
// Latency: an event takes the cycle in which it is accepted. An interrupt follows its cause within
//   2 * Queues scan cycles.
// Data-dependent timing: none (no operand passes here). Cleared by: clear_i, hold it for Queues
// cycles.
module eph_queue_table #(
  parameter int unsigned Queues = 16
) (
  input  logic clk_i,
  input  logic rst_i,
  input  logic clear_i,
  output logic cleared_o,
  input  logic stop_i, // grant nothing more (fatal)

  // Register access: always taken. offset_i: QREG_*, or DB_* + DoorbellSpace.
  input  logic        access_valid_i,
  input  logic        access_write_i,
  input  logic [3:0]  access_qid_i,
  input  logic [eph_queue_pkg::OffsetW-1:0] access_offset_i,
  input  logic [31:0] access_wdata_i,
  output logic [31:0] access_rdata_o,

  // Completions.
  input  logic        cpl_valid_i,
  output logic        cpl_ready_o,
  input  logic [2:0]  cpl_event_i,
  input  logic [3:0]  cpl_qid_i,
  output logic        cpl_write_o, // answer to CplAsk: write it, or drop it
  output logic [63:0] cpl_addr_o,
  output logic [15:0] cpl_sq_head_o,
  output logic        cpl_phase_o,

  // Reads: granted by the scan in the cycle of grant_valid_o, reported when finished.
  input  logic        read_idle_i,
  input  logic        engine_free_i,
  output logic        grant_valid_o,
  output logic        grant_kick_o, // the shadow page, else an SQE
  output logic [3:0]  grant_qid_o,
  output logic [63:3] grant_addr_o,
  input  logic        done_valid_i,
  output logic        done_ready_o,
  input  logic        done_failed_i,
  input  logic        done_kick_i,
  input  logic [3:0]  done_qid_i,
  input  logic [63:0] done_shadow_i, // the shadow page's two words
  output logic        done_keep_o,   // the SQE may go to an engine

  output logic        err_valid_o,
  output logic [3:0]  err_qid_o,
  output logic [3:0]  err_code_o,
  output logic [16:0] irq_set_o,
  output logic        quiet_o // a whole round of scans found nothing to do
);
  if (Queues < 1 || Queues > eph_isa_pkg::MAX_QUEUES) begin : gen_bad_queues
    $error("Queues must be 1..16");
  end
  localparam logic [1:0] Off = eph_isa_pkg::QSTATE_OFF[1:0];
  localparam logic [1:0] On = eph_isa_pkg::QSTATE_ON[1:0];
  localparam logic [1:0] Draining = eph_isa_pkg::QSTATE_DRAINING[1:0];
  localparam logic [1:0] Error = eph_isa_pkg::QSTATE_ERROR[1:0];
  localparam logic [3:0] LastQueue = 4'(Queues - 1);

  // ---- per-queue state; bases as written, the rest as far as it is meaningful
  // (RAMs of 16 rows, whatever Queues is)
  logic [31:0] sq_lo [0:15], sq_hi [0:15], cq_lo [0:15], cq_hi [0:15], sh_lo [0:15], sh_hi [0:15];
  logic [3:0]  log2_depth [0:15];
  logic [4:0]  vector [0:15];
  logic [1:0]  state [0:15];
  logic [3:0]  flags [0:15]; // {drop, armed, kick, phase}
  logic [5:0]  sq_tail [0:15], sq_head [0:15], cq_tail [0:15], cq_head [0:15];
  logic [31:0] done [0:15], errors [0:15];

  // ---- which event this cycle
  // work: grants included; care: while no grant is possible
  logic [3:0] clear_ptr_q, work_ptr_q, care_ptr_q;
  logic cleared_q;
  logic [4:0] quiet_q; // consecutive scans in the work order that found nothing

  wire ev_access = access_valid_i && !clear_i;
  wire ev_cpl = cpl_valid_i && cpl_ready_o;
  wire ev_done = done_valid_i && done_ready_o;
  wire ev_scan = !clear_i && !access_valid_i && !cpl_valid_i && !done_valid_i;
  wire may_work = read_idle_i && engine_free_i && !stop_i;
  assign cpl_ready_o = !clear_i && !access_valid_i;
  assign done_ready_o = !clear_i && !access_valid_i && !cpl_valid_i;
  wire [3:0] scan_ptr = may_work ? work_ptr_q : care_ptr_q;
  logic [3:0] q;
  always_comb begin
    q = scan_ptr;
    if (done_valid_i) q = done_qid_i;
    if (cpl_valid_i) q = cpl_qid_i;
    if (access_valid_i) q = access_qid_i;
    if (clear_i) q = clear_ptr_q;
  end

  // ---- the row of that queue
  wire [1:0] st = state[q];
  wire [3:0] depth_log2 = log2_depth[q];
  wire [4:0] vec = vector[q];
  wire drop = flags[q][3], armed = flags[q][2], kick = flags[q][1], phase = flags[q][0];
  wire [5:0] tail = sq_tail[q], head = sq_head[q], written = cq_tail[q], consumed = cq_head[q];
  wire [5:0] mask = ~(6'h3f << depth_log2[2:0]);
  wire [5:0] next_head = (head + 6'd1) & mask;
  wire [5:0] next_written = (written + 6'd1) & mask;
  wire live = (st == On || st == Draining) && !drop;

  // ---- access decode
  wire write = ev_access && access_write_i;
  wire [31:0] offset = {19'd0, access_offset_i};
  wire [31:0] doorbell = offset ^ eph_queue_pkg::DoorbellSpace; // beyond the page for a register
  wire wr_tail = write && doorbell == eph_isa_pkg::DB_SQ_TAIL && st == On;
  wire wr_head = write && doorbell == eph_isa_pkg::DB_CQ_HEAD && live;
  wire wr_kick = write && doorbell == eph_isa_pkg::DB_KICK && st == On;
  wire wr_enable = write && offset == eph_isa_pkg::QREG_ENABLE;
  wire wr_config = write && st == Off;
  wire turn_on = wr_enable && access_wdata_i[0] && st == Off;
  wire turn_off = wr_enable && !access_wdata_i[0] && (st == On || st == Error);
  wire bases_ok = sq_lo[q][7:0] == '0 && cq_lo[q][7:0] == '0 && sh_lo[q][2:0] == '0;
  wire depth_ok = depth_log2 >= eph_isa_pkg::MIN_LOG2_DEPTH[3:0] &&
                  depth_log2 <= eph_isa_pkg::MAX_LOG2_DEPTH[3:0];
  wire config_ok = bases_ok && depth_ok && vec >= 5'd1 && vec < eph_isa_pkg::MSIX_VECTORS[4:0];

  // ---- new tail and head, from a doorbell or from the shadow page
  wire shadow = ev_done && done_kick_i && !done_failed_i && st == On;
  wire new_tail_valid = wr_tail || shadow;
  wire new_head_valid = wr_head || shadow;
  wire [31:0] new_tail = shadow ? done_shadow_i[31:0] : access_wdata_i;
  wire [31:0] new_head = shadow ? done_shadow_i[63:32] : access_wdata_i; // bit 31: ARM
  // A write under way may be visible already. There is room for it (cq_head never catches up from
  // behind): never ambiguous.
  logic writing_q; // a completion is being written, of queue writing_qid_q
  logic [3:0] writing_qid_q;
  wire [5:0] visible = writing_q && writing_qid_q == q ? next_written : written;
  wire ahead = visible != written && consumed == visible;
  wire [5:0] tail_step = (new_tail[5:0] - head) & mask, tail_least = (tail - head) & mask;
  // The host has at most depth-1 requests without a completion.
  wire [5:0] tail_most = mask - ((head - visible) & mask);
  wire [5:0] head_step = (new_head[5:0] - consumed) & mask, head_most = (visible - consumed) & mask;
  wire tail_bad = (new_tail[31:6] != '0) || ((new_tail[5:0] & ~mask) != '0) ||
      tail_step < tail_least || tail_step > tail_most;
  wire head_bad = (new_head[30:6] != '0) || ((new_head[5:0] & ~mask) != '0) ||
      head_step > head_most;

  // ---- completions and reads
  wire cpl_end = ev_cpl && cpl_event_i != eph_queue_pkg::CplAsk;
  wire cpl_refused = cpl_end && cpl_event_i == eph_queue_pkg::CplRefused;
  wire cpl_visible = cpl_refused || (cpl_end && cpl_event_i == eph_queue_pkg::CplWritten);
  assign cpl_write_o = live;
  assign cpl_addr_o = {cq_hi[q], cq_lo[q]} + {50'd0, written, 8'd0};
  assign cpl_sq_head_o = {10'd0, head};
  assign cpl_phase_o = phase;
  assign done_keep_o = live && !done_failed_i && !done_kick_i;

  // ---- scan
  logic reading_q; // a read is under way, of queue reading_qid_q
  logic [3:0] reading_qid_q;
  wire scan_irq = ev_scan && armed && written != consumed && !ahead;
  wire scan_kick = ev_scan && kick && read_idle_i && !stop_i;
  wire scan_work = ev_scan && may_work && st == On && !kick && head != tail &&
      next_head != consumed;
  wire being_read = reading_q && reading_qid_q == q;
  wire scan_off = ev_scan && st == Draining && head == written && !being_read && !scan_irq;
  assign grant_valid_o = scan_kick || scan_work;
  assign grant_kick_o = scan_kick;
  assign grant_qid_o = q;
  wire [63:3] sqe_addr = {sq_hi[q], sq_lo[q][31:3]} + {50'd0, head, 5'd0};
  assign grant_addr_o = scan_kick ? {sh_hi[q], sh_lo[q][31:3]} : sqe_addr;
  assign irq_set_o = ({16'd0, scan_irq} << vec) | {16'd0, err_valid_o};

  // ---- errors: one an event
  wire err_config = turn_on && !config_ok;
  wire err_tail = new_tail_valid && tail_bad;
  wire err_head = new_head_valid && head_bad;
  wire err_read = ev_done && done_failed_i;
  wire err_write = cpl_end && cpl_event_i == eph_queue_pkg::CplFailed;
  assign err_valid_o = err_config || err_tail || err_head || err_read || err_write;
  assign err_qid_o = q;
  always_comb begin
    err_code_o = eph_isa_pkg::ERR_CQ_HEAD[3:0];
    if (err_tail) err_code_o = eph_isa_pkg::ERR_SQ_TAIL[3:0];
    if (err_config) err_code_o = eph_isa_pkg::ERR_CONFIG[3:0];
    if (err_read) err_code_o = eph_isa_pkg::ERR_AXI_READ[3:0];
    if (err_write) err_code_o = eph_isa_pkg::ERR_AXI_WRITE[3:0];
  end

  // ---- next row
  logic [1:0] state_d;
  always_comb begin
    state_d = st;
    if (clear_i || scan_off) state_d = Off;
    else if (turn_on && config_ok) state_d = On;
    else if (turn_off) state_d = Draining;
    else if (err_valid_o && st != Draining) state_d = Error;
  end
  wire drop_d = err_valid_o || (drop && !turn_on);
  wire arm = new_head_valid && new_head[31];
  wire armed_d = !err_valid_o && (arm || (armed && !scan_irq && !turn_on));
  wire kick_d = (kick && !scan_kick && !turn_off && !err_valid_o) || wr_kick;
  wire phase_d = turn_on || (phase ^ (cpl_end && next_written == '0));
  wire row_zero = clear_i || turn_on;
  wire [31:0] config_d = clear_i ? 32'd0 : access_wdata_i;

  always_ff @(posedge clk_i) begin
    state[q] <= state_d;
    flags[q] <= clear_i ? 4'd0 : {drop_d, armed_d, kick_d, phase_d};
    if (row_zero || (new_tail_valid && !tail_bad)) sq_tail[q] <= row_zero ? 6'd0 : new_tail[5:0];
    if (row_zero || (new_head_valid && !head_bad)) cq_head[q] <= row_zero ? 6'd0 : new_head[5:0];
    if (row_zero || (ev_done && done_keep_o)) sq_head[q] <= row_zero ? 6'd0 : next_head;
    if (row_zero || cpl_end) cq_tail[q] <= row_zero ? 6'd0 : next_written;
    if (row_zero || cpl_visible) done[q] <= row_zero ? 32'd0 : done[q] + 32'd1;
    if (row_zero || cpl_refused) errors[q] <= row_zero ? 32'd0 : errors[q] + 32'd1;
    if (clear_i || (wr_config && offset == eph_isa_pkg::QREG_SQ_BASE_LO)) sq_lo[q] <= config_d;
    if (clear_i || (wr_config && offset == eph_isa_pkg::QREG_SQ_BASE_HI)) sq_hi[q] <= config_d;
    if (clear_i || (wr_config && offset == eph_isa_pkg::QREG_CQ_BASE_LO)) cq_lo[q] <= config_d;
    if (clear_i || (wr_config && offset == eph_isa_pkg::QREG_CQ_BASE_HI)) cq_hi[q] <= config_d;
    if (clear_i || (wr_config && offset == eph_isa_pkg::QREG_SHADOW_BASE_LO)) sh_lo[q] <= config_d;
    if (clear_i || (wr_config && offset == eph_isa_pkg::QREG_SHADOW_BASE_HI)) sh_hi[q] <= config_d;
    if (clear_i || (wr_config && offset == eph_isa_pkg::QREG_LOG2_DEPTH))
      log2_depth[q] <= clear_i ? 4'd0 : access_wdata_i[31:4] != '0 ? 4'd15 : access_wdata_i[3:0];
    if (clear_i || (wr_config && offset == eph_isa_pkg::QREG_VECTOR))
      vector[q] <= clear_i ? 5'd0 : access_wdata_i[31:5] != '0 ? 5'd31 : access_wdata_i[4:0];
  end

  function automatic [3:0] step(input [3:0] pointer);
    step = pointer == LastQueue ? 4'd0 : pointer + 4'd1;
  endfunction

  wire idle_scan = ev_scan && may_work && !scan_irq && !grant_valid_o && !scan_off;
  assign quiet_o = quiet_q == 5'(Queues);
  assign cleared_o = cleared_q;
  always_ff @(posedge clk_i) begin
    clear_ptr_q <= (rst_i || !clear_i) ? 4'd0 : step(clear_ptr_q);
    cleared_q <= !rst_i && clear_i && (cleared_q || clear_ptr_q == LastQueue);
    if (rst_i || clear_i) begin
      work_ptr_q <= 4'd0;
      care_ptr_q <= 4'd0;
      reading_q <= 1'b0;
      writing_q <= 1'b0;
      quiet_q <= 5'd0;
    end else begin
      if (ev_scan && may_work) work_ptr_q <= step(work_ptr_q);
      if (ev_scan && !may_work) care_ptr_q <= step(care_ptr_q);
      if (grant_valid_o) reading_q <= 1'b1;
      else if (ev_done) reading_q <= 1'b0;
      if (ev_cpl) writing_q <= cpl_event_i == eph_queue_pkg::CplAsk && cpl_write_o;
      quiet_q <= !idle_scan ? 5'd0 : quiet_o ? quiet_q : quiet_q + 5'd1;
    end
    if (grant_valid_o) reading_qid_q <= q;
    if (ev_cpl) writing_qid_q <= q;
  end

  // ---- register reads
  always_comb begin
    case (offset)
      eph_isa_pkg::QREG_SQ_BASE_LO: access_rdata_o = sq_lo[q];
      eph_isa_pkg::QREG_SQ_BASE_HI: access_rdata_o = sq_hi[q];
      eph_isa_pkg::QREG_CQ_BASE_LO: access_rdata_o = cq_lo[q];
      eph_isa_pkg::QREG_CQ_BASE_HI: access_rdata_o = cq_hi[q];
      eph_isa_pkg::QREG_SHADOW_BASE_LO: access_rdata_o = sh_lo[q];
      eph_isa_pkg::QREG_SHADOW_BASE_HI: access_rdata_o = sh_hi[q];
      eph_isa_pkg::QREG_LOG2_DEPTH: access_rdata_o = {28'd0, depth_log2};
      eph_isa_pkg::QREG_VECTOR: access_rdata_o = {27'd0, vec};
      eph_isa_pkg::QREG_ENABLE: access_rdata_o = {31'd0, st == On || st == Error};
      eph_isa_pkg::QREG_STATE: access_rdata_o = {30'd0, st};
      eph_isa_pkg::QREG_SQ_HEAD: access_rdata_o = {26'd0, head};
      eph_isa_pkg::QREG_CQ_TAIL: access_rdata_o = {26'd0, written};
      eph_isa_pkg::QREG_DONE: access_rdata_o = done[q];
      eph_isa_pkg::QREG_ERRORS: access_rdata_o = errors[q];
      default: access_rdata_o = 32'd0;
    endcase
    if (clear_i) access_rdata_o = 32'd0;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_i && !clear_i) begin
      a_queue_exists: assert ({1'b0, q} < 5'(Queues));
      a_ring_order: assert (!(st == On || st == Draining) ||
          ((visible - consumed) & mask) <= ((head - consumed) & mask));
      a_granted_is_on: assert (!grant_valid_o || st == On);
      a_one_grant: assert (!(scan_kick && scan_work));
      a_off_is_empty: assert (!scan_off || head == written);
      a_completion_was_started: assert (!(cpl_end && head == written));
      a_done_was_granted: assert (!ev_done || (reading_q && reading_qid_q == q));
    end
  end
endmodule
