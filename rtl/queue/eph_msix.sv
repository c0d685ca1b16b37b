// SPDX-License-Identifier: Apache-2.0
// Purpose: interrupt requests as a level handshake with the bus bridge, one a vector.
// Contract: an event on set_i is never lost: it raises req_o, or, while a request of that vector is
//   still up, raises it once more after the acknowledge. A request falls in the cycle after ack_i
//   and rises again only when ack_i is low.
// Latency: event to request 2 cycles. Data-dependent timing: none. Cleared by: rst_i, clear_i.
module eph_msix #(
  parameter int unsigned Vectors = 17
) (
  input  logic clk_i,
  input  logic rst_i,
  input  logic clear_i,
  input  logic [Vectors-1:0] set_i,
  output logic [Vectors-1:0] req_o,
  input  logic [Vectors-1:0] ack_i,
  output logic pending_o // a request is up or about to be
);
  logic [Vectors-1:0] event_q, req_q;

  wire [Vectors-1:0] start = event_q & ~req_q & ~ack_i;
  assign req_o = req_q;
  assign pending_o = |event_q || |req_q;

  always_ff @(posedge clk_i) begin
    if (rst_i || clear_i) begin
      event_q <= '0;
      req_q <= '0;
    end else begin
      event_q <= (event_q & ~start) | set_i;
      req_q <= (req_q & ~ack_i) | start;
    end
  end
endmodule
