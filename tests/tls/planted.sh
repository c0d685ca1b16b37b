#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# planted.sh BUILD LEAKY: the leak of that module is found by the very means that the other scripts use.
. "$(dirname "$0")/lib.sh"
config test sim:model always
sed "s|^module = .*|module = $1|" "$work/test.cnf" >"$work/leaky.cnf"
ours leaky genpkey -algorithm X25519 -out /dev/null 2>"$work/err" || true
grep -qs '77 byte(s) in 1 object' "$sanitizer_log".* || fail 'the planted leak was not found'
if (no_sanitizer_report) 2>/dev/null; then fail 'the report was not seen'; fi
