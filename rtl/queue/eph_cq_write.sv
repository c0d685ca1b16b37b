// SPDX-License-Identifier: Apache-2.0
// Purpose: takes completions from the engines, asks the queue table where each belongs, writes it
//   as one ascending burst of 256 bytes whose last word holds status and phase, and reports the
//   end.
// Contract: engines in turn, one completion at a time; the bus sees a completion only when it is
//   whole, then at full rate. CplWritten and CplRefused are reported after the bus has answered
//   OKAY: the completion is visible. A completion that the table refuses is erased, then reported
//   as CplDropped. flush_i (reset): a burst under way is brought to its end, everything else
//   erased. stop_i (fatal): starts nothing more. Watchdog as in eph_sq_fetch.
// Latency: last word in to AWVALID 2 cycles when the table is free. Throughput: one completion a
//   (64 + beats + bus latency + 8) cycles. Data-dependent timing: none (the status word decides
//   nothing but a counter).
// Cleared by: the buffer erases each beat after it was sent (eph_fifo), the gather register with
// each beat; idle only when erased.
module eph_cq_write #(
  parameter int unsigned Engines = 1,
  parameter int unsigned AxiDataBits = 128,
  parameter int unsigned WatchdogCycles = 1 << 22
) (
  input  logic clk_i,
  input  logic rst_i,
  input  logic flush_i,
  input  logic stop_i,
  output logic idle_o,
  output logic expired_o,
  output logic [3:0] qid_o,
  output logic [63:0] addr_o, // of the burst under way, or the last one

  input  logic [Engines-1:0] engine_valid_i,
  output logic [Engines-1:0] engine_ready_o,
  input  logic [32*Engines-1:0] engine_word_i,
  input  logic [4*Engines-1:0] engine_qid_i,
  output logic [Engines-1:0] retire_o, // whole completion taken from that engine

  output logic cpl_valid_o,
  input  logic cpl_ready_i,
  output logic [2:0] cpl_event_o,
  input  logic cpl_write_i,
  input  logic [63:0] cpl_addr_i,
  input  logic [15:0] cpl_sq_head_i,
  input  logic cpl_phase_i,

  output logic [63:0] m_axi_awaddr,
  output logic [7:0]  m_axi_awlen,
  output logic [2:0]  m_axi_awsize,
  output logic [1:0]  m_axi_awburst,
  output logic [3:0]  m_axi_awuser,
  output logic        m_axi_awvalid,
  input  logic        m_axi_awready,
  output logic [AxiDataBits-1:0] m_axi_wdata,
  output logic [AxiDataBits/8-1:0] m_axi_wstrb,
  output logic        m_axi_wlast,
  output logic        m_axi_wvalid,
  input  logic        m_axi_wready,
  input  logic [1:0]  m_axi_bresp,
  input  logic        m_axi_bvalid,
  output logic        m_axi_bready
);
  localparam int unsigned Beats = 2048 / AxiDataBits;
  localparam int unsigned Lanes = AxiDataBits / 32;
  localparam int unsigned LaneW = $clog2(Lanes);
  localparam int unsigned IndexW = Engines > 1 ? $clog2(Engines) : 1;

  localparam logic [2:0] Idle = 3'd0, Collect = 3'd1, Ask = 3'd2, Address = 3'd3, Data = 3'd4,
      Answer = 3'd5, Erase = 3'd6, End = 3'd7;
  logic [2:0] state_q, event_q;
  logic [Engines-1:0] grant, engine_q;
  logic [IndexW-1:0] index, index_q;
  logic [3:0] qid_q, qid_in;
  logic [5:0] word_q;
  logic [4:0] beat_q;
  logic [63:0] addr_q;
  logic [15:0] sq_head_q;
  logic phase_q, refused_q;
  logic [AxiDataBits-33:0] gather_q; // words of the beat that is not yet whole

  eph_arbiter #(.N(Engines)) u_arbiter (
    .clk_i, .rst_i, .req_i(engine_valid_i), .take_i(state_q == Idle && !flush_i && !stop_i),
    .grant_o(grant), .index_o(index));

  // ---- collect
  wire [31:0] word = engine_word_i[32*index_q +: 32];
  wire word_in = state_q == Collect && |(engine_q & engine_valid_i) && !flush_i;
  wire word_last = word_in && word_q == 6'd63;
  wire beat_whole = &word_q[LaneW-1:0];
  assign engine_ready_o = engine_q & {Engines{state_q == Collect && !flush_i}};
  assign retire_o = engine_q & {Engines{word_last}};
  assign qid_in = engine_qid_i[4*index_q +: 4];

  logic row_valid, push_ready, clean;
  logic [AxiDataBits-1:0] row;
  wire w_taken = m_axi_wvalid && m_axi_wready;
  eph_fifo #(.Width(AxiDataBits), .Depth(Beats)) u_buffer (
    .clk_i, .rst_i, .clear_i(state_q == Erase), .push_valid_i(word_in && beat_whole),
    .push_ready_o(push_ready),
    .push_i({word, gather_q}), .pop_valid_o(row_valid), .pop_ready_i(w_taken), .pop_o(row),
    .clean_o(clean));

  // ---- bus
  wire bus = state_q == Address || state_q == Data || state_q == Answer;
  assign m_axi_awaddr = addr_q;
  assign m_axi_awlen = 8'(Beats - 1);
  assign m_axi_awsize = 3'($clog2(AxiDataBits / 8));
  assign m_axi_awburst = 2'b01;
  assign m_axi_awuser = qid_q;
  assign m_axi_awvalid = state_q == Address;
  assign m_axi_wvalid = state_q == Data && row_valid;
  assign m_axi_wlast = beat_q == 5'(Beats - 1);
  assign m_axi_wstrb = '1;
  // The last beat ends with sq_head and qid (word 62), status and phase (word 63); the engine
  // leaves sq_head and phase zero.
  always_comb begin
    m_axi_wdata = row;
    if (m_axi_wlast) begin
      m_axi_wdata[AxiDataBits-64 +: 16] = sq_head_q;
      m_axi_wdata[AxiDataBits-16 +: 16] = {15'd0, phase_q};
    end
  end
  assign m_axi_bready = state_q == Answer;
  assign qid_o = qid_q;
  assign addr_o = addr_q;
  wire progress = (m_axi_awvalid && m_axi_awready) || w_taken || (m_axi_bready && m_axi_bvalid);
  eph_watchdog #(.Cycles(WatchdogCycles)) u_watchdog (
    .clk_i, .rst_i, .active_i(bus), .progress_i(progress), .expired_o);

  // ---- sequence
  wire nothing_to_report = flush_i || event_q == eph_queue_pkg::CplAsk;
  assign idle_o = state_q == Idle;
  assign cpl_valid_o = (state_q == Ask || state_q == End) && !flush_i;
  assign cpl_event_o = state_q == Ask ? eph_queue_pkg::CplAsk : event_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      state_q <= Erase;
      event_q <= eph_queue_pkg::CplAsk;
    end else begin
      case (state_q)
        Idle: if (|engine_valid_i && !flush_i && !stop_i) state_q <= Collect;
        Collect: if (flush_i) state_q <= Erase;
          else if (word_last) state_q <= Ask;
        Ask: if (flush_i) state_q <= Erase;
          else if (cpl_ready_i) state_q <= cpl_write_i ? Address : Erase;
        Address: if (m_axi_awready) state_q <= Data;
        Data: if (w_taken && m_axi_wlast) state_q <= Answer;
        Answer: if (m_axi_bvalid) state_q <= Erase;
        // After Answer nothing is left to erase but the last beat.
        Erase: if (!row_valid && clean) state_q <= nothing_to_report ? Idle : End;
        default: if (flush_i || cpl_ready_i) state_q <= Idle; // End
      endcase
      if (expired_o) state_q <= Erase;

      // What Erase is followed by: CplAsk stands for nothing to report.
      if (state_q == Idle || flush_i || expired_o) event_q <= eph_queue_pkg::CplAsk;
      else if (state_q == Ask) event_q <= eph_queue_pkg::CplDropped;
      else if (state_q == Answer) begin
        event_q <= refused_q ? eph_queue_pkg::CplRefused : eph_queue_pkg::CplWritten;
        if (m_axi_bresp != 2'b00) event_q <= eph_queue_pkg::CplFailed;
      end
    end

    if (state_q == Idle) begin
      engine_q <= grant;
      index_q <= index;
      word_q <= 6'd0;
      beat_q <= 5'd0;
    end
    if (word_in) begin
      word_q <= word_q + 6'd1;
      qid_q <= qid_in;
      refused_q <= word[15:0] != eph_isa_pkg::ST_OK[15:0]; // the last word counts
    end
    if (rst_i || (word_in && beat_whole) || flush_i) gather_q <= '0;
    else if (word_in) gather_q[32*word_q[LaneW-1:0] +: 32] <= word;
    if (state_q == Ask) begin
      addr_q <= cpl_addr_i;
      sq_head_q <= cpl_sq_head_i;
      phase_q <= cpl_phase_i;
    end
    if (w_taken) beat_q <= beat_q + 5'd1;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      a_buffer_has_room: assert (!(word_in && beat_whole) || push_ready);
      a_qid_stable: assert (!word_in || word_q == 6'd0 || qid_in == qid_q);
      a_burst_is_whole: assert (!(state_q == Data) || row_valid);
      a_idle_is_erased: assert (!idle_o || (clean && !row_valid && gather_q == '0));
      a_slot_aligned: assert (!m_axi_awvalid || m_axi_awaddr[7:0] == 8'd0);
      a_queue_fills_in: assert (!m_axi_wvalid || !m_axi_wlast ||
          (row[AxiDataBits-64 +: 16] == '0 && row[AxiDataBits-16 +: 16] == '0));
    end
  end
endmodule
