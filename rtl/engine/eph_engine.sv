// SPDX-License-Identifier: Apache-2.0
// Purpose: one barrel engine: Contexts independent requests share one fully pipelined multiply-add;
//          at each cycle another context issues one instruction of its own program.
// Contract: rtl/README.md. 64 words of a submission entry in, 64 words of a completion out, any
//           order between requests. The last word of a completion is offered only after every
//           register, table entry and scalar byte of its context is clear.
// Latency: Contexts cycles a turn; load, program, wipe and unload turns as the program descriptor
//          says, plus waiting.
// Throughput: one instruction a cycle when all contexts run.
// Data-dependent timing: none: the secret digit acts on signs, the exchange, table and ROM
//           addresses only.
// Value bounds: eph_fma_pkg; kept by the assembler's interval pass.
// Cleared by: wipe and unload turns per request; reset turns for everything (ready_o rises when
//           done).
module eph_engine #(
    parameter int unsigned Contexts = 64
) (
    input  logic        clk_i,
    input  logic        rst_i,
    output logic        ready_o,
    output logic        idle_o,   // ready and no request inside
    output logic        busy_o,   // a request is inside
    output logic        issue_o,  // an instruction of a running program issues in this cycle
    input  logic        cmd_valid_i,
    output logic        cmd_ready_o,
    input  logic [31:0] cmd_i,
    input  logic [3:0]  cmd_qid_i,
    output logic        cpl_valid_o,
    input  logic        cpl_ready_i,
    output logic [31:0] cpl_o,
    output logic [3:0]  cpl_qid_o
);
  localparam int unsigned CtxW = $clog2(Contexts);
  localparam int unsigned RegAddrW = CtxW + eph_engine_pkg::RowW;
  localparam int unsigned TabAddrW = CtxW + eph_engine_pkg::TableW;

  // A value must leave eph_canon before the next unload turn of the same context: 10 + 9 rounds, 3
  // subtractions at most.
  if (Contexts < 10 + 9 * 4 + eph_engine_pkg::ReadStage) begin : gen_too_few_contexts
    eph_contexts_too_few_for_the_unload_unit u_error ();
  end

  // ---- load, sequencer, unload
  logic [CtxW-1:0] turn_ctx;
  logic reserve, reserve_ack, load_req, load_write, load_start, load_known, load_ack;
  logic [CtxW-1:0] load_ctx;
  logic [3:0] load_row;
  logic [1:0] load_opcode;
  logic [2:0] load_curve;
  logic [287:0] operand;
  logic info_we;
  logic [CtxW+1:0] info_waddr, info_raddr;
  logic [31:0] info_wdata;
  logic load_scalar_we, first_word;
  logic [CtxW-1:0] load_scalar_ctx;
  logic [4:0] load_scalar_pair;
  logic [15:0] load_scalar_data;
  logic expect_valid, expect_ack;
  logic [16:0] expected;
  eph_load #(.Contexts(Contexts)) u_load (
      .clk_i, .rst_i,
      .ready_i(ready_o),
      .cmd_valid_i, .cmd_ready_o, .cmd_i, .cmd_qid_i,
      .first_o(first_word),
      .turn_ctx_i(turn_ctx),
      .reserve_o(reserve), .reserve_ack_i(reserve_ack),
      .req_o(load_req), .req_ctx_o(load_ctx), .req_write_o(load_write), .req_row_o(load_row),
      .req_start_o(load_start), .req_known_o(load_known),
      .req_opcode_o(load_opcode), .req_curve_o(load_curve),
      .req_ack_i(load_ack),
      .operand_o(operand),
      .info_we_o(info_we), .info_addr_o(info_waddr), .info_data_o(info_wdata),
      .scalar_we_o(load_scalar_we), .scalar_ctx_o(load_scalar_ctx),
      .scalar_pair_o(load_scalar_pair), .scalar_data_o(load_scalar_data),
      .expect_valid_o(expect_valid), .expect_ack_i(expect_ack), .expect_o(expected)
  );

  logic take, take_ack, unload_req, unload_free, unload_ack;
  logic [CtxW-1:0] unload_ctx;
  logic [3:0] unload_row;
  logic [15:0] unload_turns;
  logic [9:0] uaddr;
  logic [95:0] uword;
  logic [8:0] digit_offset, pos;
  logic digit_windows, digit_top, digit_ended, taken, scalar_fault;
  logic [2:0] digit_width, turn;
  logic [CtxW-1:0] ctx4;
  logic [4:0] arg;
  logic [95:0] word4;
  logic [127:0] program4;
  eph_sequencer #(.Contexts(Contexts)) u_sequencer (
      .clk_i, .rst_i,
      .ready_o,
      .turn_ctx_o(turn_ctx),
      .reserve_i(reserve), .reserve_ack_o(reserve_ack),
      .load_req_i(load_req), .load_ctx_i(load_ctx),
      .load_write_i(load_write), .load_row_i(load_row),
      .load_start_i(load_start), .load_known_i(load_known),
      .load_opcode_i(load_opcode), .load_curve_i(load_curve),
      .load_ack_o(load_ack),
      .take_i(take), .take_ack_o(take_ack),
      .unload_req_i(unload_req), .unload_ctx_i(unload_ctx),
      .unload_free_i(unload_free), .unload_row_i(unload_row),
      .unload_ack_o(unload_ack), .unload_turns_o(unload_turns),
      .uaddr_o(uaddr), .uword_i(uword),
      .digit_offset_o(digit_offset), .digit_windows_o(digit_windows), .digit_width_o(digit_width),
      .digit_top_o(digit_top), .digit_ended_o(digit_ended),
      .turn_o(turn), .taken_o(taken), .ctx_o(ctx4), .arg_o(arg), .pos_o(pos), .word_o(word4),
      .program_o(program4)
  );
  eph_ucode_rom u_ucode (.clk_i, .addr_i(uaddr), .word_o(uword));

  // ---- identity of each context's request: {qid, curve, opcode}, tag, generation
  logic [31:0] info_mem[0:4*Contexts-1];
  always_ff @(posedge clk_i) if (info_we) info_mem[info_waddr] <= info_wdata;

  logic unload_scalar_we, unload_scalar_ack;
  logic [CtxW-1:0] unload_scalar_ctx;
  logic [4:0] unload_scalar_pair;
  logic [287:0] p0, p1, p2, p3, tab, rom, res;
  logic fill_we, give, give_ready, give_ok, last_word;
  logic [5:0] fill_addr;
  logic [31:0] fill_data;
  logic [3:0] give_qid;
  eph_unload #(.Contexts(Contexts)) u_unload (
      .clk_i, .rst_i,
      .ready_i(ready_o),
      .turn_ctx_i(turn_ctx),
      .take_o(take), .take_ack_i(take_ack),
      .req_o(unload_req), .req_ctx_o(unload_ctx), .req_free_o(unload_free), .req_row_o(unload_row),
      .req_ack_i(unload_ack), .req_turns_i(unload_turns),
      .p0_i(p0),
      .info_addr_o(info_raddr), .info_data_i(info_mem[info_raddr]),
      .scalar_we_o(unload_scalar_we), .scalar_ctx_o(unload_scalar_ctx),
      .scalar_pair_o(unload_scalar_pair),
      .scalar_ack_i(unload_scalar_ack),
      .scalar_fault_i(scalar_fault),
      .buf_we_o(fill_we), .buf_addr_o(fill_addr), .buf_data_o(fill_data),
      .give_o(give), .give_ready_i(give_ready), .give_ok_o(give_ok), .give_qid_o(give_qid)
  );
  eph_cqe_out u_cqe_out (
      .clk_i, .rst_i,
      .fill_we_i(fill_we), .fill_addr_i(fill_addr), .fill_data_i(fill_data),
      .give_i(give), .give_ready_o(give_ready), .give_ok_i(give_ok), .give_qid_i(give_qid),
      .cpl_valid_o, .cpl_ready_i, .cpl_o, .cpl_qid_o,
      .last_o(last_word)
  );

  // ---- scalars. The write port: reset turns, then the load unit, then the unload unit's zeros.
  logic reset_turn, sign;
  logic [4:0] index;
  assign reset_turn = turn == eph_engine_pkg::TurnReset;
  assign unload_scalar_ack = unload_scalar_we && !load_scalar_we && !reset_turn;
  eph_scalar #(.Contexts(Contexts)) u_scalar (
      .clk_i,
      .we_i(reset_turn || load_scalar_we || unload_scalar_we),
      .wctx_i(reset_turn ? ctx4 : load_scalar_we ? load_scalar_ctx : unload_scalar_ctx),
      .wpair_i(reset_turn ? arg : load_scalar_we ? load_scalar_pair : unload_scalar_pair),
      .wdata_i((!reset_turn && load_scalar_we) ? load_scalar_data : 16'd0),
      .ctx_i(turn_ctx), .offset_i(digit_offset),
      .windows_i(digit_windows), .width_i(digit_width), .top_i(digit_top), .ended_i(digit_ended),
      .sign_o(sign), .index_o(index)
  );

  // ---- datapath
  logic [CtxW-1:0] ctx5;
  logic [4*RegAddrW-1:0] raddr;
  logic [TabAddrW-1:0] taddr;
  logic [eph_engine_pkg::RomAddrW-1:0] rom_addr;
  logic [eph_engine_pkg::DestW-1:0] dest;
  logic [eph_fma_pkg::EphFmaCtlW-1:0] ctl;
  logic [7:0] reg_we, table_we;
  logic [8*RegAddrW-1:0] reg_waddr;
  logic [8*TabAddrW-1:0] table_waddr;
  logic [287:0] wdata;
  eph_decode #(.Contexts(Contexts)) u_decode (
      .clk_i,
      .turn_i(turn), .ctx_i(ctx4), .arg_i(arg), .pos_i(pos), .word_i(word4), .program_i(program4),
      .sign_i(sign), .index_i(index),
      .issue_o, .ctx_o(ctx5), .raddr_o(raddr), .taddr_o(taddr), .rom_addr_o(rom_addr),
      .dest_o(dest), .ctl_o(ctl)
  );
  eph_scalar_record #(.Contexts(Contexts)) u_scalar_record (
      .clk_i,
      .expect_valid_i(expect_valid), .expect_ack_o(expect_ack), .expect_ctx_i(load_scalar_ctx),
      .expect_i(expected),
      .turn_i(turn), .taken_i(taken), .ctx_i(ctx4), .pos_i(pos), .word_i(word4),
      .program_i(program4), .sign_i(sign), .index_i(index),
      .rom_addr_i(rom_addr), .entry_i(taddr[eph_engine_pkg::TableW-1:0]), .ctl_i(ctl),
      .fault_o(scalar_fault)
  );
  eph_regfile #(.Contexts(Contexts)) u_regfile (
      .clk_i,
      .raddr_i(raddr), .p0_o(p0), .p1_o(p1), .p2_o(p2), .p3_o(p3),
      .we_i(reg_we), .waddr_i(reg_waddr), .wdata_i(wdata)
  );
  eph_table #(.Contexts(Contexts)) u_table (
      .clk_i,
      .raddr_i(taddr), .tab_o(tab),
      .we_i(table_we), .waddr_i(table_waddr), .wdata_i(wdata)
  );
  eph_base u_base (.clk_i, .addr_i(rom_addr), .rom_o(rom));
  eph_fma u_fma (
      .clk_i,
      .ctl_i(ctl), .p0_i(p0), .p1_i(p1), .p2_i(p2), .p3_i(p3), .tab_i(tab), .rom_i(rom),
      .res_o(res)
  );
  eph_writeback #(.Contexts(Contexts)) u_writeback (
      .clk_i, .rst_i,
      .ctx_i(ctx5), .dest_i(dest), .res_i(res), .load_i(operand),
      .wdata_o(wdata),
      .reg_we_o(reg_we), .reg_waddr_o(reg_waddr), .table_we_o(table_we), .table_waddr_o(table_waddr)
  );

  //  ---- requests inside: from the first word in to the last word out. Two completions may wait
  // beside the contexts.
  logic [CtxW+1:0] inside_q;
  assign busy_o = inside_q != '0;
  assign idle_o = ready_o && !busy_o;
  always_ff @(posedge clk_i) begin
    if (rst_i) inside_q <= '0;
    else inside_q <= inside_q + (CtxW+2)'(first_word) - (CtxW+2)'(last_word);
    if (!rst_i) begin
      a_inside_bound: assert (32'(inside_q) <= Contexts + 2);
      a_out_after_in: assert (!last_word || inside_q != '0);
      a_issue_only_inside: assert (!issue_o || busy_o || !ready_o);
      a_one_user_of_scalar_port: assert (!(load_scalar_we && reset_turn));
      a_load_and_unload_apart: assert (!(load_req && unload_req && load_ctx == unload_ctx));
    end
  end
endmodule
