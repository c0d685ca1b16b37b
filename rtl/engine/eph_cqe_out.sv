// SPDX-License-Identifier: Apache-2.0
// Purpose: two completion buffers: one is composed by the unload unit while the other is streamed
//          out and cleared word by word.
// Contract: fill_* writes the buffer being composed; give_i with give_ready_o hands it over. The 64
//           words then come in order; result words are zero unless give_ok_i. qid stays stable
//           during them.
// Latency: first word 1 cycle after the hand-over, 64 words.
// Throughput: one word a cycle.
// Data-dependent timing: none.
// Value bounds: none.
// Cleared by: each word as it is read; both buffers in the first 64 cycles after reset.
module eph_cqe_out (
    input  logic        clk_i,
    input  logic        rst_i,
    input  logic        fill_we_i,
    input  logic [5:0]  fill_addr_i,
    input  logic [31:0] fill_data_i,
    input  logic        give_i,
    output logic        give_ready_o,
    input  logic        give_ok_i,
    input  logic [3:0]  give_qid_i,
    output logic        cpl_valid_o,
    input  logic        cpl_ready_i,
    output logic [31:0] cpl_o,
    output logic [3:0]  cpl_qid_o,
    output logic        last_o         // the last word of a completion is taken
);
  localparam logic [5:0] ResultWords = 6'(eph_isa_pkg::CQE_RESULTBytes / 4);

  logic half_q;         // buffer being composed; the other one is streamed
  logic wiping_q;       // after reset
  logic reading_q;      // words left to fetch
  logic ok_q;
  logic [5:0] index_q;  // next word to fetch, or to wipe
  logic last_q;         // cpl_o is the last word
  logic fetch;
  assign fetch = reading_q && (!cpl_valid_o || cpl_ready_i);
  assign give_ready_o = !reading_q && !cpl_valid_o && !wiping_q;
  assign last_o = cpl_valid_o && cpl_ready_i && last_q;

  logic [31:0] read[2];
  for (genvar h = 0; h < 2; h++) begin : gen_half
    logic [31:0] mem[0:63];
    logic filling, we;
    assign filling = half_q == 1'(h) && !wiping_q;
    assign we = filling ? fill_we_i : (fetch || wiping_q);
    always_ff @(posedge clk_i)
      if (we) mem[filling ? fill_addr_i : index_q] <= filling ? fill_data_i : 32'd0;
    assign read[h] = mem[index_q];
  end

  always_ff @(posedge clk_i) begin
    if (give_i && give_ready_o) begin
      half_q    <= !half_q;
      reading_q <= 1'b1;
      ok_q      <= give_ok_i;
      cpl_qid_o <= give_qid_i;
      index_q   <= 6'd0;
    end
    if (fetch || wiping_q) index_q <= index_q + 6'd1;
    if (fetch) begin
      cpl_o  <= (index_q < ResultWords && !ok_q) ? 32'd0 : read[!half_q];
      last_q <= index_q == 6'd63;
      if (index_q == 6'd63) reading_q <= 1'b0;
    end
    if (fetch) cpl_valid_o <= 1'b1;
    else if (cpl_ready_i) cpl_valid_o <= 1'b0;
    if (wiping_q && index_q == 6'd63) wiping_q <= 1'b0;
    if (rst_i) begin
      half_q      <= 1'b0;
      wiping_q    <= 1'b1;
      reading_q   <= 1'b0;
      index_q     <= 6'd0;
      cpl_valid_o <= 1'b0;
      cpl_o       <= 32'd0;
    end
    if (!rst_i) begin
      a_no_fill_while_wiping: assert (!(fill_we_i && wiping_q));
      a_last_word_is_last: assert (!(cpl_valid_o && last_q) || !reading_q);
      a_fetch_is_not_fill: assert (!give_ready_o || !fetch);
    end
  end
endmodule
