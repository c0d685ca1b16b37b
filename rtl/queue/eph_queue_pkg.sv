// SPDX-License-Identifier: Apache-2.0
// What the units of the queue front end say to the queue table.
package eph_queue_pkg;
  // Completion side, in this order for each completion: Ask, then exactly one of the others.
  localparam logic [2:0] CplAsk = 3'd0;     // where to write, or drop?
  localparam logic [2:0] CplWritten = 3'd1; // visible, status OK
  localparam logic [2:0] CplRefused = 3'd2; // visible, another status
  localparam logic [2:0] CplDropped = 3'd3; // not written, the table said so
  localparam logic [2:0] CplFailed = 3'd4;  // the bus answered with an error

  // Registers and doorbells are told apart by this bit above the offset.
  localparam int unsigned OffsetW = 13;
  localparam logic [31:0] DoorbellSpace = 32'h1000;
endpackage
