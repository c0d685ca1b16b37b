// SPDX-License-Identifier: Apache-2.0
// Numbers of the fused datapath that its users need: control layout and the cycle of each result
// digit.
package eph_fma_pkg;
  // ---- control word, LSB first (rtl/README.md)
  localparam int EphFmaCtlW = 24;
  localparam int CtlSha = 0;  // 2 bits: shift of a
  localparam int CtlShb = 2;  // 2 bits: shift of b
  localparam int CtlShe = 4;  // 2 bits: shift of e
  localparam int CtlTb = 6;  // 2 bits: table part of b: 0 none, 1 table RAM, 2 ROM
  localparam int CtlTg = 8;  // 2 bits: g: 0 zero, 1 P3, 2 table RAM, 3 ROM
  localparam int CtlKsh = 10;  // 3 bits: bias 2^KSH * p, 0..5, P-256 only
  localparam int CtlZa = 13;  // a = 0
  localparam int CtlZb = 14;  // port part of b = 0
  localparam int CtlZc = 15;  // c = 0
  localparam int CtlZe = 16;  // e = 0
  localparam int CtlEsel = 17;  // e from: 0 P1, 1 P3
  localparam int CtlNegB = 18;  // X = a - b
  localparam int CtlNegG = 19;  // Y = c - g
  localparam int CtlNegE = 20;  // post-add subtracts
  localparam int CtlXFromY = 21;  // X := Y after the pre-adds
  localparam int CtlYFromX = 22;  // Y := X after the pre-adds
  localparam int CtlF25519 = 23;  // field: 1 2^255-19, 0 P-256

  // ---- widths. A stored piece is 66 bits and a little (digit 1 has 34).
  localparam int PieceW = 67;  // an operand piece before its shift
  localparam int ShiftW = 70;  // after a shift by 0..3
  localparam int XW = 73;  // left factor of a leaf, signed
  localparam int YW = 69;  // right factor of a leaf, signed
  localparam int ProdW = 142;  // product of a leaf and coefficient of the recombination, signed

  // ---- time: the base (cycle of digit 0) of each intermediate value; even digits enter in cycle 0
  localparam int TSelect = 1;  // operands selected, shifted
  localparam int TSum = 2;  // pre-adds
  localparam int TFactor = 3;  // X, Y after the exchange
  localparam int TDiff = 5;  // X0-X2, X1-X3, likewise Y
  localparam int LeafLat = 8;  // eph_leaf, base to base
  localparam int PairProdLat = 2 + LeafLat;  // eph_pair_unit: outer products
  localparam int PairMidLat = PairProdLat + 3;  // and its middle coefficient
  localparam int TCoef0 = TFactor + PairProdLat;  // coefficients of 2^(66 k) in X*Y; 6 likewise
  localparam int TCoef1 = TFactor + PairMidLat;  // 5 likewise
  localparam int TCoef2 = TDiff + PairProdLat + 3;  // 4 likewise
  localparam int TCoef3 = TDiff + PairMidLat + 2;
  localparam int TChain = TCoef1;  // coefficient 0 enters the carry chain; piece k is done 3k later
  localparam int TFold0 = TChain + 12;  // high half, pieces 0..3
  localparam int TFold1 = TFold0 + 3;
  localparam int TFold2 = TFold1 + 3;
  localparam int TFold3 = TFold2 + 2;
  localparam int TTop = TFold3 + 5;  // piece 3 before its bits from 2^255 on are folded
  localparam int TWrap = TTop + 5;  // 19 * (r >> 255)

  // ---- cycle of result digit i at [8*i +: 8]
  localparam logic [63:0] Lat = {
    8'(TTop + 2), 8'(TTop), 8'(TFold2 + 5), 8'(TFold2 + 4),
    8'(TFold1 + 5), 8'(TFold1 + 4), 8'(TWrap + 2), 8'(TWrap + 1)
  };
  localparam int LatMin = TFold1 + 4;
  localparam int LatMax = TWrap + 2;
endpackage
