#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# yosys_accepts.sh YOSYS ENGINE SOURCES...: Yosys must read eph_top, find every driver and infer nothing on its own. Of module
# eph_engine in file ENGINE only the ports are used.
yosys=$1
engine=$(mktemp)
trap 'rm -f "$engine"' EXIT
{ echo '(* blackbox *)'; sed -n '/^module/,/^);/p' "$2"; echo endmodule; } >"$engine"
shift 2
out=$("$yosys" -p "read_verilog -sv $engine $*; hierarchy -check -top eph_top; proc; flatten; check -assert" 2>&1)
status=$?
bad=$(printf '%s\n' "$out" | grep 'implicitly declared\|no driver\|ERROR:')
[ $status -eq 0 ] && [ -z "$bad" ] && exit 0
printf '%s\n' "$out" | tail -5
printf '%s\n' "$bad"
exit 1
