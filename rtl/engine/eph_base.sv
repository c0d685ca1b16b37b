// SPDX-License-Identifier: Apache-2.0
// Purpose: access to the generated fixed-base ROM: puts its word into the datapath's digit skew.
// Contract: the address at time -2 gives even digits at time 0 and odd digits at time 1.
// Latency: 2 cycles to even digits, 3 to odd digits.
// Throughput: one word a cycle.
// Data-dependent timing: none; the address may be a secret digit (see eph_table).
// Value bounds: canonical field elements.
// Cleared by: nothing to clear, constants only.
module eph_base (
    input  logic                                clk_i,
    input  logic [eph_engine_pkg::RomAddrW-1:0] addr_i,
    output logic [287:0]                        rom_o
);
  logic [287:0] word, word_q;
  eph_base_rom u_rom (.clk_i, .addr_i, .word_o(word));
  always_ff @(posedge clk_i) word_q <= word;

  for (genvar d = 0; d < 8; d++) begin : gen_digit
    if (d % 2 == 0) begin : gen_even
      assign rom_o[36*d+:36] = word_q[36*d+:36];
    end else begin : gen_odd
      logic [35:0] late_q;
      always_ff @(posedge clk_i) late_q <= word_q[36*d+:36];
      assign rom_o[36*d+:36] = late_q;
    end
  end
endmodule
