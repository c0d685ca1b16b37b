// SPDX-License-Identifier: Apache-2.0
// Purpose: records the digits that each program really consumed and says, when the context is
//          taken for unloading, whether they are those of the scalar that arrived (status CHECK).
// Contract: inputs at the stages named below. A turn that advances the digit appends it:
//           sum = sum * 2^width + digit modulo 2^17 - 1, from the top window down; for a ladder the
//           swaps are first undone to bits. The halt appends the parity. Between two advances every
//           turn must see the same digit, and what eph_decode makes of it (exchange, signs, rows of
//           the fixed-base ROM, table entries) must say what the digit says. The expected residue
//           (eph_scalar_expect) is written while the context loads.
//           fault_o: the verdict on the context of the last take turn, from stage 7 on.
// Latency: 3 cycles.
// Throughput: one turn a cycle.
// Data-dependent timing: none; the verdict only selects the status of the completion.
// Value bounds: one wrong bit of the scalar and one wrong window always show: 2^17 - 1 is prime and
//           divides neither a power of two nor a difference of two digits. Any other wrong value
//           passes with chance 2^-17.
// Cleared by: the take turn and the reset turns.
module eph_scalar_record #(
    parameter int unsigned Contexts = 64,
    parameter int unsigned CtxW = $clog2(Contexts)
) (
    input  logic            clk_i,
    // expected residue: offered until taken
    input  logic            expect_valid_i,
    output logic            expect_ack_o,
    input  logic [CtxW-1:0] expect_ctx_i,
    input  logic [16:0]     expect_i,
    // stage 4
    input  logic [2:0]      turn_i,    // turn_e
    input  logic            taken_i,   // the unload unit takes this context
    input  logic [CtxW-1:0] ctx_i,
    input  logic [8:0]      pos_i,
    input  logic [95:0]     word_i,
    input  logic [127:0]    program_i,
    input  logic            sign_i,    // secret
    input  logic [4:0]      index_i,   // secret
    // stage 5
    input  logic [eph_engine_pkg::RomAddrW-1:0] rom_addr_i,
    input  logic [eph_engine_pkg::TableW-1:0]   entry_i,
    // stage 6
    input  logic [eph_fma_pkg::EphFmaCtlW-1:0] ctl_i,
    output logic            fault_o
);
  localparam logic [1:0] XchLadder = 2'd2, SeqHalt = 2'd3;
  localparam logic [1:0] BTable = 2'd1, BRom = 2'd2, GTable = 2'd2, GRom = 2'd3;
  localparam logic [2:0] RomConstant = 3'd3, RomBySign = 3'd4, RomInverse = 3'd5;
  localparam int unsigned RomW = eph_engine_pkg::RomAddrW;
  localparam int unsigned StateW = 26;

  // A context's state, all zero before its program: {bad, held, sign, index, bit, sum}. held: the
  // next turn must see sign and index again; bit: the ladder's scalar bit above the next one.
  logic [StateW-1:0] state_mem[0:Contexts-1];
  logic [16:0] expect_mem[0:Contexts-1];

  // ---- stage 4 to 5
  logic [StateW-1:0] state5_q;
  logic [16:0] expect5_q;
  logic [CtxW-1:0] ctx5_q, ctx6_q;
  logic exec5_q, taken5_q, clear5_q, advance5_q, halt5_q, exchange5_q, ladder5_q, sign5_q;
  logic [4:0] index5_q;
  logic [2:0] width5_q;
  // what the decoder is told to do with the digit
  logic row5_q, entry5_q, second5_q;
  logic [5:0] pos5_q, op5_q;
  logic [1:0] rows5_q;
  logic [2:0] rom5_q;
  logic exec, halt;
  logic [1:0] tb, tg, tmode;
  logic [2:0] rom;
  assign tb = word_i[eph_isa_pkg::U_TBLsb+:eph_isa_pkg::U_TBW];
  assign tg = word_i[eph_isa_pkg::U_TGLsb+:eph_isa_pkg::U_TGW];
  assign tmode = word_i[eph_isa_pkg::U_TMODELsb+:eph_isa_pkg::U_TMODEW];
  assign rom = word_i[eph_isa_pkg::U_ROMLsb+:eph_isa_pkg::U_ROMW];
  assign exec = turn_i == eph_engine_pkg::TurnExec;
  assign halt = word_i[eph_isa_pkg::U_SEQLsb+:eph_isa_pkg::U_SEQW] == SeqHalt;
  always_ff @(posedge clk_i) begin
    state5_q    <= state_mem[ctx_i];
    expect5_q   <= expect_mem[ctx_i];
    ctx5_q      <= ctx_i;
    exec5_q     <= exec;
    taken5_q    <= taken_i;
    clear5_q    <= taken_i || turn_i == eph_engine_pkg::TurnReset;
    advance5_q  <= exec && word_i[eph_isa_pkg::U_DIGITLsb];
    halt5_q     <= exec && halt;
    exchange5_q <= exec && word_i[eph_isa_pkg::U_XCHLsb+:eph_isa_pkg::U_XCHW] == XchLadder;
    ladder5_q   <= program_i[eph_isa_pkg::P_DIGITSLsb+:eph_isa_pkg::P_DIGITSW] == 2'd0;
    width5_q    <= halt ? 3'd1
        : (pos_i == 9'd0) ? program_i[eph_isa_pkg::P_LOWESTLsb+:eph_isa_pkg::P_LOWESTW]
        : program_i[eph_isa_pkg::P_WINDOWLsb+:eph_isa_pkg::P_WINDOWW];
    sign5_q     <= sign_i;
    index5_q    <= index_i;
    pos5_q      <= pos_i[5:0];
    rows5_q     <= program_i[eph_isa_pkg::P_ROWSLsb+:eph_isa_pkg::P_ROWSW];
    rom5_q      <= rom;
    second5_q   <= tmode[0];
    op5_q       <= {word_i[eph_isa_pkg::U_OPELsb+:2], word_i[eph_isa_pkg::U_OPGLsb+:2],
        word_i[eph_isa_pkg::U_OPBLsb+:2]};
    row5_q      <= exec && (tb == BRom || tg == GRom) && rom != RomConstant;
    entry5_q    <= exec && (tb == BTable || tg == GTable) && tmode[1];
    a_halt_does_not_advance: assert (!exec || !halt || !word_i[eph_isa_pkg::U_DIGITLsb]);
  end

  // ---- stage 5 to 6: the two summands and the flags
  logic bad5, held5, bit5;
  logic [5:0] last5;
  logic [16:0] sum5, turned, digit, a5, b5;
  assign {bad5, held5, last5, bit5, sum5} = state5_q;
  always_comb begin
    turned = eph_engine_pkg::residue_shift(sum5, ladder5_q ? 3'd1 : width5_q);
    if (halt5_q) digit = {16'd0, sign5_q};
    else if (ladder5_q) digit = {16'd0, bit5 ^ sign5_q};
    else digit = {11'd0, index5_q, 1'b1} ^ {17{sign5_q}};
    a5 = (advance5_q || halt5_q) ? turned : sum5;
    b5 = taken5_q ? ~expect5_q : (advance5_q || halt5_q) ? digit : 17'd0;
  end

  logic [RomW-1:0] row, want5;
  logic [1:0] rom_word;
  assign row = {1'b0, pos5_q, index5_q};
  assign rom_word = (rom5_q == RomBySign) ? {1'b0, sign5_q}
      : (rom5_q == RomInverse) ? {1'b0, !sign5_q} : rom5_q[1:0];
  assign want5 = (rows5_q[1] ? row << 1 : '0) + (rows5_q[0] ? row : '0) + RomW'(rom_word);

  logic [RomW-1:0] want6_q, rom_addr6_q;
  logic [5:0] op6_q;
  logic row6_q;
  logic [16:0] a6_q, b6_q;
  logic [5:0] last6_q;
  logic exec6_q, taken6_q, clear6_q, exchange6_q, bad6_q, held6_q, bit6_q;
  always_ff @(posedge clk_i) begin
    ctx6_q      <= ctx5_q;
    exec6_q     <= exec5_q;
    taken6_q    <= taken5_q;
    clear6_q    <= clear5_q;
    exchange6_q <= exchange5_q;
    a6_q        <= a5;
    b6_q        <= b5;
    bad6_q      <= bad5 || (exec5_q && held5 && {sign5_q, index5_q} != last5)
        || (entry5_q && entry_i != {index5_q[3:0], second5_q});
    want6_q     <= want5;
    rom_addr6_q <= rom_addr_i;
    row6_q      <= row5_q;
    op6_q       <= exec5_q ? op5_q : 6'd0;
    held6_q     <= !advance5_q;
    last6_q     <= {sign5_q, index5_q};
    bit6_q      <= bit5 ^ (advance5_q && sign5_q);
  end

  // ---- stage 6 to 7: the sum; what the multiplier is told; verdict. Operators by sign: 2, 3.
  logic [16:0] sum6;
  logic exchange_bad, sign_bad, row_bad, agrees;
  assign sum6 = eph_engine_pkg::residue_add(a6_q, b6_q);
  assign exchange_bad = exchange6_q && (ctl_i[eph_fma_pkg::CtlXFromY] != last6_q[5]
      || ctl_i[eph_fma_pkg::CtlYFromX] == last6_q[5]);
  assign sign_bad =
      (op6_q[1] && ctl_i[eph_fma_pkg::CtlNegB] != (last6_q[5] ^ op6_q[0]))
      || (op6_q[3] && ctl_i[eph_fma_pkg::CtlNegG] != (last6_q[5] ^ op6_q[2]))
      || (op6_q[5] && ctl_i[eph_fma_pkg::CtlNegE] != (last6_q[5] ^ op6_q[4]));
  assign row_bad = row6_q && rom_addr6_q != want6_q;
  assign agrees = sum6 == 17'd0 || (&sum6);  // recorded - expected, zero in either form
  assign expect_ack_o = expect_valid_i && !clear6_q;
  always_ff @(posedge clk_i) begin
    if (exec6_q || clear6_q)
      state_mem[ctx6_q] <= clear6_q ? '0
          : {bad6_q || exchange_bad || sign_bad || row_bad, held6_q, last6_q, bit6_q, sum6};
    if (expect_valid_i || clear6_q)
      expect_mem[clear6_q ? ctx6_q : expect_ctx_i] <= clear6_q ? 17'd0 : expect_i;
    if (taken6_q) fault_o <= bad6_q || !agrees;
  end

  logic unused;
  assign unused = ^{word_i, program_i, ctl_i};
endmodule
