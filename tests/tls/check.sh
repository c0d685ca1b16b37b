#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check.sh BUILD: `ephemera check` says yes on a working configuration and names the step that fails on each broken one.
. "$(dirname "$0")/lib.sh"
[ -z "${EPH_LIBASAN-}" ] || skip 'it starts openssl without the sanitizer library'

check() { # check NAME CODE PATTERN: exit code and a line of the output
    local code=0
    "$ephemera" check --openssl-conf "$work/$1.cnf" >"$work/check.log" 2>&1 || code=$?
    [ "$code" -eq "$2" ] || { cat "$work/check.log" >&2; fail "$1: exit code $code, expected $2"; }
    grep -qE "$3" "$work/check.log" || { cat "$work/check.log" >&2; fail "$1: no line $3"; }
}

config good sim:model always
check good 0 '^ok +TLS 1.3 .*X25519.*keygen 1, derive 1, [1-9][0-9]* cycles'
grep -qE '^ok +TLS 1.2 .*keygen 1, derive 1' "$work/check.log" || fail 'TLS 1.2'
grep -qE '^ok +forward secret yes' "$work/check.log" || fail 'forward secrecy'
grep -q SIMULATED "$work/check.log" || fail 'a simulation must say so'
cp "$build/ephemera.cnf" "$work/shipped.cnf"
check shipped 0 '^ok +TLS 1.3'

check absent 1 '^FAIL +configuration .*No such file'
sed '/^openssl_conf/d' "$work/good.cnf" >"$work/unread.cnf"
check unread 1 '^FAIL +configuration .*openssl_conf'
sed "s|^module = .*|module = $work/nothing.so|" "$work/good.cnf" >"$work/nomodule.cnf"
check nomodule 1 '^FAIL +module .*nothing.so: No such file'
echo 'not a library' >"$work/garbage.so"
sed "s|^module = .*|module = $work/garbage.so|" "$work/good.cnf" >"$work/garbage.cnf"
check garbage 1 '^FAIL +module .*garbage.so: .*error'
sed '/^\[ours\]/,${/^activate/d}' "$work/good.cnf" >"$work/inactive.cnf"
check inactive 1 '^FAIL +module .*activate'
sed '/^default_properties/d' "$work/good.cnf" >"$work/noproperties.cnf"
check noproperties 1 '^FAIL +properties .*default_properties'
config nodevice "socket:$work/nothing.sock" always
check nodevice 1 '^FAIL +device .*no device.*no ephemera-sim answers'
config wrongdevice pcie always
check wrongdevice 1 "^FAIL +device .*wrong value 'pcie'"
config never sim:model never
check never 1 '^FAIL +TLS 1.3 .*keygen 0, derive 0.*offload=never'
config auto sim:model auto
check auto 1 '^FAIL +TLS 1.3 .*keygen 0, derive 0.*offload=auto'
code=0
"$ephemera" check >"$work/check.log" 2>&1 || code=$?
equal 'exit code without a configuration' "$code" 2
[ -z "$(ls -d /tmp/ephemera-check.* 2>/dev/null)" ] || fail 'temporary directory left behind'
