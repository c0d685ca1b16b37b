#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# yosys_accepts.sh YOSYS TOP SOURCES...: Yosys must read the sources, find every driver and infer nothing on its own.
# Flattened first: check does not look through the ports of a module instance.
yosys=$1
top=$2
shift 2
out=$("$yosys" -p "read_verilog -sv $*; hierarchy -check -top $top; proc; flatten; check -assert" 2>&1)
status=$?
bad=$(echo "$out" | grep -i 'implicitly declared\|no driver\|ERROR')
[ $status -eq 0 ] && [ -z "$bad" ] && exit 0
echo "$out" | tail -5
echo "$bad"
exit 1
