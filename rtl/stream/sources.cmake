# SPDX-License-Identifier: Apache-2.0
set(EPH_RTL_STREAM
  ${CMAKE_CURRENT_LIST_DIR}/eph_skid.sv
  ${CMAKE_CURRENT_LIST_DIR}/eph_fifo.sv
  ${CMAKE_CURRENT_LIST_DIR}/eph_arbiter.sv)
