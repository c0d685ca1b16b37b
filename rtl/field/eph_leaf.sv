// SPDX-License-Identifier: Apache-2.0
// Purpose: signed 73 x 69 bit product, the leaf of the Karatsuba tree: a systolic array of 3 x 4
//   multiply-accumulators of the shape of a DSP48E1 (25 x 18 bits, registers A, B, M, P). Its own
//   module, so that its form can change with the part.
// Contract: p = a * b; a, b, p skewed vectors (eph_skew_view). Row r multiplies bits 24r.. of a,
//   column i bits 17i.. of b. A row is one cascade: a moves along it, each P adds the previous one
//   shifted by 17 (PCIN, OPMODE 17-bit shift). b moves from row to row. Every P is followed by a
//   fabric register: place-and-route tools do not time the path out of a DSP.
// Latency: eph_fma_pkg::LeafLat = 8, base to base.  Throughput: 1 a cycle.
// Data-dependent timing: none.
// Value bounds: all of 73 and 69 bits, signed; a row stays below 2^93 in magnitude.
// Cleared by: nothing.
module eph_leaf (
    input  logic                             clk_i,
    input  logic [   eph_fma_pkg::XW-1:0] a_i,
    input  logic [   eph_fma_pkg::YW-1:0] b_i,
    output logic [eph_fma_pkg::ProdW-1:0] p_o
);
  localparam int RowW = 94;
  logic [72:0] a;  // digits 24, 24, 25
  logic [68:0] b;  // digits 17, 17, 17, 18

  eph_skew_view #(
      .InW(73),
      .OutDigit(24),
      .OutDigits(3)
  ) u_a (
      .clk_i,
      .x_i(a_i),
      .y_o(a)
  );

  eph_skew_view #(
      .InW(69),
      .OutDigit(17),
      .OutDigits(4)
  ) u_b (
      .clk_i,
      .x_i(b_i),
      .y_o(b)
  );

  logic [3*RowW-1:0] rows;  // row r: digits 17, 17, 17, 43; base r + 4
  for (genvar r = 0; r < 3; r++) begin : gen_row
    for (genvar i = 0; i < 4; i++) begin : gen_mac
      logic signed [24:0] a_d, a_q;
      logic signed [17:0] b_d, b_q;
      logic signed [42:0] m_q;
      logic signed [47:0] p_q;

      if (i != 0) begin : gen_a_cascade
        assign a_d = gen_row[r].gen_mac[i-1].a_q;
      end else if (r != 2) begin : gen_a_low
        assign a_d = {1'b0, a[24*r+:24]};
      end else begin : gen_a_top
        assign a_d = a[72:48];
      end

      if (r != 0) begin : gen_b_down
        assign b_d = gen_row[r-1].gen_mac[i].b_q;
      end else if (i != 3) begin : gen_b_low
        assign b_d = {1'b0, b[17*i+:17]};
      end else begin : gen_b_top
        assign b_d = b[68:51];
      end

      always_ff @(posedge clk_i) begin
        a_q <= a_d;
        b_q <= b_d;
        m_q <= a_q * b_q;
      end

      if (i == 0) begin : gen_p_first
        always_ff @(posedge clk_i) p_q <= 48'(m_q);
      end else begin : gen_p_cascade
        always_ff @(posedge clk_i) p_q <= 48'(m_q) + (gen_row[r].gen_mac[i-1].p_q >>> 17);
      end

      localparam int OutW = (i == 3) ? RowW - 51 : 17;
      logic [OutW-1:0] out_q;
      always_ff @(posedge clk_i) out_q <= p_q[OutW-1:0];
      assign rows[RowW*r+17*i+:OutW] = out_q;
      if (i == 3) begin : gen_row_end
        logic unused_p;
        assign unused_p = ^p_q[47:OutW];
      end
    end
  end

  // rows to digits of 33 bits: row 0 and 1 at base 6, their sum and row 2 at base 7
  logic [117:0] row0, row1;
  logic [141:0] row2;
  logic [118:0] row01;

  eph_skew_view #(
      .InW(RowW),
      .InDigit(17),
      .InDigits(4),
      .OutW(118),
      .Wait(2)
  ) u_row0 (
      .clk_i,
      .x_i(rows[0*RowW+:RowW]),
      .y_o(row0)
  );

  eph_skew_view #(
      .InW(RowW),
      .InDigit(17),
      .InDigits(4),
      .OutW(118),
      .Shift(24),
      .Wait(1)
  ) u_row1 (
      .clk_i,
      .x_i(rows[1*RowW+:RowW]),
      .y_o(row1)
  );

  eph_skew_view #(
      .InW(RowW),
      .InDigit(17),
      .InDigits(4),
      .OutW(142),
      .Shift(48),
      .Wait(1)
  ) u_row2 (
      .clk_i,
      .x_i(rows[2*RowW+:RowW]),
      .y_o(row2)
  );

  eph_skew_add #(
      .W (119),
      .AW(118),
      .BW(118)
  ) u_row01 (
      .clk_i,
      .neg_i(1'b0),
      .a_i(row0),
      .b_i(row1),
      .y_o(row01)
  );

  eph_skew_add #(
      .W (142),
      .AW(119)
  ) u_row012 (
      .clk_i,
      .neg_i(1'b0),
      .a_i(row01),
      .b_i(row2),
      .y_o(p_o)
  );
endmodule
