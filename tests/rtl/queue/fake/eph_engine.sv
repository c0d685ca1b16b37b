// SPDX-License-Identifier: Apache-2.0
// Purpose: stand-in for eph_engine in the benches of the queue front end (same module name and
//   ports, no arithmetic): answers each request after LATENCY cycles, in any order, with words that
//   the bench can recompute.
// Contract: as eph_engine. SQE word 4 (first of the scalar) = cycles to wait in bits 19:0; a
//   request that waits less overtakes. CQE word i < 58 = SQE word i XOR 0x5a5a0000 + i; generation,
//   tag as asked; cycles = context; status = SQE flags (word 0, high). cpl words pause now and
//   then. Not synthesised.
// Data-dependent timing: yes, on purpose. Cleared by: a word is overwritten with zero when it is
// sent; a reset forgets the contexts.
module eph_engine #(
  parameter int unsigned Contexts = 64
) (
  input  logic clk_i,
  input  logic rst_i,
  output logic ready_o,
  output logic idle_o,
  output logic busy_o,
  output logic issue_o,
  input  logic cmd_valid_i,
  output logic cmd_ready_o,
  input  logic [31:0] cmd_i,
  input  logic [3:0] cmd_qid_i,
  output logic cpl_valid_o,
  input  logic cpl_ready_i,
  output logic [31:0] cpl_o,
  output logic [3:0] cpl_qid_o
);
  localparam int unsigned CtxW = Contexts > 1 ? $clog2(Contexts) : 1;
  localparam int unsigned WipeCycles = 300;

  logic [31:0] words [0:64*Contexts-1];
  logic [3:0] qid [0:Contexts-1];
  logic [20:0] wait_left [0:Contexts-1];
  logic [Contexts-1:0] taken_q, done;
  logic [CtxW-1:0] in_ctx_q, free_ctx, done_ctx, out_ctx_q;
  logic [5:0] in_q, out_q;
  logic sending_q;
  logic [8:0] wipe_q;
  logic [7:0] noise_q;

  always_comb begin
    free_ctx = '0;
    done_ctx = '0;
    for (int unsigned c = 0; c < Contexts; c++) begin
      done[c] = taken_q[c] && wait_left[c] == '0;
      if (!taken_q[c]) free_ctx = CtxW'(c);
      if (done[c]) done_ctx = CtxW'(c);
    end
  end

  wire [CtxW-1:0] in_ctx = in_q == 6'd0 ? free_ctx : in_ctx_q;
  wire take = cmd_valid_i && cmd_ready_o;
  wire send = cpl_valid_o && cpl_ready_i;
  assign ready_o = wipe_q == 9'd0;
  assign busy_o = taken_q != '0 || in_q != 6'd0;
  assign idle_o = ready_o && !busy_o;
  assign issue_o = busy_o;
  assign cmd_ready_o = ready_o && (in_q != 6'd0 || !(&taken_q)) && !noise_q[0];
  assign cpl_valid_o = sending_q && !(noise_q[1] && noise_q[2]);
  assign cpl_o = words[{out_ctx_q, out_q}];
  assign cpl_qid_o = qid[out_ctx_q];

  function automatic [31:0] answer(input [5:0] index, input [31:0] word);
    case (index)
      6'd58, 6'd59, 6'd60, 6'd61, 6'd62, 6'd63: answer = 32'd0; // filled in from other words below
      default: answer = word ^ (32'h5a5a0000 + {26'd0, index});
    endcase
  endfunction

  always_ff @(posedge clk_i) begin
    noise_q <= {noise_q[6:0], noise_q[7] ^ noise_q[5] ^ noise_q[4] ^ noise_q[3]};
    if (rst_i) noise_q <= 8'h1;
    if (rst_i) begin
      taken_q <= '0;
      in_q <= 6'd0;
      sending_q <= 1'b0;
      wipe_q <= 9'(WipeCycles);
    end else begin
      if (!ready_o) wipe_q <= wipe_q - 9'd1;
      for (int unsigned c = 0; c < Contexts; c++)
        if (wait_left[c] != '0) wait_left[c] <= wait_left[c] - 21'd1;
      if (take) begin
        in_q <= in_q + 6'd1;
        in_ctx_q <= in_ctx;
        if (in_q < 6'd58) words[{in_ctx, in_q}] <= answer(in_q, cmd_i);
        if (in_q == 6'd0) begin
          words[{in_ctx, 6'd63}] <= {16'd0, cmd_i[31:16]};
          words[{in_ctx, 6'd62}] <= {12'd0, cmd_qid_i, 16'd0};
          words[{in_ctx, 6'd60}] <= 32'(in_ctx);
          qid[in_ctx] <= cmd_qid_i;
        end
        if (in_q == 6'd1) words[{in_ctx, 6'd61}] <= cmd_i;
        if (in_q == 6'd2) words[{in_ctx, 6'd58}] <= cmd_i;
        if (in_q == 6'd3) words[{in_ctx, 6'd59}] <= cmd_i;
        if (in_q == 6'd4) wait_left[in_ctx] <= {1'b0, cmd_i[19:0]} + 21'd1;
        if (in_q == 6'd63) taken_q[in_ctx] <= 1'b1;
        a_qid_stable: assert (in_q == 6'd0 || qid[in_ctx] == cmd_qid_i);
      end
      if (!sending_q && done != '0) begin
        sending_q <= 1'b1;
        out_ctx_q <= done_ctx;
        out_q <= 6'd0;
      end
      if (send) begin
        words[{out_ctx_q, out_q}] <= 32'd0;
        out_q <= out_q + 6'd1;
        if (out_q == 6'd63) begin
          sending_q <= 1'b0;
          taken_q[out_ctx_q] <= 1'b0;
        end
      end
    end
  end
endmodule
