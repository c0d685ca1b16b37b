# SPDX-License-Identifier: Apache-2.0
# The engine and what it needs from the build, packages first; the multiplier is in EPH_RTL_FIELD.
set(EPH_RTL_ENGINE
  ${EPH_GENERATED_DIR}/eph_isa_pkg.sv
  ${EPH_GENERATED_DIR}/eph_ucode_pkg.sv
  ${CMAKE_SOURCE_DIR}/rtl/engine/eph_engine_pkg.sv
  ${EPH_GENERATED_DIR}/eph_ucode_rom.sv
  ${EPH_GENERATED_DIR}/eph_base_rom.sv
  ${CMAKE_SOURCE_DIR}/rtl/engine/eph_engine_ram.sv
  ${CMAKE_SOURCE_DIR}/rtl/engine/eph_engine_delay.sv
  ${CMAKE_SOURCE_DIR}/rtl/engine/eph_regfile.sv
  ${CMAKE_SOURCE_DIR}/rtl/engine/eph_table.sv
  ${CMAKE_SOURCE_DIR}/rtl/engine/eph_base.sv
  ${CMAKE_SOURCE_DIR}/rtl/engine/eph_scalar.sv
  ${CMAKE_SOURCE_DIR}/rtl/engine/eph_scalar_in.sv
  ${CMAKE_SOURCE_DIR}/rtl/engine/eph_scalar_expect.sv
  ${CMAKE_SOURCE_DIR}/rtl/engine/eph_scalar_record.sv
  ${CMAKE_SOURCE_DIR}/rtl/engine/eph_sequencer.sv
  ${CMAKE_SOURCE_DIR}/rtl/engine/eph_decode.sv
  ${CMAKE_SOURCE_DIR}/rtl/engine/eph_writeback.sv
  ${CMAKE_SOURCE_DIR}/rtl/engine/eph_load.sv
  ${CMAKE_SOURCE_DIR}/rtl/engine/eph_canon.sv
  ${CMAKE_SOURCE_DIR}/rtl/engine/eph_unload.sv
  ${CMAKE_SOURCE_DIR}/rtl/engine/eph_cqe_out.sv
  ${CMAKE_SOURCE_DIR}/rtl/engine/eph_engine.sv)
