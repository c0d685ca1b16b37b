// SPDX-License-Identifier: Apache-2.0
// Shared shapes of the barrel engine: what a turn does, the state word of a context, the stages.
//
// Stages of the sequencer, counted from the one that names the context:
//   0 state address
//   1 state word; units' requests are matched; addresses of microcode and scalar RAM
//   2 their RAM outputs
//   3 word registered, scalar bits shifted
//   4 digit ready, decode
//   5 addresses registered (datapath time -2)
//   6 RAM output, controls (time -1)
//   7 fabric register = even digits at the multiplier (time 0); odd digits one later
package eph_engine_pkg;
  localparam int unsigned RowW = 4;          // registers a context: 16
  localparam int unsigned TableW = 5;        // table entries a context: 32
  localparam int unsigned ScalarByteW = 6;   // 64 bytes a context (narrow: 33 and the parity)
  localparam int unsigned PcW = 10;
  localparam int unsigned RomAddrW = 12;
  localparam int unsigned DigitBus = 288;    // 8 digits at a stride of 36
  localparam int unsigned AddrStage = 5;     // stage that drives RAM addresses
  localparam int unsigned ReadStage = 7;     // stage of the even digits, datapath time 0
  localparam int unsigned WriteBack = 3;     // cycles from a digit at res_o to the RAM's write port
  localparam int unsigned ResetTurns = 32;   // 16 registers, 32 table entries, 32 scalar pairs
  localparam int unsigned ParityByte = 63;   // holds the parity: the digit after the last one

  // Group orders l and n (RFC 8032 section 5.1; FIPS 186-4 D.1.2.3)
  localparam logic [255:0] Order25519 =
      256'h1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed;
  localparam logic [255:0] OrderP256 =
      256'hffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551;

  // Arithmetic modulo 2^17 - 1, a prime, for the record of consumed digits: the carry goes round.
  // 17 is prime to a window of 6 bits and to the byte, so neighbours never weigh the same.
  localparam logic [16:0] Residue25519 = 17'(Order25519 % 256'd131071);
  localparam logic [16:0] ResidueP256 = 17'(OrderP256 % 256'd131071);
  function automatic [16:0] residue_add(input [16:0] a, input [16:0] b);
    reg [17:0] sum;
    sum = {1'b0, a} + {1'b0, b};
    residue_add = sum[16:0] + {16'd0, sum[17]};
  endfunction
  function automatic [16:0] residue_shift(input [16:0] a, input [2:0] bits);  // times 2^bits
    case (bits)
      3'd1:    residue_shift = {a[15:0], a[16]};
      3'd2:    residue_shift = {a[14:0], a[16:15]};
      3'd3:    residue_shift = {a[13:0], a[16:14]};
      3'd4:    residue_shift = {a[12:0], a[16:13]};
      3'd5:    residue_shift = {a[11:0], a[16:12]};
      default: residue_shift = {a[10:0], a[16:11]};  // 6, the widest window
    endcase
  endfunction

  typedef enum logic [2:0] {
    TurnIdle   = 3'd0,  // nothing is written
    TurnExec   = 3'd1,  // one instruction
    TurnWipe   = 3'd2,  // one temporary register and one table entry := 0
    TurnLoad   = 3'd3,  // one register := the load unit's operand
    TurnUnload = 3'd4,  // one register read, then := 0
    TurnReset  = 3'd5   // as TurnWipe, for every register, table entry and pair of scalar bytes
  } turn_e;

  typedef enum logic [2:0] {
    CtxFree   = 3'd0,
    CtxLoad   = 3'd1,  // belongs to the load unit
    CtxRun    = 3'd2,
    CtxWipe   = 3'd3,
    CtxDone   = 3'd4,  // waits for the unload unit
    CtxUnload = 3'd5   // belongs to the unload unit
  } ctx_e;

  typedef enum logic [2:0] {
    MoveNone    = 3'd0,
    MoveReserve = 3'd1,  // Free -> Load
    MoveStart   = 3'd2,  // Load -> Run
    MoveSkip    = 3'd3,  // Load -> Done: no program for this request
    MoveTake    = 3'd4,  // Done -> Unload
    MoveFree    = 3'd5   // Unload -> Free
  } move_e;

  // The state word of a context. Nothing in it depends on a secret.
  typedef struct packed {
    logic [2:0]     st;      // ctx_e
    logic [1:0]     opcode;  // of a program that exists: the low bits name it
    logic [2:0]     curve;
    logic [PcW-1:0] pc;
    logic [7:0]     count;   // loop count; in CtxWipe the next entry to clear
    logic [8:0]     pos;     // digits still to come below this one
    logic [8:0]     offset;  // lowest scalar bit of the digit
    logic           ended;   // past the last digit: the parity is the digit
    logic [15:0]    turns;   // turns counted for the completion
  } ctx_state_t;
  localparam int unsigned StateW = 61;  // of ctx_state_t: Yosys 0.23 has no $bits of a package type

  // What a turn writes when its result is due.
  typedef struct packed {
    logic       reg_we;
    logic       table_we;
    logic       inject_zero;  // instead of the multiplier's result
    logic       inject_load;
    logic [3:0] row;
    logic [4:0] entry;
  } dest_t;
  localparam int unsigned DestW = 13;  // of dest_t: Yosys 0.23 takes no package types in ports
endpackage
