# SPDX-License-Identifier: Apache-2.0
set(EPH_RTL_FIELD
  eph_fma_pkg eph_delay eph_skew_view eph_skew_add eph_skew_mux eph_skew_shift
  eph_leaf eph_pair_unit eph_fma_front eph_fma_recombine eph_fma_chain eph_fma_fold eph_fma)
list(TRANSFORM EPH_RTL_FIELD PREPEND ${CMAKE_SOURCE_DIR}/rtl/field/)
list(TRANSFORM EPH_RTL_FIELD APPEND .sv)
