// SPDX-License-Identifier: Apache-2.0
// Purpose: AXI read master: fetches one SQE (one burst of 256 bytes) or one shadow page (one beat)
//   at a time, checks the answer, and hands a good SQE on as 64 words.
// Contract: takes a grant when idle_o. An SQE is offered on sqe_* only after its whole burst came
//   without error and the table said that its queue still wants it; else it is erased. RLAST in the
//   wrong beat is an error. flush_i (reset): the burst is brought to its end on the bus, then
//   everything is erased. Watchdog: no answer for WatchdogCycles; the burst is given up (expired_o,
//   one cycle); a bus that answers later than that must be reset before the device is used again.
// Latency: grant to ARVALID 1 cycle; last beat to first word 3 cycles when the table is free.
//   Throughput: one SQE a (bus latency + beats + 64 + 5) cycles. Data-dependent timing: none.
// Cleared by: the buffer erases each place after its words have left (eph_fifo); the unit is idle
//   only when that is done. A shadow page holds no secret.
module eph_sq_fetch #(
  parameter int unsigned AxiDataBits = 128,
  parameter int unsigned WatchdogCycles = 1 << 22
) (
  input  logic clk_i,
  input  logic rst_i,
  input  logic flush_i,
  output logic idle_o,
  output logic expired_o,
  output logic [3:0] qid_o,   // of the read under way, or the last one
  output logic [63:0] addr_o, // its bus address

  input  logic grant_valid_i,
  input  logic grant_kick_i,
  input  logic [3:0] grant_qid_i,
  input  logic [63:3] grant_addr_i,
  output logic done_valid_o,
  input  logic done_ready_i,
  output logic done_failed_o,
  output logic done_kick_o,
  output logic [63:0] done_shadow_o,
  input  logic done_keep_i,

  output logic sqe_valid_o,
  input  logic sqe_ready_i,
  output logic [31:0] sqe_o,

  output logic [63:0] m_axi_araddr,
  output logic [7:0]  m_axi_arlen,
  output logic [2:0]  m_axi_arsize,
  output logic [1:0]  m_axi_arburst,
  output logic [3:0]  m_axi_aruser,
  output logic        m_axi_arvalid,
  input  logic        m_axi_arready,
  input  logic [AxiDataBits-1:0] m_axi_rdata,
  input  logic [1:0]  m_axi_rresp,
  input  logic        m_axi_rlast,
  input  logic        m_axi_rvalid,
  output logic        m_axi_rready
);
  localparam int unsigned Beats = 2048 / AxiDataBits;
  localparam int unsigned BeatBytesLog2 = $clog2(AxiDataBits / 8);
  localparam int unsigned Lanes = AxiDataBits / 32; // words a beat
  localparam int unsigned LaneW = $clog2(Lanes);

  localparam logic [2:0] Idle = 3'd0, Address = 3'd1, Data = 3'd2, Report = 3'd3, Hand = 3'd4,
      Erase = 3'd5;
  logic [2:0] state_q;
  logic kick_q, failed_q;
  logic [3:0] qid_q;
  logic [63:3] addr_q;
  logic [63:0] shadow_q;
  logic [4:0] beat_q;
  logic [5:0] word_q;

  wire [2:0] lane = addr_q[5:3] & 3'(AxiDataBits / 64 - 1); // of the shadow page in its beat
  wire bus = state_q == Address || state_q == Data;
  wire beat = m_axi_rvalid && state_q == Data;
  wire last = beat_q == (kick_q ? 5'd0 : 5'(Beats - 1));

  // ---- bus
  assign m_axi_araddr = {addr_q[63:BeatBytesLog2], {BeatBytesLog2{1'b0}}};
  assign m_axi_arlen = kick_q ? 8'd0 : 8'(Beats - 1);
  assign m_axi_arsize = 3'(BeatBytesLog2);
  assign m_axi_arburst = 2'b01;
  assign m_axi_aruser = qid_q;
  assign m_axi_arvalid = state_q == Address;
  assign m_axi_rready = state_q == Data;
  assign qid_o = qid_q;
  assign addr_o = m_axi_araddr;

  eph_watchdog #(.Cycles(WatchdogCycles)) u_watchdog (
    .clk_i, .rst_i, .active_i(bus), .progress_i(beat || (m_axi_arvalid && m_axi_arready)),
    .expired_o);

  // ---- buffer: exactly one SQE
  logic row_valid, row_ready, clean;
  logic [AxiDataBits-1:0] row;
  wire push = beat && !kick_q;
  wire word_taken = sqe_valid_o && sqe_ready_i;
  assign row_ready = word_taken && (&word_q[LaneW-1:0]);
  logic push_ready;
  eph_fifo #(.Width(AxiDataBits), .Depth(Beats)) u_buffer (
    .clk_i, .rst_i, .clear_i(state_q == Erase), .push_valid_i(push), .push_ready_o(push_ready),
    .push_i(m_axi_rdata),
    .pop_valid_o(row_valid), .pop_ready_i(row_ready), .pop_o(row), .clean_o(clean));

  assign sqe_valid_o = state_q == Hand && row_valid && !flush_i;
  assign sqe_o = row[32*word_q[LaneW-1:0] +: 32];

  // ---- sequence
  assign idle_o = state_q == Idle;
  assign done_valid_o = state_q == Report && !flush_i;
  assign done_failed_o = failed_q;
  assign done_kick_o = kick_q;
  assign done_shadow_o = shadow_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      state_q <= Erase;
    end else begin
      case (state_q)
        Idle: if (grant_valid_i && !flush_i) state_q <= Address;
        Address: if (m_axi_arready) state_q <= Data;
        Data: if (beat && last) state_q <= flush_i ? Erase : Report;
        Report: if (flush_i) state_q <= Erase;
          else if (done_ready_i) state_q <= done_keep_i ? Hand : Erase;
        Hand: if (flush_i || (word_taken && word_q == 6'd63)) state_q <= Erase;
        default: if (!row_valid && clean) state_q <= Idle; // Erase
      endcase
      if (expired_o) state_q <= Erase;
    end
    if (state_q == Idle) begin
      kick_q <= grant_kick_i;
      qid_q <= grant_qid_i;
      addr_q <= grant_addr_i;
      beat_q <= 5'd0;
      word_q <= 6'd0;
      failed_q <= 1'b0;
    end
    if (beat) begin
      beat_q <= beat_q + 5'd1;
      failed_q <= failed_q || m_axi_rresp != 2'b00 || m_axi_rlast != last;
    end
    if (beat && kick_q) shadow_q <= 64'(m_axi_rdata >> {lane, 6'd0});
    if (word_taken) word_q <= word_q + 6'd1;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      a_buffer_has_room: assert (!push || push_ready);
      a_whole_sqe_only: assert (!(state_q == Hand && word_q == 6'd0) || row_valid);
      a_idle_is_erased: assert (!idle_o || (clean && !row_valid));
      a_inside_4k: assert (!m_axi_arvalid || kick_q || m_axi_araddr[7:0] == 8'd0);
    end
  end
endmodule
