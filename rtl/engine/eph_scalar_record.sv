// SPDX-License-Identifier: Apache-2.0
// Purpose: records the digits that each program really consumed and says, when the context is
//          taken for unloading, whether they are those of the scalar that arrived (status CHECK).
// Contract: all inputs at stage 4, ctl_i at stage 6. A turn that advances the digit appends it:
//           sum = sum * 2^width + digit modulo 2^17 - 1, from the top window down; for a ladder the
//           swaps are first undone to bits. The halt appends the parity. Between two advances every
//           turn must see the same digit, and a ladder's exchange controls must say what the digit
//           says. The expected residue (eph_scalar_expect) is written while the context loads.
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
    // stage 6
    input  logic [eph_fma_pkg::EphFmaCtlW-1:0] ctl_i,
    output logic            fault_o
);
  localparam logic [1:0] XchLadder = 2'd2, SeqHalt = 2'd3;
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
  logic exec, halt;
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
    a_halt_does_not_advance: assert (!exec || !halt || !word_i[eph_isa_pkg::U_DIGITLsb]);
  end

  // ---- stage 5 to 6: the two summands and the flags
  logic bad5, held5, bit5;
  logic [5:0] last5;
  logic [16:0] sum5, turned, digit, a5, b5;
  assign {bad5, held5, last5, bit5, sum5} = state5_q;
  always_comb begin
    unique case (ladder5_q ? 3'd1 : width5_q)
      3'd1:    turned = {sum5[15:0], sum5[16]};
      3'd2:    turned = {sum5[14:0], sum5[16:15]};
      3'd3:    turned = {sum5[13:0], sum5[16:14]};
      3'd4:    turned = {sum5[12:0], sum5[16:13]};
      3'd5:    turned = {sum5[11:0], sum5[16:12]};
      default: turned = {sum5[10:0], sum5[16:11]};
    endcase
    if (halt5_q) digit = {16'd0, sign5_q};
    else if (ladder5_q) digit = {16'd0, bit5 ^ sign5_q};
    else digit = {11'd0, index5_q, 1'b1} ^ {17{sign5_q}};
    a5 = (advance5_q || halt5_q) ? turned : sum5;
    b5 = taken5_q ? ~expect5_q : (advance5_q || halt5_q) ? digit : 17'd0;
  end

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
    bad6_q      <= bad5 || (exec5_q && held5 && {sign5_q, index5_q} != last5);
    held6_q     <= !advance5_q;
    last6_q     <= {sign5_q, index5_q};
    bit6_q      <= bit5 ^ (advance5_q && sign5_q);
  end

  // ---- stage 6 to 7: the sum; the exchange that the multiplier is told; verdict
  logic [16:0] sum6;
  logic exchange_bad, agrees;
  assign sum6 = eph_engine_pkg::residue_add(a6_q, b6_q);
  assign exchange_bad = exchange6_q && (ctl_i[eph_fma_pkg::CtlXFromY] != last6_q[5]
      || ctl_i[eph_fma_pkg::CtlYFromX] == last6_q[5]);
  assign agrees = sum6 == 17'd0 || (&sum6);  // recorded - expected, zero in either form
  assign expect_ack_o = expect_valid_i && !clear6_q;
  always_ff @(posedge clk_i) begin
    if (exec6_q || clear6_q)
      state_mem[ctx6_q] <= clear6_q ? '0 : {bad6_q || exchange_bad, held6_q, last6_q, bit6_q, sum6};
    if (expect_valid_i || clear6_q)
      expect_mem[clear6_q ? ctx6_q : expect_ctx_i] <= clear6_q ? 17'd0 : expect_i;
    if (taken6_q) fault_o <= bad6_q || !agrees;
  end

  logic unused;
  assign unused = ^{word_i, program_i, ctl_i};
endmodule
