// SPDX-License-Identifier: Apache-2.0
// Purpose: delay of a vector by a fixed number of cycles.
// Contract: q_o is d_i as it was Cycles cycles ago; Cycles = 0 is a wire.
// Latency: Cycles.  Throughput: 1 a cycle.  Data-dependent timing: none.  Value bounds: any.
// Cleared by: nothing; contents leave by shifting on.
module eph_delay #(
    parameter int Width  = 1,
    parameter int Cycles = 1
) (
    input  logic             clk_i,
    input  logic [Width-1:0] d_i,
    output logic [Width-1:0] q_o
);
  if (Cycles < 0) begin : gen_impossible
    $error("eph_delay: a value is used before it exists");
  end else if (Cycles == 0) begin : gen_wire
    logic unused_clk;
    assign unused_clk = clk_i;
    assign q_o = d_i;
  end else begin : gen_line
    for (genvar n = 0; n < Cycles; n++) begin : gen_stage
      logic [Width-1:0] d_q;
      if (n == 0) begin : gen_first
        always_ff @(posedge clk_i) d_q <= d_i;
      end else begin : gen_next
        always_ff @(posedge clk_i) d_q <= gen_stage[n-1].d_q;
      end
    end
    assign q_o = gen_stage[Cycles-1].d_q;
  end
endmodule
