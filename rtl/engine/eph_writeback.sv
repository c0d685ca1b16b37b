// SPDX-License-Identifier: Apache-2.0
// Purpose: carries the destination of each turn beside the multiplier and writes the result digit
//          by digit; zeros and the load unit's operand enter here in place of a result, in their
//          context's own turn.
// Contract: dest_i and ctx_i at time -2. load_i must hold from the load turn until the last digit's
//           time (Lat + 1). Digit i is written at time Lat[i] + WriteBack, before the same
//           context's next read of it (checked at elaboration).
// Latency: WriteBack cycles behind eph_fma, digit by digit.
// Throughput: one register and one table entry a cycle.
// Data-dependent timing: none.
// Value bounds: passes digits as they come.
// Cleared by: flow.
module eph_writeback #(
    parameter int unsigned Contexts = 64,
    parameter int unsigned CtxW = $clog2(Contexts)
) (
    input  logic                  clk_i,
    input  logic                  rst_i,
    input  logic [CtxW-1:0]       ctx_i,
    input  logic [eph_engine_pkg::DestW-1:0] dest_i,  // dest_t
    input  logic [287:0]          res_i,   // of eph_fma
    input  logic [287:0]          load_i,  // of the load unit
    output logic [287:0]          wdata_o,
    output logic [7:0]            reg_we_o,
    output logic [8*(CtxW+4)-1:0] reg_waddr_o,
    output logic [7:0]            table_we_o,
    output logic [8*(CtxW+5)-1:0] table_waddr_o
);
  localparam int unsigned First = eph_fma_pkg::LatMin;
  localparam int unsigned Taps = eph_fma_pkg::LatMax - First + eph_engine_pkg::WriteBack + 1;
  localparam int unsigned WordW = CtxW + eph_engine_pkg::DestW;

  // Is each digit back in time for the next turn? A RAM address at time T-2 (T-1 for odd digits)
  // sees what the write port held one cycle before it.
  for (genvar d = 0; d < 8; d++) begin : gen_check
    localparam int unsigned Back = {24'd0, eph_fma_pkg::Lat[8*d+:8]} + eph_engine_pkg::WriteBack;
    if (Back + 3 > Contexts + (d % 2)) begin : gen_too_few_contexts
      eph_contexts_too_few_for_the_multiplier_latency u_error ();
    end
  end

  eph_engine_pkg::dest_t dest;
  assign dest = dest_i;
  logic [WordW-1:0] early;  // at time First
  eph_engine_delay #(.Width(WordW), .Cycles(First + 2)) u_delay (
      .clk_i, .rst_i, .d_i({ctx_i, dest_i}), .q_o(early)
  );

  logic [WordW-1:0] tap_q[1:Taps-1];
  always_ff @(posedge clk_i) begin
    tap_q[1] <= early;
    for (int i = 2; i < Taps; i++) tap_q[i] <= tap_q[i-1];
  end

  for (genvar d = 0; d < 8; d++) begin : gen_digit
    localparam int unsigned Select = {24'd0, eph_fma_pkg::Lat[8*d+:8]} - First;
    // Plain vectors here: Yosys 0.23 loses structs inside generate blocks. Fields in the order of
    // dest_t.
    logic [WordW-1:0] select_word, write_word;
    logic [CtxW-1:0] write_ctx;
    logic reg_we, table_we, inject_zero, inject_load;
    logic [1:0] written_inject;
    logic [3:0] row;
    logic [4:0] entry;
    if (Select == 0) begin : gen_first
      assign select_word = early;
    end else begin : gen_later
      assign select_word = tap_q[Select];
    end
    assign write_word = tap_q[Select+eph_engine_pkg::WriteBack];
    assign {inject_zero, inject_load} = select_word[10:9];
    assign {write_ctx, reg_we, table_we, written_inject, row, entry} = write_word;

    logic [35:0] chosen_q, hop_q, port_q;
    always_ff @(posedge clk_i) begin
      chosen_q <= inject_zero ? 36'd0 : inject_load ? load_i[36*d+:36] : res_i[36*d+:36];
      hop_q    <= chosen_q;  // a hop for the wires to four copies and the table
      port_q   <= hop_q;
    end
    assign wdata_o[36*d+:36] = port_q;
    assign reg_we_o[d] = reg_we;
    assign table_we_o[d] = table_we;
    assign reg_waddr_o[(CtxW+4)*d+:CtxW+4] = {write_ctx, row};
    assign table_waddr_o[(CtxW+5)*d+:CtxW+5] = {write_ctx, entry};

    logic unused;
    assign unused = ^{dest, select_word, written_inject};
  end

  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      a_one_source: assert (!(dest.inject_zero && dest.inject_load));
      a_load_writes_no_table: assert (!(dest.inject_load && dest.table_we));
    end
  end
endmodule
