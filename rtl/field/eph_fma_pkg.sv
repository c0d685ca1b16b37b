// SPDX-License-Identifier: Apache-2.0
// Numbers of the fused datapath that its users need: control layout and the cycle of each result digit.
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

  // ---- cycle of result digit i at [8*i +: 8]; cycle 0 = even digits at the inputs
  localparam logic [63:0] Lat = {8'd43, 8'd41, 8'd39, 8'd38, 8'd36, 8'd35, 8'd48, 8'd47};
  localparam int LatMin = 35;
  localparam int LatMax = 48;
endpackage
