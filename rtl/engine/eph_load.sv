// SPDX-License-Identifier: Apache-2.0
// Purpose: takes the 64 words of a submission entry, sends scalar, operands and identity to their
//          places in a reserved context and starts its program.
// Contract: cmd_ready_o rises for the first word only with a context reserved. Operands pass
//           through one 256-bit buffer; words that do not need it flow on while the injector writes
//           the last operand in the context's own turn. A request without a program is swallowed
//           without touching anything but the context's identity.
// Latency: 64 words, one more cycle a scalar word, and a turn (and its write-back) an operand.
// Throughput: one request in about 105 cycles (one operand), 210 (two), 340 (three).
// Data-dependent timing: none; it depends on operation and curve only.
// Value bounds: BLIND and, where the descriptor asks, PEER_X are cut to 255 bits.
// Cleared by: the buffer after each injection and at reset; eph_scalar_in and _expect clear
//             themselves.
module eph_load #(
    parameter int unsigned Contexts = 64,
    parameter int unsigned CtxW = $clog2(Contexts)
) (
    input  logic            clk_i,
    input  logic            rst_i,
    input  logic            ready_i,        // the wipe after reset is done
    input  logic            cmd_valid_i,
    output logic            cmd_ready_o,
    input  logic [31:0]     cmd_i,
    input  logic [3:0]      cmd_qid_i,
    output logic            first_o,        // the first word of a request is taken
    // sequencer
    input  logic [CtxW-1:0] turn_ctx_i,
    output logic            reserve_o,
    input  logic            reserve_ack_i,
    output logic            req_o,
    output logic [CtxW-1:0] req_ctx_o,
    output logic            req_write_o,
    output logic [3:0]      req_row_o,
    output logic            req_start_o,
    output logic            req_known_o,
    output logic [1:0]      req_opcode_o,
    output logic [2:0]      req_curve_o,
    input  logic            req_ack_i,
    output logic [287:0]    operand_o,      // for write-back, in the digit layout
    // context info RAM
    output logic            info_we_o,
    output logic [CtxW+1:0] info_addr_o,
    output logic [31:0]     info_data_o,
    // scalar RAM
    output logic            scalar_we_o,
    output logic [CtxW-1:0] scalar_ctx_o,
    output logic [4:0]      scalar_pair_o,
    output logic [15:0]     scalar_data_o,
    // record of the consumed digits: what it must come to, for scalar_ctx_o
    output logic            expect_valid_o,
    input  logic            expect_ack_i,
    output logic [16:0]     expect_o
);
  localparam logic [5:0] ScalarWord = 6'(eph_isa_pkg::SQE_SCALARByte / 4);
  localparam logic [5:0] XWord = 6'(eph_isa_pkg::SQE_PEER_XByte / 4);
  localparam logic [5:0] YWord = 6'(eph_isa_pkg::SQE_PEER_YByte / 4);
  localparam logic [5:0] BlindWord = 6'(eph_isa_pkg::SQE_BLINDByte / 4);
  localparam int unsigned OperandWords = 8;
  localparam int unsigned ScalarSteps = 10;
  // An operand stays from its turn (stage 1) until the last digit is past the write-back's
  // selector.
  localparam int unsigned HoldCycles = Contexts + eph_engine_pkg::ReadStage;
  localparam int unsigned HoldW = $clog2(HoldCycles + 1);

  // ---- receiver
  logic reserved_q;
  logic [CtxW-1:0] ctx_q;
  logic [5:0] word_q;
  logic [7:0] opcode_q, curve_q;
  logic [127:0] prog;
  assign prog = eph_ucode_pkg::program_word(opcode_q, curve_q);

  logic known, in_scalar, in_x, in_y, in_blind, in_operand, last_of_operand, last_word;
  assign known = prog[eph_isa_pkg::P_VALIDLsb];
  assign in_scalar = known && word_q >= ScalarWord && word_q < ScalarWord + 6'(ScalarSteps);
  assign in_x = known && prog[eph_isa_pkg::P_LOAD_XLsb]
      && word_q >= XWord && word_q < XWord + 6'(OperandWords);
  assign in_y = known && prog[eph_isa_pkg::P_LOAD_YLsb]
      && word_q >= YWord && word_q < YWord + 6'(OperandWords);
  assign in_blind = known && prog[eph_isa_pkg::P_LOAD_RLsb] && word_q >= BlindWord;
  assign in_operand = in_x || in_y || in_blind;
  assign last_of_operand = (in_x && word_q == XWord + 6'(OperandWords - 1))
      || (in_y && word_q == YWord + 6'(OperandWords - 1)) || (in_blind && last_word);
  assign last_word = word_q == 6'd63;

  logic scalar_busy, expect_busy, injector_busy, take;
  assign cmd_ready_o = reserved_q && !(in_scalar && (scalar_busy || expect_busy))
      && !((in_operand || last_word) && injector_busy);
  assign take = cmd_valid_i && cmd_ready_o;
  assign first_o = take && word_q == 6'd0;
  assign reserve_o = ready_i && !reserved_q;

  always_ff @(posedge clk_i) begin
    if (take) word_q <= word_q + 6'd1;
    if (first_o) begin
      opcode_q <= cmd_i[7:0];
      curve_q  <= cmd_i[15:8];
    end
    if (reserve_ack_i) begin
      reserved_q <= 1'b1;
      ctx_q      <= turn_ctx_i;
    end
    if (take && last_word) reserved_q <= 1'b0;
    if (rst_i) begin
      word_q     <= 6'd0;
      reserved_q <= 1'b0;
    end
  end

  // ---- identity: {qid, curve, opcode}, tag, generation
  assign info_we_o = take && word_q < 6'd4;
  assign info_addr_o = {ctx_q, word_q[1:0]};
  assign info_data_o = (word_q == 6'd0) ? {12'd0, cmd_qid_i, cmd_i[15:0]} : cmd_i;

  // ---- scalar
  assign scalar_ctx_o = ctx_q;
  eph_scalar_in u_scalar_in (
      .clk_i, .rst_i,
      .wipe_i      (!ready_i),
      .step_valid_i(take && in_scalar),
      .step_i      (4'(word_q - ScalarWord)),
      .word_i      (cmd_i),
      .form_i      (prog[eph_isa_pkg::P_SCALARLsb+:eph_isa_pkg::P_SCALARW]),
      .busy_o      (scalar_busy),
      .we_o        (scalar_we_o),
      .pair_o      (scalar_pair_o),
      .data_o      (scalar_data_o)
  );
  eph_scalar_expect u_scalar_expect (
      .clk_i, .rst_i,
      .wipe_i         (!ready_i),
      .step_valid_i   (take && in_scalar),
      .step_i         (4'(word_q - ScalarWord)),
      .word_i         (cmd_i),
      .form_i         (prog[eph_isa_pkg::P_SCALARLsb+:eph_isa_pkg::P_SCALARW]),
      .busy_o         (expect_busy),
      .residue_valid_o(expect_valid_o),
      .residue_ack_i  (expect_ack_i),
      .residue_o      (expect_o)
  );

  // ---- operand buffer and injector
  typedef enum logic [1:0] {InjIdle = 2'd0, InjTurn = 2'd1, InjHold = 2'd2} inj_e;
  logic [1:0] inj_q;
  logic [HoldW-1:0] hold_q;
  logic [255:0] buffer_q;
  logic cut;
  assign cut = last_of_operand && (in_blind || (in_x && prog[eph_isa_pkg::P_MASK_XLsb]));
  assign injector_busy = inj_q != InjIdle;
  assign req_o = inj_q == InjTurn;

  for (genvar d = 0; d < 8; d++) begin : gen_digit
    if (d < 7) begin : gen_full
      assign operand_o[36*d+:36] = {3'd0, buffer_q[33*d+:33]};
    end else begin : gen_top
      assign operand_o[36*d+:36] = {11'd0, buffer_q[255:231]};
    end
  end

  always_ff @(posedge clk_i) begin
    if (take && in_operand) buffer_q <= {cmd_i[31] && !cut, cmd_i[30:0], buffer_q[255:32]};
    unique case (inj_q)
      InjIdle:
        if (take && (last_of_operand || last_word)) begin
          inj_q        <= InjTurn;
          req_ctx_o    <= ctx_q;
          req_write_o  <= last_of_operand;
          req_row_o    <= in_x ? prog[eph_isa_pkg::P_REG_XLsb+:eph_isa_pkg::P_REG_XW]
                        : in_y ? prog[eph_isa_pkg::P_REG_YLsb+:eph_isa_pkg::P_REG_YW]
                        : prog[eph_isa_pkg::P_REG_RLsb+:eph_isa_pkg::P_REG_RW];
          req_start_o  <= last_word;
          req_known_o  <= known;
          req_opcode_o <= opcode_q[1:0];
          req_curve_o  <= curve_q[2:0];
        end
      InjTurn:
        if (req_ack_i) begin
          inj_q  <= InjHold;
          hold_q <= HoldW'(HoldCycles);
        end
      default:
        if (hold_q == '0 || !req_write_o) begin
          inj_q    <= InjIdle;
          buffer_q <= '0;
        end else hold_q <= hold_q - 1'b1;
    endcase
    if (rst_i) begin  // through the hold, which clears the buffer
      inj_q       <= InjHold;
      hold_q      <= '0;
      req_write_o <= 1'b1;
    end
    if (!rst_i) begin
      a_scalar_before_start: assert (!(take && last_word) || !scalar_we_o);
      a_expected_before_start: assert (!(take && last_word) || !expect_valid_o);
      a_buffer_free: assert (!(take && in_operand) || !injector_busy);
      a_program_named_by_low_bits: assert (!known || (opcode_q < 8'd4 && curve_q < 8'd8));
      a_reserve_once: assert (!(reserve_ack_i && reserved_q));
      a_word_needs_context: assert (!take || reserved_q);
      a_operand_cut: assert (!(req_o && req_write_o && req_start_o) || !buffer_q[255]);
      if (take) a_qid_range: assert (32'(cmd_qid_i) < eph_isa_pkg::MAX_QUEUES);
    end
  end

  logic unused;
  assign unused = ^prog;
endmodule
