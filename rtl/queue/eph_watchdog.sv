// SPDX-License-Identifier: Apache-2.0
// Purpose: notices a bus that stops answering.
// Contract: expired_o is high in the Cycles-th consecutive cycle in which active_i is high and
//   progress_i low.
// Latency: see contract. Data-dependent timing: none. Cleared by: rst_i.
module eph_watchdog #(
  parameter int unsigned Cycles = 1 << 22
) (
  input  logic clk_i,
  input  logic rst_i,
  input  logic active_i,
  input  logic progress_i,
  output logic expired_o
);
  localparam int unsigned CountW = $clog2(Cycles + 1);
  if (Cycles < 2) begin : gen_bad_cycles
    $error("Cycles must be at least 2");
  end
  logic [CountW-1:0] count_q;

  assign expired_o = active_i && !progress_i && count_q == CountW'(Cycles - 1);

  always_ff @(posedge clk_i) begin
    if (rst_i || !active_i || progress_i || expired_o) count_q <= '0;
    else count_q <= count_q + 1'b1;
  end
endmodule
