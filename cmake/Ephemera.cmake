# SPDX-License-Identifier: Apache-2.0
# House rules for every target: C11, warnings are errors on our C, layers by include paths, ctest labels.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(EPH_GENERATED_DIR ${CMAKE_BINARY_DIR}/generated) # eph_isa_pkg.sv and what the assembler writes

find_package(Threads REQUIRED)
find_program(EPH_VERILATOR verilator REQUIRED)
execute_process(COMMAND ${EPH_VERILATOR} --getenv VERILATOR_ROOT OUTPUT_VARIABLE EPH_VERILATOR_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE)
set(EPH_VERILATOR_INCLUDE ${EPH_VERILATOR_ROOT}/include)

option(EPH_SANITIZE "Build C code with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)

include(CheckIPOSupported)
check_ipo_supported(RESULT EPH_IPO OUTPUT ignored LANGUAGES C)

# eph_hot_target(TARGET): code on a handshake's way, which finds it out of every cache each time: small and contiguous is fast.
# Between link-time optimisation, no PLT and nothing lie 1.3 of the provider's 6.5 us.
function(eph_hot_target target)
  target_compile_options(${target} PRIVATE -fno-plt)
  if(EPH_IPO AND NOT EPH_SANITIZE)
    set_property(TARGET ${target} PROPERTY INTERPROCEDURAL_OPTIMIZATION ON)
  endif()
endfunction()

# eph_c_target(TARGET): our own C. Not for Verilated code, whose headers do not pass these warnings.
function(eph_c_target target)
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wshadow -Wvla>)
  if(EPH_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=address,undefined)
  endif()
endfunction()

# eph_test(NAME LABEL seconds COMMAND...): a ctest that also fails when a sanitizer spoke (Criterion alone would swallow it).
# Exit code 77 means skipped; the test prints the reason.
function(eph_test name label timeout)
  add_test(NAME ${name} COMMAND ${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT ${timeout} SKIP_RETURN_CODE 77
    FAIL_REGULAR_EXPRESSION "Sanitizer:|runtime error:")
endfunction()

# Verilator's run-time library, with and without waveforms; not our C, so without our warnings.
function(eph_verilated_runtime name trace)
  set(sources verilated.cpp verilated_threads.cpp)
  if(trace)
    list(APPEND sources verilated_fst_c.cpp)
  endif()
  list(TRANSFORM sources PREPEND ${EPH_VERILATOR_INCLUDE}/)
  add_library(${name} STATIC EXCLUDE_FROM_ALL ${sources})
  target_include_directories(${name} SYSTEM PUBLIC ${EPH_VERILATOR_INCLUDE} ${EPH_VERILATOR_INCLUDE}/vltstd)
  target_compile_definitions(${name} PRIVATE VM_COVERAGE=0 VM_SC=0 VM_TRACE=${trace} VM_TRACE_FST=${trace} VM_TRACE_VCD=0)
  target_compile_options(${name} PRIVATE -w -O2)
  target_link_libraries(${name} PUBLIC Threads::Threads)
  if(trace)
    target_link_libraries(${name} PUBLIC z)
  endif()
endfunction()
eph_verilated_runtime(eph_verilated 0)
eph_verilated_runtime(eph_verilated_fst 1)

# eph_verilate(NAME PREFIX TOP [TRACE] SOURCES... [ARGS...]): Verilates module TOP into the library target NAME, whose class is
# PREFIX. Lint warnings are errors; waivers live in rtl/lint.vlt. It runs at build time, since some sources are generated then (the
# stock verilate() runs at configure time). TRACE adds FST waveforms.
function(eph_verilate name prefix top)
  cmake_parse_arguments(arg "TRACE" "" "SOURCES;ARGS" ${ARGN})
  set(dir ${CMAKE_CURRENT_BINARY_DIR}/${name}.dir)
  set(options --cc --build -j 2 --assert -Wall -O3 --x-assign fast --x-initial fast --output-split 20000
      -CFLAGS "-fPIC -fvisibility=hidden" -MAKEFLAGS "OPT_FAST=-O2 OPT_SLOW=-O0" # slow: runs once; optimised, waveform tables take minutes
      )
  set(runtime eph_verilated)
  if(arg_TRACE)
    list(APPEND options --trace-fst)
    set(runtime eph_verilated_fst)
  endif()
  # The headers are declared, else a user of theirs would be compiled against the old ones after a change of the RTL.
  add_custom_command(OUTPUT ${dir}/${prefix}__ALL.a
    BYPRODUCTS ${dir}/${prefix}.h ${dir}/${prefix}___024root.h
    COMMAND ${CMAKE_SOURCE_DIR}/cmake/verilate.sh ${dir}.log ${EPH_VERILATOR} ${options} ${arg_ARGS} --Mdir ${dir} --prefix ${prefix}
            --top-module ${top} ${CMAKE_SOURCE_DIR}/rtl/lint.vlt ${arg_SOURCES}
    DEPENDS ${CMAKE_SOURCE_DIR}/rtl/lint.vlt ${arg_SOURCES} COMMENT "Verilating ${top} for ${name}" VERBATIM)
  add_custom_target(${name}_build DEPENDS ${dir}/${prefix}__ALL.a)
  add_library(${name} INTERFACE)
  add_dependencies(${name} ${name}_build)
  target_include_directories(${name} SYSTEM INTERFACE ${dir})
  target_link_libraries(${name} INTERFACE ${dir}/${prefix}__ALL.a ${runtime})
endfunction()
