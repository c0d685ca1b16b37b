#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# yosys_accepts.sh YOSYS TOP SOURCES...: Yosys must read the sources, find every driver and infer nothing on its own.
yosys=$1
top=$2
shift 2
out=$("$yosys" -p "read_verilog -sv $*; hierarchy -check -top $top; proc; check -assert" 2>&1)
status=$?
bad=$(printf '%s\n' "$out" | grep -i 'implicitly declared\|no driver\|ERROR')
[ $status -eq 0 ] && [ -z "$bad" ] && exit 0
printf '%s\n' "$out" | tail -5
printf '%s\n' "$bad"
exit 1
