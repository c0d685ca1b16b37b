// SPDX-License-Identifier: Apache-2.0
// Purpose: takes finished contexts one at a time, reads and clears their results, decides the
//          status and composes the completion in a buffer of eph_cqe_out.
// Contract: one result register a turn, read on port 0 and cleared in the same turn; the context is
//           released in the turn after the last of them, when that clearing has landed and all
//           scalar bytes are zero. The completion is given away only then, so eph_cqe_out may offer
//           all of it. Status BAD_POINT wins over ZERO, CHECK over
//           both: what they say may be wrong as well.
// Latency: up to a turn to find a context, then results + 2 turns, then 3 words.
// Throughput: one completion in about (results + 2) * Contexts cycles, while the one before is
//           streamed out.
// Data-dependent timing: none.
// Value bounds: at most 7 results of 32 bytes.
// Cleared by: eph_canon clears itself; nothing else here holds a secret.
module eph_unload #(
    parameter int unsigned Contexts = 64,
    parameter int unsigned CtxW = $clog2(Contexts)
) (
    input  logic            clk_i,
    input  logic            rst_i,
    input  logic            ready_i,
    // sequencer
    input  logic [CtxW-1:0] turn_ctx_i,
    output logic            take_o,
    input  logic            take_ack_i,
    output logic            req_o,
    output logic [CtxW-1:0] req_ctx_o,
    output logic            req_free_o,
    output logic [3:0]      req_row_o,
    input  logic            req_ack_i,
    input  logic [15:0]     req_turns_i,
    input  logic [287:0]    p0_i,          // register port 0, digits skewed in time
    // context info RAM
    output logic [CtxW+1:0] info_addr_o,
    input  logic [31:0]     info_data_i,   // same cycle
    // scalar RAM: zeros, when the load unit leaves the port
    output logic            scalar_we_o,
    output logic [CtxW-1:0] scalar_ctx_o,
    output logic [4:0]      scalar_pair_o,
    input  logic            scalar_ack_i,
    // the digits that the context's program consumed are not those of its scalar: known before the
    // next turn of a context that was taken
    input  logic            scalar_fault_i,
    // completion buffer
    output logic            buf_we_o,
    output logic [5:0]      buf_addr_o,
    output logic [31:0]     buf_data_o,
    output logic            give_o,
    input  logic            give_ready_i,
    output logic            give_ok_o,     // show the results
    output logic [3:0]      give_qid_o
);
  localparam logic [5:0] GenerationWord = 6'(eph_isa_pkg::CQE_GENERATIONByte / 4);
  localparam logic [5:0] CyclesWord = 6'(eph_isa_pkg::CQE_CYCLESByte / 4);
  localparam logic [5:0] TagWord = 6'(eph_isa_pkg::CQE_TAGByte / 4);
  localparam logic [5:0] QidWord = 6'(eph_isa_pkg::CQE_SQ_HEADByte / 4);
  localparam logic [5:0] StatusWord = 6'(eph_isa_pkg::CQE_STATUSByte / 4);
  // From the acknowledge at stage 1 to the even digits.
  localparam int unsigned ReadDelay = eph_engine_pkg::ReadStage - 1;

  typedef enum logic [2:0] {
    StSeek = 3'd0, StInfo = 3'd1, StRead = 3'd2, StValue = 3'd3,
    StFree = 3'd4, StTail = 3'd5, StGive = 3'd6
  } state_e;
  logic [2:0] state_q;
  logic [1:0] step_q;
  logic [3:0] row_q, qid_q;
  logic [7:0] opcode_q, curve_q;
  logic [15:0] status_q;
  logic [31:0] cycles_q;
  logic [CtxW-1:0] ctx_q;
  logic [127:0] prog;
  logic opcode_exists, known, check_row, last_row;
  logic [3:0] results;
  assign prog = eph_ucode_pkg::program_word(opcode_q, curve_q);
  assign opcode_exists = 32'(opcode_q) == eph_isa_pkg::OP_KEYGEN
      || 32'(opcode_q) == eph_isa_pkg::OP_DERIVE;
  assign known = prog[eph_isa_pkg::P_VALIDLsb];
  assign results = prog[eph_isa_pkg::P_RESULTSLsb+:eph_isa_pkg::P_RESULTSW];
  assign last_row = row_q + 4'd1 == results;
  assign check_row = last_row && prog[eph_isa_pkg::P_CHECKLsb];

  // ---- one value: from the register port through canonicalisation to words
  logic [ReadDelay-1:0] read_q;  // cycles since the acknowledge
  logic canon_busy, word_valid, value_zero;
  logic [2:0] word_index;
  logic [31:0] word;
  always_ff @(posedge clk_i)
    read_q <= rst_i ? '0 : {read_q[ReadDelay-2:0], req_ack_i && !req_free_o};
  eph_canon u_canon (
      .clk_i, .rst_i,
      .wipe_i      (!ready_i),
      .start_i     (read_q[ReadDelay-1]),
      .digits_i    (p0_i),
      .field_i     (prog[eph_isa_pkg::P_FIELDLsb+:eph_isa_pkg::P_FIELDW]),
      .busy_o      (canon_busy),
      .word_valid_o(word_valid),
      .word_index_o(word_index),
      .word_o      (word),
      .zero_o      (value_zero)
  );

  // ---- scalar bytes
  logic dirty_q;
  logic [4:0] pair_q;
  assign scalar_we_o = dirty_q;
  assign scalar_ctx_o = ctx_q;
  assign scalar_pair_o = pair_q;

  // ---- steps
  assign take_o = ready_i && state_q == StSeek;
  assign req_o = state_q == StRead || (state_q == StFree && !dirty_q);
  assign req_free_o = state_q == StFree;
  assign req_ctx_o = ctx_q;
  assign req_row_o = row_q;
  assign info_addr_o = {ctx_q, step_q};
  assign give_o = state_q == StGive;
  assign give_ok_o = status_q == 16'(eph_isa_pkg::ST_OK);
  assign give_qid_o = qid_q;

  always_comb begin
    buf_we_o   = 1'b0;
    buf_addr_o = {row_q[2:0], word_index};
    buf_data_o = word;
    if (state_q == StInfo) begin
      buf_we_o   = step_q != 2'd0;
      buf_addr_o = (step_q == 2'd1) ? TagWord
          : (step_q == 2'd2) ? GenerationWord : GenerationWord + 6'd1;
      buf_data_o = info_data_i;
    end else if (state_q == StTail) begin
      buf_we_o   = 1'b1;
      buf_addr_o = (step_q == 2'd0) ? CyclesWord : (step_q == 2'd1) ? QidWord : StatusWord;
      buf_data_o = (step_q == 2'd0) ? cycles_q
          : (step_q == 2'd1) ? {12'd0, qid_q, 16'd0} : {16'd0, status_q};
    end else if (word_valid) begin
      buf_we_o = !check_row;
    end
  end

  always_ff @(posedge clk_i) begin
    if (scalar_ack_i) begin
      pair_q <= pair_q + 5'd1;
      if (pair_q == 5'd31) dirty_q <= 1'b0;
    end
    unique case (state_q)
      StSeek:
        if (take_ack_i) begin
          state_q  <= StInfo;
          ctx_q    <= turn_ctx_i;
          step_q   <= 2'd0;
          row_q    <= 4'd0;
          status_q <= 16'(eph_isa_pkg::ST_OK);
          dirty_q  <= 1'b1;
          pair_q   <= 5'd0;
        end
      StInfo: begin
        step_q <= step_q + 2'd1;
        if (step_q == 2'd0) {qid_q, curve_q, opcode_q} <= info_data_i[19:0];
        if (step_q == 2'd3) begin
          state_q <= known ? StRead : StFree;
          if (!known)
            status_q <= opcode_exists
                ? 16'(eph_isa_pkg::ST_BAD_CURVE) : 16'(eph_isa_pkg::ST_BAD_OP);
        end
      end
      StRead: if (req_ack_i) state_q <= StValue;
      StValue:
        if (word_valid && word_index == 3'd7) begin
          row_q   <= row_q + 4'd1;
          state_q <= last_row ? StFree : StRead;
          if (row_q == 4'd0 && prog[eph_isa_pkg::P_ZEROLsb] && value_zero)
            status_q <= 16'(eph_isa_pkg::ST_ZERO);
          if (check_row && !value_zero) status_q <= 16'(eph_isa_pkg::ST_BAD_POINT);
        end
      StFree:
        if (req_ack_i) begin
          state_q  <= StTail;
          if (known && scalar_fault_i) status_q <= 16'(eph_isa_pkg::ST_CHECK);
          cycles_q <= 32'(req_turns_i) * 32'(Contexts) + eph_isa_pkg::FIXED_CYCLES;
        end
      StTail: begin
        step_q <= step_q + 2'd1;
        if (step_q == 2'd2) state_q <= StGive;
      end
      default: if (give_ready_i) state_q <= StSeek;
    endcase
    if (rst_i) begin
      state_q <= StSeek;
      dirty_q <= 1'b0;
    end
    if (!rst_i) begin
      a_scalar_clean_before_give: assert (!give_o || !dirty_q);
      a_canon_done_before_next_read: assert (!req_o || !canon_busy);
      a_words_belong_to_value: assert (!word_valid || state_q == StValue);
      a_result_in_bounds: assert (!word_valid || row_q < 4'd7);
      a_free_only_own: assert (!take_ack_i || state_q == StSeek);
      a_tail_starts_at_zero: assert (state_q != StFree || step_q == 2'd0);
    end
  end

  logic unused;
  assign unused = ^prog;
endmodule
