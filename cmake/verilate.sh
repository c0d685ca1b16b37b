#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# verilate.sh LOG VERILATOR ARGS...: runs Verilator quietly and shows its log only when it fails.
log=$1
shift
"$@" >"$log" 2>&1 && exit 0
grep -v '^g++\|^ccache\|^ar \|^echo\|^rm ' "$log" >&2
exit 1
