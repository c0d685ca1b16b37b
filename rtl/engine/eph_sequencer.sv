// SPDX-License-Identifier: Apache-2.0
// Purpose: gives each context its turn, one a cycle, and moves its state: what the turn does, where
//          its program stands, which scalar digit it is at, how many turns it has used.
// Contract: stages as in eph_engine_pkg. The units' requests are matched in the turn of their
//           context at stage 1 and acknowledged in that cycle; a request must fall (or change) in
//           the next one. Contexts are independent: any mixture of programs, each with a program
//           counter of its own.
// Latency: a turn enters at stage 0 and leaves for the datapath at stage 5; its new state is back
//          before the next turn.
// Throughput: one turn a cycle; the turn length is Contexts cycles.
// Data-dependent timing: none: no secret enters this module.
// Value bounds: turns < 2^16 a request.
// Cleared by: reset turns; MoveFree.
module eph_sequencer #(
    parameter int unsigned Contexts = 64,
    parameter int unsigned CtxW = $clog2(Contexts)
) (
    input  logic             clk_i,
    input  logic             rst_i,
    output logic             ready_o,         // the wipe after reset is done
    output logic [CtxW-1:0]  turn_ctx_o,      // stage 1: the context that an acknowledge means
    // load unit
    input  logic             reserve_i,       // wants a free context
    output logic             reserve_ack_o,
    input  logic             load_req_i,
    input  logic [CtxW-1:0]  load_ctx_i,
    input  logic             load_write_i,    // write its operand
    input  logic [3:0]       load_row_i,
    input  logic             load_start_i,    // and start the program
    input  logic             load_known_i,    // there is a program
    input  logic [1:0]       load_opcode_i,
    input  logic [2:0]       load_curve_i,
    output logic             load_ack_o,
    // unload unit
    input  logic             take_i,          // wants a finished context
    output logic             take_ack_o,
    input  logic             unload_req_i,
    input  logic [CtxW-1:0]  unload_ctx_i,
    input  logic             unload_free_i,   // release the context, else read and clear a register
    input  logic [3:0]       unload_row_i,
    output logic             unload_ack_o,
    output logic [15:0]      unload_turns_o,  // with unload_ack_o
    // microcode: address at stage 1, word at stage 2
    output logic [9:0]       uaddr_o,
    input  logic [95:0]      uword_i,
    // scalar unit: stage 1, stage 3
    output logic [8:0]       digit_offset_o,
    output logic             digit_windows_o,
    output logic [2:0]       digit_width_o,
    output logic             digit_top_o,
    output logic             digit_ended_o,
    // stage 4, to the decoder
    output logic [2:0]       turn_o,          // turn_e
    output logic             taken_o,         // the unload unit takes this context
    output logic [CtxW-1:0]  ctx_o,
    output logic [4:0]       arg_o,           // register or entry of a turn that is no instruction
    output logic [8:0]       pos_o,
    output logic [95:0]      word_o,
    output logic [127:0]     program_o
);

  // ---- stage 0: whose turn; the wipe after reset
  logic [CtxW-1:0] x0_q;
  logic [5:0] reset_turn_q;  // turns 0 .. 31 clear, one more lets the last write land
  logic last_x0;
  assign last_x0 = x0_q == CtxW'(Contexts - 1);
  assign ready_o = reset_turn_q == 6'(eph_engine_pkg::ResetTurns + 1);
  always_ff @(posedge clk_i) begin
    x0_q <= (rst_i || last_x0) ? '0 : x0_q + 1'b1;
    if (rst_i) reset_turn_q <= 6'd0;
    else if (last_x0 && !ready_o) reset_turn_q <= reset_turn_q + 6'd1;
  end

  // ---- stage 1: the state word; requests
  logic [eph_engine_pkg::StateW-1:0] state_mem[0:Contexts-1];
  eph_engine_pkg::ctx_state_t s1_q, s5_q, next;
  logic [CtxW-1:0] x1_q, x5_q;
  logic wipe1_q, usable1_q;
  logic [4:0] wipe_entry1_q;
  always_ff @(posedge clk_i) begin
    s1_q          <= state_mem[x0_q];
    state_mem[x5_q] <= s5_q;
    x1_q          <= x0_q;
    wipe1_q       <= rst_i || !reset_turn_q[5];
    usable1_q     <= !rst_i && ready_o;
    wipe_entry1_q <= reset_turn_q[4:0];
  end

  logic load_hit, unload_hit;
  assign turn_ctx_o = x1_q;
  assign reserve_ack_o = usable1_q && reserve_i && s1_q.st == eph_engine_pkg::CtxFree;
  assign take_ack_o = usable1_q && take_i && s1_q.st == eph_engine_pkg::CtxDone;
  assign load_hit = usable1_q && load_req_i && load_ctx_i == x1_q;
  assign unload_hit = usable1_q && unload_req_i && unload_ctx_i == x1_q;
  assign load_ack_o = load_hit;
  assign unload_ack_o = unload_hit;
  assign unload_turns_o = s1_q.turns;
  assign uaddr_o = s1_q.pc;
  assign digit_offset_o = s1_q.offset;

  eph_engine_pkg::turn_e turn1;
  eph_engine_pkg::move_e move1;
  logic [4:0] arg1;
  always_comb begin
    turn1 = eph_engine_pkg::TurnIdle;
    move1 = eph_engine_pkg::MoveNone;
    arg1  = s1_q.count[4:0];
    if (wipe1_q) begin
      turn1 = eph_engine_pkg::TurnReset;
      arg1  = wipe_entry1_q;
    end else if (usable1_q) begin
      if (s1_q.st == eph_engine_pkg::CtxRun) turn1 = eph_engine_pkg::TurnExec;
      if (s1_q.st == eph_engine_pkg::CtxWipe) turn1 = eph_engine_pkg::TurnWipe;
      if (reserve_ack_o) move1 = eph_engine_pkg::MoveReserve;
      if (take_ack_o) move1 = eph_engine_pkg::MoveTake;
      if (load_hit) begin
        arg1 = {1'b0, load_row_i};
        if (load_write_i) turn1 = eph_engine_pkg::TurnLoad;
        if (load_start_i)
          move1 = load_known_i ? eph_engine_pkg::MoveStart : eph_engine_pkg::MoveSkip;
      end
      if (unload_hit) begin
        arg1 = {1'b0, unload_row_i};
        if (unload_free_i) move1 = eph_engine_pkg::MoveFree;
        else turn1 = eph_engine_pkg::TurnUnload;
      end
    end
  end

  // ---- stages 2 to 4: microcode word, program descriptor
  eph_engine_pkg::ctx_state_t s2_q, s3_q, s4_q;
  logic [CtxW-1:0] x2_q, x3_q, x4_q;
  eph_engine_pkg::turn_e turn2_q, turn3_q, turn4_q;
  eph_engine_pkg::move_e move2_q, move3_q, move4_q;
  logic [4:0] arg2_q, arg3_q, arg4_q;
  logic [95:0] word3_q, word4_q;
  logic [127:0] program3_q, program4_q;
  logic windows3, top3;
  assign windows3 = program3_q[eph_isa_pkg::P_DIGITSLsb+:eph_isa_pkg::P_DIGITSW] == 2'd1;
  assign top3 = s3_q.pos + 9'd1 == program3_q[eph_isa_pkg::P_WINDOWSLsb+:eph_isa_pkg::P_WINDOWSW];
  assign digit_windows_o = windows3;
  assign digit_width_o = (s3_q.pos == 9'd0)
      ? program3_q[eph_isa_pkg::P_LOWESTLsb+:eph_isa_pkg::P_LOWESTW]
      : program3_q[eph_isa_pkg::P_WINDOWLsb+:eph_isa_pkg::P_WINDOWW];
  assign digit_top_o = top3;
  assign digit_ended_o = s3_q.ended;

  always_ff @(posedge clk_i) begin
    s2_q <= s1_q;
    if (load_hit && load_start_i) begin
      s2_q.opcode <= load_opcode_i;
      s2_q.curve  <= load_curve_i;
    end
    {x2_q, turn2_q, move2_q, arg2_q} <= {x1_q, turn1, move1, arg1};
    {x3_q, turn3_q, move3_q, arg3_q} <= {x2_q, turn2_q, move2_q, arg2_q};
    {x4_q, turn4_q, move4_q, arg4_q} <= {x3_q, turn3_q, move3_q, arg3_q};
    s3_q       <= s2_q;
    s4_q       <= s3_q;
    word3_q    <= uword_i;
    word4_q    <= word3_q;
    program3_q <= eph_ucode_pkg::program_word({6'd0, s2_q.opcode}, {5'd0, s2_q.curve});
    program4_q <= program3_q;
  end
  assign turn_o = turn4_q;
  assign taken_o = move4_q == eph_engine_pkg::MoveTake;
  assign ctx_o = x4_q;
  assign arg_o = arg4_q;
  assign pos_o = s4_q.pos;
  assign word_o = word4_q;
  assign program_o = program4_q;

  // ---- stage 4: the next state
  logic [8:0] windows4, first_offset, step;
  logic [2:0] window4, lowest4;
  logic ladder4;
  logic [5:0] temporaries, table4, wipe_turns;
  assign ladder4 = program4_q[eph_isa_pkg::P_DIGITSLsb+:eph_isa_pkg::P_DIGITSW] == 2'd0;
  assign windows4 = program4_q[eph_isa_pkg::P_WINDOWSLsb+:eph_isa_pkg::P_WINDOWSW];
  assign window4 = program4_q[eph_isa_pkg::P_WINDOWLsb+:eph_isa_pkg::P_WINDOWW];
  assign lowest4 = program4_q[eph_isa_pkg::P_LOWESTLsb+:eph_isa_pkg::P_LOWESTW];
  assign table4 = program4_q[eph_isa_pkg::P_TABLELsb+:eph_isa_pkg::P_TABLEW];
  assign step = ladder4 ? 9'd1 : 9'(window4);
  assign first_offset = ladder4 ? windows4 - 9'd1
      : (windows4 == 9'd1) ? 9'd0 : 9'(lowest4) + 9'(window4) * (windows4 - 9'd2);
  assign temporaries = 6'(program4_q[eph_isa_pkg::P_REGSLsb+:eph_isa_pkg::P_REGSW])
      - 6'(program4_q[eph_isa_pkg::P_RESULTSLsb+:eph_isa_pkg::P_RESULTSW]);
  assign wipe_turns = (table4 > temporaries) ? table4 : temporaries;

  logic [1:0] seq;
  logic [6:0] distance;
  logic digit, jump;
  assign distance = word4_q[eph_isa_pkg::U_DISTLsb+:eph_isa_pkg::U_DISTW];
  assign seq = word4_q[eph_isa_pkg::U_SEQLsb+:eph_isa_pkg::U_SEQW];
  assign digit = word4_q[eph_isa_pkg::U_DIGITLsb];
  assign jump = seq == 2'd1 && s4_q.count != 8'd0;

  always_comb begin
    next = s4_q;
    unique case (move4_q)
      eph_engine_pkg::MoveReserve: begin
        next.st    = eph_engine_pkg::CtxLoad;
        next.turns = 16'd0;
      end
      eph_engine_pkg::MoveStart: begin
        next.st     = eph_engine_pkg::CtxRun;
        next.pc     = program4_q[eph_isa_pkg::P_ENTRYLsb+:eph_isa_pkg::P_ENTRYW];
        next.count  = 8'd0;
        next.pos    = windows4 - 9'd1;
        next.offset = first_offset;
        next.ended  = 1'b0;
      end
      eph_engine_pkg::MoveSkip: next.st = eph_engine_pkg::CtxDone;
      eph_engine_pkg::MoveTake: next.st = eph_engine_pkg::CtxUnload;
      eph_engine_pkg::MoveFree: next = '0;
      default:  ;
    endcase
    unique case (turn4_q)
      eph_engine_pkg::TurnExec: begin
        next.pc = jump ? s4_q.pc - 10'(distance) : s4_q.pc + 10'd1;
        if (jump) next.count = s4_q.count - 8'd1;
        if (seq == 2'd2) next.count = word4_q[eph_isa_pkg::U_COUNTLsb+:eph_isa_pkg::U_COUNTW];
        if (seq == 2'd3) begin
          next.st    = (wipe_turns == 6'd0) ? eph_engine_pkg::CtxDone : eph_engine_pkg::CtxWipe;
          next.count = 8'd0;
        end
        if (digit) begin  // after the lowest digit comes the parity
          next.pos    = (s4_q.pos == 9'd0) ? 9'd0 : s4_q.pos - 9'd1;
          next.offset = (s4_q.pos == 9'd0) ? 9'(8 * eph_engine_pkg::ParityByte)
              : (s4_q.pos == 9'd1) ? 9'd0 : s4_q.offset - step;
          next.ended  = s4_q.pos == 9'd0;
        end
      end
      eph_engine_pkg::TurnWipe: begin
        next.count = s4_q.count + 8'd1;
        if (next.count[5:0] == wipe_turns) next.st = eph_engine_pkg::CtxDone;
      end
      eph_engine_pkg::TurnReset: next = '0;
      default: ;
    endcase
    if (turn4_q != eph_engine_pkg::TurnIdle && turn4_q != eph_engine_pkg::TurnReset)
      next.turns = s4_q.turns + 16'd1;
  end
  always_ff @(posedge clk_i) {x5_q, s5_q} <= {x4_q, next};

  logic exec4;
  assign exec4 = turn4_q == eph_engine_pkg::TurnExec;
  logic unused;
  assign unused = ^{program3_q, program4_q};

  always_ff @(posedge clk_i) begin
    if (!rst_i && ready_o) begin
      a_ctx_range: assert (32'(x0_q) < Contexts);
      a_load_owns: assert (!load_hit || s1_q.st == eph_engine_pkg::CtxLoad);
      a_unload_owns: assert (!unload_hit || s1_q.st == eph_engine_pkg::CtxUnload);
      a_reserve_from_free: assert (move4_q != eph_engine_pkg::MoveReserve
          || s4_q.st == eph_engine_pkg::CtxFree);
      a_program_exists: assert (!exec4 || program4_q[eph_isa_pkg::P_VALIDLsb]);
      a_turns_do_not_wrap: assert (!exec4 || s4_q.turns != 16'hffff);
      a_no_digit_after_parity: assert (!exec4 || !digit || !s4_q.ended);
      a_wide_words_unused: assert (!exec4 || word4_q[eph_isa_pkg::U_BEATSLsb+:4] == 4'd0);
      a_known_state: assert (s1_q.st <= eph_engine_pkg::CtxUnload);
    end
  end
endmodule
