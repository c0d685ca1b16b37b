# SPDX-License-Identifier: Apache-2.0
# The queue front end, packages first (EPH_RTL_QUEUE, without the engine), and the whole device (EPH_RTL_TOP).
set(EPH_RTL_QUEUE
  ${EPH_GENERATED_DIR}/eph_isa_pkg.sv
  ${EPH_GENERATED_DIR}/eph_ucode_pkg.sv
  ${CMAKE_SOURCE_DIR}/rtl/queue/eph_queue_pkg.sv
  ${EPH_RTL_STREAM}
  ${CMAKE_SOURCE_DIR}/rtl/queue/eph_axil.sv
  ${CMAKE_SOURCE_DIR}/rtl/queue/eph_watchdog.sv
  ${CMAKE_SOURCE_DIR}/rtl/queue/eph_queue_table.sv
  ${CMAKE_SOURCE_DIR}/rtl/queue/eph_sq_fetch.sv
  ${CMAKE_SOURCE_DIR}/rtl/queue/eph_dispatch.sv
  ${CMAKE_SOURCE_DIR}/rtl/queue/eph_cq_write.sv
  ${CMAKE_SOURCE_DIR}/rtl/queue/eph_msix.sv
  ${CMAKE_SOURCE_DIR}/rtl/queue/eph_regs.sv)
set(EPH_RTL_TOP ${EPH_RTL_FIELD} ${EPH_RTL_ENGINE} ${EPH_RTL_QUEUE} ${CMAKE_SOURCE_DIR}/rtl/eph_top.sv)
list(REMOVE_DUPLICATES EPH_RTL_TOP)
