// SPDX-License-Identifier: Apache-2.0
// Proof about the arithmetic of the digit record (eph_engine_pkg, eph_scalar_record): it is addition and doubling modulo 2^17 - 1,
// one wrong window always shows at once, and what is wrong stays wrong whatever right digits follow.
module eph_residue_proof (
    input logic        clk_i,
    input logic [16:0] a_i,     // two sums
    input logic [16:0] b_i,
    input logic [5:0]  digit_i, // index and sign of a window
    input logic [5:0]  other_i,
    input logic [2:0]  bits_i   // of the window
);
  localparam logic [16:0] Modulus = 17'h1ffff;

  // A residue is zero in two forms; the same number otherwise.
  wire [16:0] a = (a_i == Modulus) ? 17'd0 : a_i;
  wire [16:0] b = (b_i == Modulus) ? 17'd0 : b_i;
  wire [17:0] plain = {1'b0, a} + {1'b0, b};
  wire [16:0] reduced = 17'((plain >= {1'b0, Modulus}) ? plain - {1'b0, Modulus} : plain);
  wire [16:0] sum = eph_engine_pkg::residue_add(a_i, b_i);

  // As eph_scalar_record: the summand of a window, and the verdict on two sums. Shifts only permute the bits of both sums.
  wire [16:0] digit = {11'd0, digit_i[4:0], 1'b1} ^ {17{digit_i[5]}};
  wire [16:0] other = {11'd0, other_i[4:0], 1'b1} ^ {17{other_i[5]}};
  wire [16:0] shifted_a = eph_engine_pkg::residue_shift(a_i, bits_i);
  wire [16:0] twice = eph_engine_pkg::residue_add(a_i, a_i);
  wire [16:0] next_a = eph_engine_pkg::residue_add(a_i, digit);
  wire [16:0] next_b = eph_engine_pkg::residue_add(b_i, digit);
  wire [16:0] next_other = eph_engine_pkg::residue_add(a_i, other);
  wire [16:0] next_bits = eph_engine_pkg::residue_shift(eph_engine_pkg::residue_shift(a_i, 3'd1), bits_i - 3'd1);
  wire [16:0] against_b = eph_engine_pkg::residue_add(next_a, ~next_b);
  wire [16:0] against_other = eph_engine_pkg::residue_add(next_a, ~next_other);

  always_ff @(posedge clk_i) begin
    a_adds: assert (((sum == Modulus) ? 17'd0 : sum) == reduced);
    a_doubles: assert (eph_engine_pkg::residue_shift(a_i, 3'd1) == twice || a == 17'd0);
    if (bits_i >= 3'd2 && bits_i <= 3'd6) a_shifts: assert (next_bits == shifted_a);
    a_wrong_window_shows: assert (digit_i == other_i || !(against_other == 17'd0 || (&against_other)));
    a_wrong_stays_wrong: assert (a == b || !(against_b == 17'd0 || (&against_b)));
    a_right_stays_right: assert (a != b || against_b == 17'd0 || (&against_b));
  end
endmodule
