// SPDX-License-Identifier: Apache-2.0
// The scalar path and the canonicaliser of the engine, on their own: also for programs that the device does not have yet.
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
  logic we;
  logic [4:0] pair;
  logic [15:0] data;
  eph_scalar_in u_in (
      .clk_i, .rst_i, .wipe_i(rst_i), .step_valid_i, .step_i, .word_i, .form_i, .busy_o,
      .we_o(we), .pair_o(pair), .data_o(data)
  );
  eph_scalar #(.Contexts(2)) u_scalar (
      .clk_i, .we_i(we), .wctx_i(1'b1), .wpair_i(pair), .wdata_i(data),
      .ctx_i(1'b1), .offset_i, .windows_i, .width_i, .top_i, .ended_i, .sign_o, .index_o
  );
  eph_canon u_canon (
      .clk_i, .rst_i, .wipe_i(rst_i), .start_i, .digits_i, .field_i, .busy_o(canon_busy_o),
      .word_valid_o(canon_valid_o), .word_index_o(canon_index_o), .word_o(canon_o), .zero_o(canon_zero_o)
  );
endmodule
