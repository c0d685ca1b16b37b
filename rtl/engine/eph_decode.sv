// SPDX-License-Identifier: Apache-2.0
// Purpose: turns one turn (instruction word and secret digit, or a wipe, load, unload or reset
//          turn) into addresses, a destination and the multiplier's controls.
// Contract: inputs at stage 4; addresses and destination at stage 5 (time -2), controls at stage 6
//           (time -1). The secret sign acts only on the neg_* controls, the exchange, and the ROM
//           address; the secret index only on the table and ROM addresses. Register addresses never
//           depend on it.
// Latency: 1 cycle to the addresses, 2 to the controls.
// Throughput: one turn a cycle.
// Data-dependent timing: none.
// Value bounds: fixed-base rows stay below 4096 words.
// Cleared by: flow.
module eph_decode #(
    parameter int unsigned Contexts = 64,
    parameter int unsigned CtxW = $clog2(Contexts)
) (
    input  logic                                 clk_i,
    input  logic [2:0]                           turn_i,    // turn_e
    input  logic [CtxW-1:0]                      ctx_i,
    input  logic [4:0]                           arg_i,
    input  logic [8:0]                           pos_i,
    input  logic [95:0]                          word_i,
    input  logic [127:0]                         program_i,
    input  logic                                 sign_i,    // secret
    input  logic [4:0]                           index_i,   // secret
    output logic                                 issue_o,   // stage 5: an instruction
    output logic [CtxW-1:0]                      ctx_o,
    output logic [4*(CtxW+4)-1:0]                raddr_o,
    output logic [CtxW+4:0]                      taddr_o,
    output logic [eph_engine_pkg::RomAddrW-1:0]  rom_addr_o,
    output logic [eph_engine_pkg::DestW-1:0]     dest_o,    // dest_t
    output logic [eph_fma_pkg::EphFmaCtlW-1:0]   ctl_o      // stage 6
);
  localparam int unsigned RomW = eph_engine_pkg::RomAddrW;
  localparam logic [1:0] OpSub = 2'd1, OpBySign = 2'd2, OpInverse = 2'd3;
  localparam logic [1:0] XchSquare = 2'd1, XchLadder = 2'd2;

  logic exec;
  assign exec = turn_i == eph_engine_pkg::TurnExec;

  // ---- registers read
  logic [3:0] row0, row1, row2, row3;
  // an unload turn reads on port 0
  assign row0 = exec ? word_i[eph_isa_pkg::U_P0Lsb+:eph_isa_pkg::U_P0W] : arg_i[3:0];
  assign row1 = exec ? word_i[eph_isa_pkg::U_P1Lsb+:eph_isa_pkg::U_P1W] : 4'd0;
  assign row2 = exec ? word_i[eph_isa_pkg::U_P2Lsb+:eph_isa_pkg::U_P2W] : 4'd0;
  assign row3 = exec ? word_i[eph_isa_pkg::U_P3Lsb+:eph_isa_pkg::U_P3W] : 4'd0;

  // ---- table entry
  logic [1:0] tmode;
  logic [4:0] tsrc, entry;
  assign tmode = word_i[eph_isa_pkg::U_TMODELsb+:eph_isa_pkg::U_TMODEW];
  assign tsrc = word_i[eph_isa_pkg::U_TSRCLsb+:eph_isa_pkg::U_TSRCW];
  assign entry = (tmode == 2'd0) ? tsrc : {index_i[3:0], tmode == 2'd3};

  // ---- fixed-base row: (window * 32 + index) * rows + word
  logic [2:0] rom;
  logic [1:0] rows, rom_word;
  logic [RomW-1:0] row, row_addr;
  assign rom = word_i[eph_isa_pkg::U_ROMLsb+:eph_isa_pkg::U_ROMW];
  assign rows = program_i[eph_isa_pkg::P_ROWSLsb+:eph_isa_pkg::P_ROWSW];
  always_comb begin
    unique case (rom)
      3'd4:    rom_word = {1'b0, sign_i};
      3'd5:    rom_word = {1'b0, !sign_i};
      default: rom_word = rom[1:0];
    endcase
  end
  logic row_read;  // for the assertions: a table row, not a constant
  assign row_read = rom != 3'd3 && (word_i[eph_isa_pkg::U_TBLsb+:eph_isa_pkg::U_TBW] == 2'd2
      || word_i[eph_isa_pkg::U_TGLsb+:eph_isa_pkg::U_TGW] == 2'd3);
  assign row = {1'b0, pos_i[5:0], index_i};
  assign row_addr = (rows[1] ? row << 1 : '0) + (rows[0] ? row : '0) + RomW'(rom_word);

  // ---- destination
  eph_engine_pkg::dest_t dest;
  logic [3:0] results;
  logic [4:0] wipe_row;
  assign results = program_i[eph_isa_pkg::P_RESULTSLsb+:eph_isa_pkg::P_RESULTSW];
  assign wipe_row = arg_i + 5'(results);
  always_comb begin
    dest = '0;
    unique case (turn_i)
      eph_engine_pkg::TurnExec: begin
        dest.reg_we   = word_i[eph_isa_pkg::U_WELsb];
        dest.table_we = word_i[eph_isa_pkg::U_TWELsb];
        dest.row      = word_i[eph_isa_pkg::U_DSTLsb+:eph_isa_pkg::U_DSTW];
        dest.entry    = word_i[eph_isa_pkg::U_TDSTLsb+:eph_isa_pkg::U_TDSTW];
      end
      eph_engine_pkg::TurnWipe: begin
        dest.reg_we      = wipe_row < program_i[eph_isa_pkg::P_REGSLsb+:eph_isa_pkg::P_REGSW];
        dest.table_we    = 6'(arg_i) < program_i[eph_isa_pkg::P_TABLELsb+:eph_isa_pkg::P_TABLEW];
        dest.inject_zero = 1'b1;
        dest.row         = wipe_row[3:0];
        dest.entry       = arg_i;
      end
      eph_engine_pkg::TurnLoad: begin
        dest.reg_we      = 1'b1;
        dest.inject_load = 1'b1;
        dest.row         = arg_i[3:0];
      end
      eph_engine_pkg::TurnUnload: begin
        dest.reg_we      = 1'b1;
        dest.inject_zero = 1'b1;
        dest.row         = arg_i[3:0];
      end
      eph_engine_pkg::TurnReset: begin
        dest.reg_we      = 1'b1;
        dest.table_we    = 1'b1;
        dest.inject_zero = 1'b1;
        dest.row         = arg_i[3:0];
        dest.entry       = arg_i;
      end
      default: ;
    endcase
  end

  // ---- controls
  logic [1:0] opb, opg, ope, xch;
  logic [2:0] field;
  logic neg_b, neg_g, neg_e, x_from_y, y_from_x, f25519;
  logic [eph_fma_pkg::EphFmaCtlW-1:0] ctl, ctl5_q;
  assign opb = word_i[eph_isa_pkg::U_OPBLsb+:eph_isa_pkg::U_OPBW];
  assign opg = word_i[eph_isa_pkg::U_OPGLsb+:eph_isa_pkg::U_OPGW];
  assign ope = word_i[eph_isa_pkg::U_OPELsb+:eph_isa_pkg::U_OPEW];
  assign xch = word_i[eph_isa_pkg::U_XCHLsb+:eph_isa_pkg::U_XCHW];
  assign neg_b = opb == OpSub || (opb == OpBySign && sign_i) || (opb == OpInverse && !sign_i);
  assign neg_g = opg == OpSub || (opg == OpBySign && sign_i) || (opg == OpInverse && !sign_i);
  assign neg_e = ope == OpSub || (ope == OpBySign && sign_i) || (ope == OpInverse && !sign_i);
  assign x_from_y = xch == XchLadder && sign_i;
  assign y_from_x = xch == XchSquare || (xch == XchLadder && !sign_i);
  assign field = program_i[eph_isa_pkg::P_FIELDLsb+:eph_isa_pkg::P_FIELDW];
  assign f25519 = 32'(field) == eph_isa_pkg::FIELD_F25519;
  always_comb begin
    ctl = '0;
    ctl[eph_fma_pkg::CtlSha+:2] = word_i[eph_isa_pkg::U_SHALsb+:eph_isa_pkg::U_SHAW];
    ctl[eph_fma_pkg::CtlShb+:2] = word_i[eph_isa_pkg::U_SHBLsb+:eph_isa_pkg::U_SHBW];
    ctl[eph_fma_pkg::CtlShe+:2] = word_i[eph_isa_pkg::U_SHELsb+:eph_isa_pkg::U_SHEW];
    ctl[eph_fma_pkg::CtlTb+:2] = word_i[eph_isa_pkg::U_TBLsb+:eph_isa_pkg::U_TBW];
    ctl[eph_fma_pkg::CtlTg+:2] = word_i[eph_isa_pkg::U_TGLsb+:eph_isa_pkg::U_TGW];
    ctl[eph_fma_pkg::CtlKsh+:3] = word_i[eph_isa_pkg::U_KSHLsb+:eph_isa_pkg::U_KSHW];
    ctl[eph_fma_pkg::CtlZa] = word_i[eph_isa_pkg::U_ZALsb];
    ctl[eph_fma_pkg::CtlZb] = word_i[eph_isa_pkg::U_ZBLsb];
    ctl[eph_fma_pkg::CtlZc] = word_i[eph_isa_pkg::U_ZCLsb];
    ctl[eph_fma_pkg::CtlZe] = word_i[eph_isa_pkg::U_ZELsb];
    ctl[eph_fma_pkg::CtlEsel] = word_i[eph_isa_pkg::U_ESELLsb];
    ctl[eph_fma_pkg::CtlNegB] = neg_b;
    ctl[eph_fma_pkg::CtlNegG] = neg_g;
    ctl[eph_fma_pkg::CtlNegE] = neg_e;
    ctl[eph_fma_pkg::CtlXFromY] = x_from_y;
    ctl[eph_fma_pkg::CtlYFromX] = y_from_x;
    ctl[eph_fma_pkg::CtlF25519] = f25519;
  end

  always_ff @(posedge clk_i) begin
    issue_o    <= exec;
    ctx_o      <= ctx_i;
    raddr_o    <= {ctx_i, row3, ctx_i, row2, ctx_i, row1, ctx_i, row0};
    taddr_o    <= {ctx_i, exec ? entry : 5'd0};
    rom_addr_o <= !exec ? '0
        : (rom == 3'd3) ? RomW'(eph_isa_pkg::CONST_BASE) + RomW'(tsrc) : row_addr;
    dest_o     <= dest;
    ctl5_q     <= exec ? ctl : '0;
    ctl_o      <= ctl5_q;
    if (exec) begin
      a_rom_row_exists: assert (!row_read || pos_i < 9'd64);
      a_one_half_of_rom: assert (!row_read || !program_i[eph_isa_pkg::P_ROM_BASELsb]);
      a_rows_of_two_or_three: assert (!row_read || rows >= 2'd2);
      a_bias_range: assert (word_i[eph_isa_pkg::U_KSHLsb+:eph_isa_pkg::U_KSHW] <= 3'd5);
    end
    if (turn_i == eph_engine_pkg::TurnUnload)
      a_unload_reads_results: assert (arg_i < 5'(results));
  end

  logic unused;
  assign unused = ^{program_i, word_i, pos_i};
endmodule
