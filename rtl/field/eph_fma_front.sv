// SPDX-License-Identifier: Apache-2.0
// Purpose: front of the datapath: operand selection, shifts, pre-adds piece by piece without carry
//   between pieces, exchange, first level of Karatsuba differences.
// Contract: X = (a << sha) +- (b << shb | table), Y = c +- g, then y_from_x: Y := X, x_from_y: X :=
//   Y. Piece k of a vector is at [XW*k +: XW] (or YW, PieceW), a skewed vector each
//   (eph_skew_view); x_diff_o, y_diff_o hold pieces 0-2 and 1-3. ctl_i is valid with the even
//   digits.
// Latency: from the even digits of the operands to the base of x_o, y_o TFactor = 3; x_diff_o,
//   y_diff_o TDiff = 5; e_o (selected, not yet shifted or cleared) TSelect = 1.
// Throughput: 1 a cycle.  Data-dependent timing: none.
// Value bounds: operand digits as in rtl/README.md. A Y piece is at most 2^67 + 2^17 in magnitude,
//   so Y may be taken only from an X that fits its 69 bits; the port part of b and its table part
//   have no bit in common; differences fit. All asserted.
// Cleared by: nothing.
module eph_fma_front (
    input  logic                               clk_i,
    input  logic [eph_fma_pkg::EphFmaCtlW-1:0] ctl_i,
    input  logic [                      287:0] p0_i,
    input  logic [                      287:0] p1_i,
    input  logic [                      287:0] p2_i,
    input  logic [                      287:0] p3_i,
    input  logic [                      287:0] tab_i,
    input  logic [                      287:0] rom_i,
    output logic [      4*eph_fma_pkg::XW-1:0] x_o,
    output logic [      4*eph_fma_pkg::YW-1:0] y_o,
    output logic [      2*eph_fma_pkg::XW-1:0] x_diff_o,
    output logic [      2*eph_fma_pkg::YW-1:0] y_diff_o,
    output logic [  4*eph_fma_pkg::PieceW-1:0] e_o
);
  localparam int XW = eph_fma_pkg::XW;
  localparam int YW = eph_fma_pkg::YW;
  localparam int PieceW = eph_fma_pkg::PieceW;
  localparam int ShiftW = eph_fma_pkg::ShiftW;

  // controls, one and two cycles later
  logic [eph_fma_pkg::EphFmaCtlW-1:0] ctl_q, ctl_q2;
  always_ff @(posedge clk_i) begin
    ctl_q  <= ctl_i;
    ctl_q2 <= ctl_q;
  end
  logic neg_b, neg_g, x_from_y, y_from_x;
  assign neg_b = ctl_q[eph_fma_pkg::CtlNegB];
  assign neg_g = ctl_q[eph_fma_pkg::CtlNegG];
  assign x_from_y = ctl_q2[eph_fma_pkg::CtlXFromY];
  assign y_from_x = ctl_q2[eph_fma_pkg::CtlYFromX];

  logic [3:0] one_b_operand, square_fits;  // asserted below
  logic unused_in;
  assign unused_in = ^{ctl_q2, p0_i, p1_i, p2_i, p3_i, tab_i, rom_i};

  for (genvar k = 0; k < 4; k++) begin : gen_piece
    logic [PieceW-1:0] p0, p1, c, g, t_piece;  // p0, p1: base 0; all others from here: TSelect
    logic [ShiftW-1:0] a, b, t, b_or_t;
    logic [XW-1:0] x_sum, x_other;  // TSum
    logic [YW-1:0] y_sum, y_other;

    for (genvar d = 0; d < 2; d++) begin : gen_digit
      // the layout of stored values: 36 bits a digit, of which the top ones are not used
      localparam int Lo = 33 * d;
      localparam int W = (d == 0) ? 33 : 34;
      localparam int At = 72 * k + 36 * d;
      localparam int StoredW = (d == 0) ? 33 : (k == 0) ? 34 : (k == 3) ? 30 : 33;
      logic [W-1:0] p1_d, p3_d, tab_d, rom_d;
      assign p1_d = W'(p1_i[At+:StoredW]);
      assign p3_d = W'(p3_i[At+:StoredW]);
      assign tab_d = W'(tab_i[At+:StoredW]);
      assign rom_d = W'(rom_i[At+:StoredW]);

      logic zc, esel;
      logic [1:0] tb, tg;
      if (d == 0) begin : gen_even
        assign zc = ctl_i[eph_fma_pkg::CtlZc];
        assign esel = ctl_i[eph_fma_pkg::CtlEsel];
        assign tb = ctl_i[eph_fma_pkg::CtlTb+:2];
        assign tg = ctl_i[eph_fma_pkg::CtlTg+:2];
      end else begin : gen_odd
        assign zc = ctl_q[eph_fma_pkg::CtlZc];
        assign esel = ctl_q[eph_fma_pkg::CtlEsel];
        assign tb = ctl_q[eph_fma_pkg::CtlTb+:2];
        assign tg = ctl_q[eph_fma_pkg::CtlTg+:2];
      end

      logic [W-1:0] c_q, g_q, t_q, e_q;
      always_ff @(posedge clk_i) begin
        c_q <= zc ? '0 : W'(p2_i[At+:StoredW]);
        e_q <= esel ? p3_d : p1_d;
        case (tb)
          2'd1: t_q <= tab_d;
          2'd2: t_q <= rom_d;
          default: t_q <= '0;
        endcase
        case (tg)
          2'd1: g_q <= p3_d;
          2'd2: g_q <= tab_d;
          2'd3: g_q <= rom_d;
          default: g_q <= '0;
        endcase
      end
      assign p0[Lo+:W] = W'(p0_i[At+:StoredW]);
      assign p1[Lo+:W] = p1_d;
      assign c[Lo+:W] = c_q;
      assign g[Lo+:W] = g_q;
      assign t_piece[Lo+:W] = t_q;
      assign e_o[PieceW*k+Lo+:W] = e_q;
    end

    eph_skew_shift u_a (
        .clk_i, .shift_i(ctl_i[eph_fma_pkg::CtlSha+:2]), .zero_i(ctl_i[eph_fma_pkg::CtlZa]),
        .x_i(p0), .y_o(a));
    eph_skew_shift u_b (
        .clk_i, .shift_i(ctl_i[eph_fma_pkg::CtlShb+:2]), .zero_i(ctl_i[eph_fma_pkg::CtlZb]),
        .x_i(p1), .y_o(b));
    eph_skew_view #(.InW(PieceW), .InSigned(0), .OutW(ShiftW)) u_t (
        .clk_i, .x_i(t_piece), .y_o(t));
    assign b_or_t[32:0] = b[32:0] | t[32:0];
    assign b_or_t[65:33] = b[65:33] | t[65:33];
    assign b_or_t[69:66] = b[69:66] | t[69:66];
    assign one_b_operand[k] = (b & t) == '0;

    // pre-adds
    eph_skew_add #(.W(XW), .AW(ShiftW), .ASigned(0), .BW(ShiftW), .BSigned(0), .Dynamic(1)) u_x (
        .clk_i, .neg_i(neg_b), .a_i(a), .b_i(b_or_t), .y_o(x_sum));
    eph_skew_add #(.W(YW), .AW(PieceW), .ASigned(0), .BW(PieceW), .BSigned(0), .Dynamic(1)) u_y (
        .clk_i, .neg_i(neg_g), .a_i(c), .b_i(g), .y_o(y_sum));

    // exchange
    eph_skew_view #(.InW(YW), .OutW(XW)) u_x_other (.clk_i, .x_i(y_sum), .y_o(x_other));
    eph_skew_view #(.InW(XW), .OutW(YW)) u_y_other (.clk_i, .x_i(x_sum), .y_o(y_other));
    eph_skew_mux #(.W(XW), .Registered(1)) u_x_o (
        .clk_i, .sel_i(x_from_y), .a_i(x_other), .b_i(x_sum), .y_o(x_o[XW*k+:XW]));
    eph_skew_mux #(.W(YW), .Registered(1)) u_y_o (
        .clk_i, .sel_i(y_from_x), .a_i(y_other), .b_i(y_sum), .y_o(y_o[YW*k+:YW]));

    // a square takes its second factor from X: its top digit is two cycles later than y_from_x
    logic [1:0] y_from_x_q;
    always_ff @(posedge clk_i) y_from_x_q <= {y_from_x_q[0], y_from_x};
    assign square_fits[k] = !y_from_x_q[1] || x_sum[XW-1:YW] == {(XW - YW) {x_sum[YW-1]}};
  end

  always_ff @(posedge clk_i) begin
    a_table_exists : assert (ctl_i[eph_fma_pkg::CtlTb+:2] != 2'd3);
    a_bias_exists : assert (ctl_i[eph_fma_pkg::CtlKsh+:3] <= 3'd5);
    a_one_exchange : assert (!(x_from_y && y_from_x));
    a_one_b_operand : assert (&one_b_operand);
    a_square_fits : assert (&square_fits);
  end

  for (genvar k = 0; k < 2; k++) begin : gen_diff
    eph_skew_add #(.W(XW), .AWait(1), .BWait(1), .Exact(1)) u_x (
        .clk_i, .neg_i(1'b1), .a_i(x_o[XW*k+:XW]), .b_i(x_o[XW*(k+2)+:XW]),
        .y_o(x_diff_o[XW*k+:XW]));
    eph_skew_add #(.W(YW), .AWait(1), .BWait(1), .Exact(1)) u_y (
        .clk_i, .neg_i(1'b1), .a_i(y_o[YW*k+:YW]), .b_i(y_o[YW*(k+2)+:YW]),
        .y_o(y_diff_o[YW*k+:YW]));
  end
endmodule
