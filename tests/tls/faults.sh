#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# faults.sh BUILD CASE: a server whose device fails keeps serving; the cause is counted and said once.
. "$(dirname "$0")/lib.sh"
certificate

said() { equal "lines '$1'" "$(grep -c "$1" "$work/server.log" || true)" "${2-1}"; }

case $1 in
killed) # SIGKILL in mid-service
    daemon
    config test "socket:$work/sim.sock" always
    server ours test
    fetch stock -- -tls1_3 -groups X25519
    equal 'by the device' "$(device_operations test)" '1 1'
    kill -KILL "$daemon_pid"
    wait "$daemon_pid" 2>/dev/null || true
    for version in tls1_3 tls1_2 tls1_3; do fetch stock -- "-$version" -groups X25519:P-256; done
    equal 'by the device' "$(device_operations test)" '1 1'
    equal 'in software' "$(software_operations test)" 6
    equal 'fallbacks' "$(fallbacks test)" 6
    [ "$(metric test ephemera_fallbacks_total 'cause="gone"')" -ge 1 ] || fail 'cause gone not counted'
    said 'done in software instead: the device is gone'
    ;;
missing)
    config test "socket:$work/nothing.sock" always
    server ours test
    for version in tls1_3 tls1_2; do fetch stock -- "-$version" -groups X25519:P-256; done
    equal 'fallbacks' "$(metric test ephemera_fallbacks_total 'cause="no_device"')" 4
    said 'no ephemera-sim answers'
    said 'done in software instead: no device'
    ;;
corrupt) # every second answer has a flipped bit
    daemon --faults corrupt=1/2,seed=2
    config test "socket:$work/sim.sock" always
    server ours test
    for i in 1 2 3 4 5 6; do fetch stock -- -tls1_3 -groups X25519; done
    equal 'served' "$(metric test ephemera_operations_total)" 12
    equal 'in software, each with a cause' "$(software_operations test)" "$(fallbacks test)"
    [ "$(fallbacks test)" -ge 1 ] || fail 'no fault met'
    ;;
silent) # stopped: within the deadline, then the breaker
    daemon
    config test "socket:$work/sim.sock" always 'deadline_ms = 50'
    server ours test
    fetch stock -- -tls1_3 -groups X25519
    kill -STOP "$daemon_pid"
    for i in 1 2 3 4; do fetch stock -- -tls1_3 -groups X25519; done
    kill -CONT "$daemon_pid"
    equal 'by the device' "$(device_operations test)" '1 1'
    equal 'in software' "$(software_operations test)" 8
    [ "$(metric test ephemera_fallbacks_total 'cause="timeout"')" -ge 3 ] || fail 'no time-outs counted'
    said 'done in software instead: the device did not answer within the deadline'
    ;;
wrong-*) # a wrong value: one clear line that names key and accepted forms, and TLS works
    device=sim:model offload=always more=''
    case $1 in
    wrong-device) device=pcie:3 line="wrong value 'pcie:3' for configuration key 'device'.*accepted: sim .*socket:PATH.*pci:BDF" ;;
    wrong-offload) offload=perhaps line="wrong value 'perhaps' for configuration key 'offload'.*accepted: auto, always, never" ;;
    wrong-deadline) more='deadline_ms = -1' line="wrong value '-1' for configuration key 'deadline_ms'.*accepted: 0 .* to 60000" ;;
    wrong-pool) more='pool = many' line="wrong value 'many' for configuration key 'pool'.*accepted: auto, or 0 .* to 1024" ;;
    esac
    config test "$device" "$offload" "$more"
    server ours test
    for version in tls1_3 tls1_2; do fetch stock -- "-$version" -groups X25519:P-256; done
    said "$line"
    said 'wrong value'
    equal 'fallbacks' "$(metric test ephemera_fallbacks_total 'cause="config"')" 4
    equal 'in software' "$(software_operations test)" 4
    ;;
environment) # overrides the file; and a wrong one names the variable
    config test pci never
    export EPHEMERA_DEVICE=sim:model EPHEMERA_OFFLOAD=always
    server ours test
    fetch stock -- -tls1_3 -groups X25519
    equal 'by the device' "$(device_operations test)" '1 1'
    stop_server
    EPHEMERA_DEVICE=nowhere server ours test
    fetch stock -- -tls1_3 -groups X25519
    said 'or variable EPHEMERA_DEVICE'
    ;;
*) fail "no case $1" ;;
esac
stop_server
no_sanitizer_report
