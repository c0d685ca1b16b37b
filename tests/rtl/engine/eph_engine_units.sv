// SPDX-License-Identifier: Apache-2.0
// The scalar path, its record and the canonicaliser of the engine, on their own: also for programs that the device does not have yet.
module eph_engine_units (
    input  logic         clk_i,
    input  logic         rst_i,
    // scalar words in
    input  logic         step_valid_i,
    input  logic [3:0]   step_i,
    input  logic [31:0]  word_i,
    input  logic [2:0]   form_i,
    output logic         busy_o,
    // digits out
    input  logic [8:0]   offset_i,
    input  logic         windows_i,
    input  logic [2:0]   width_i,
    input  logic         top_i,
    input  logic         ended_i,
    output logic         sign_o,
    output logic [4:0]   index_o,
    // their record: turns at stage 4, with the digit of that cycle
    input  logic         exec_i,
    input  logic [1:0]   use_i,       // of the digit: 0 none, 1 exchange, 2 fixed-base row and sign, 3 table entry
    input  logic [8:0]   position_i,
    input  logic         advance_i,
    input  logic         halt_i,
    input  logic         taken_i,
    input  logic [5:0]   flip_i,      // planted: sign, index
    input  logic [3:0]   wrong_i,     // planted behind the decoder: exchange, sign, row, entry
    output logic         fault_o,
    // canonicaliser
    input  logic         start_i,
    input  logic [287:0] digits_i,
    input  logic [2:0]   field_i,
    output logic         canon_busy_o,
    output logic         canon_valid_o,
    output logic [2:0]   canon_index_o,
    output logic [31:0]  canon_o,
    output logic         canon_zero_o
);
  logic we, in_busy, expect_busy, expect_valid, expect_ack;
  logic [4:0] pair;
  logic [15:0] data;
  logic [16:0] expected;
  assign busy_o = in_busy || expect_busy;
  eph_scalar_in u_in (
      .clk_i, .rst_i, .wipe_i(rst_i), .step_valid_i, .step_i, .word_i, .form_i, .busy_o(in_busy),
      .we_o(we), .pair_o(pair), .data_o(data)
  );
  eph_scalar_expect u_expect (
      .clk_i, .rst_i, .wipe_i(rst_i), .step_valid_i, .step_i, .word_i, .form_i, .busy_o(expect_busy),
      .residue_valid_o(expect_valid), .residue_ack_i(expect_ack), .residue_o(expected)
  );
  eph_scalar #(.Contexts(2)) u_scalar (
      .clk_i, .we_i(we), .wctx_i(1'b1), .wpair_i(pair), .wdata_i(data),
      .ctx_i(1'b1), .offset_i, .windows_i, .width_i, .top_i, .ended_i, .sign_o, .index_o
  );

  // An instruction that uses the digit, through the decoder.
  logic sign;
  logic [2:0] turn;
  logic [4:0] index;
  logic [3:0] wrong5_q;
  logic [1:0] wrong6_q;
  logic [95:0] word;
  logic [127:0] prog;
  logic [5:0] taddr;
  logic [eph_engine_pkg::RomAddrW-1:0] rom_addr;
  logic [eph_fma_pkg::EphFmaCtlW-1:0] ctl, ctl_seen;
  assign {sign, index} = {sign_o, index_o} ^ flip_i;
  assign turn = rst_i ? eph_engine_pkg::TurnReset : exec_i ? eph_engine_pkg::TurnExec : eph_engine_pkg::TurnIdle;
  always_comb begin
    word = '0;
    word[eph_isa_pkg::U_DIGITLsb] = advance_i;
    word[eph_isa_pkg::U_XCHLsb+:2] = {use_i == 2'd1, 1'b0};
    word[eph_isa_pkg::U_SEQLsb+:2] = {2{halt_i}};
    if (use_i == 2'd2) begin
      word[eph_isa_pkg::U_TGLsb+:2] = 2'd3;
      word[eph_isa_pkg::U_ROMLsb+:3] = 3'd4;
      word[eph_isa_pkg::U_OPBLsb+:2] = 2'd2;
      word[eph_isa_pkg::U_OPELsb+:2] = 2'd3;
    end
    if (use_i == 2'd3) begin
      word[eph_isa_pkg::U_TBLsb+:2] = 2'd1;
      word[eph_isa_pkg::U_TMODELsb+:2] = 2'd3;
      word[eph_isa_pkg::U_OPGLsb+:2] = 2'd2;
    end
    prog = '0;
    prog[eph_isa_pkg::P_DIGITSLsb+:2] = {1'b0, windows_i};
    prog[eph_isa_pkg::P_WINDOWLsb+:3] = width_i;
    prog[eph_isa_pkg::P_LOWESTLsb+:3] = width_i;
    prog[eph_isa_pkg::P_ROWSLsb+:2] = 2'd3;
    ctl_seen = ctl;
    ctl_seen[eph_fma_pkg::CtlXFromY] = ctl[eph_fma_pkg::CtlXFromY] ^ wrong6_q[0];
    ctl_seen[eph_fma_pkg::CtlNegB] = ctl[eph_fma_pkg::CtlNegB] ^ wrong6_q[1];
  end
  always_ff @(posedge clk_i) {wrong6_q, wrong5_q} <= {wrong5_q[1:0], wrong_i};
  logic issue, decoded_ctx;
  logic [19:0] raddr;
  logic [eph_engine_pkg::DestW-1:0] dest;
  eph_decode #(.Contexts(2)) u_decode (
      .clk_i, .turn_i(turn), .ctx_i(1'b1), .arg_i(5'd0), .pos_i(position_i), .word_i(word), .program_i(prog),
      .sign_i(sign), .index_i(index), .issue_o(issue), .ctx_o(decoded_ctx), .raddr_o(raddr), .taddr_o(taddr),
      .rom_addr_o(rom_addr), .dest_o(dest), .ctl_o(ctl)
  );
  eph_scalar_record #(.Contexts(2)) u_record (
      .clk_i, .expect_valid_i(expect_valid), .expect_ack_o(expect_ack), .expect_ctx_i(1'b1), .expect_i(expected),
      .turn_i(turn), .taken_i, .ctx_i(1'b1), .pos_i(position_i), .word_i(word), .program_i(prog),
      .sign_i(sign), .index_i(index), .rom_addr_i(rom_addr ^ {6'd0, wrong5_q[2], 5'd0}),
      .entry_i(taddr[4:0] ^ {4'd0, wrong5_q[3]}), .ctl_i(ctl_seen), .fault_o
  );
  logic unused;
  assign unused = ^{issue, decoded_ctx, raddr, taddr, dest};

  eph_canon u_canon (
      .clk_i, .rst_i, .wipe_i(rst_i), .start_i, .digits_i, .field_i, .busy_o(canon_busy_o),
      .word_valid_o(canon_valid_o), .word_index_o(canon_index_o), .word_o(canon_o), .zero_o(canon_zero_o)
  );
endmodule
