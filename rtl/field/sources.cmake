# SPDX-License-Identifier: Apache-2.0
set(EPH_RTL_FIELD
  ${CMAKE_SOURCE_DIR}/rtl/field/eph_fma_pkg.sv)
