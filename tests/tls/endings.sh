#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# endings.sh BUILD ENDINGS: clean exit in any order of exit handlers, OPENSSL_cleanup, unloading and fork.
. "$(dirname "$0")/lib.sh"
endings=$1
for device in sim:model socket; do
    [ $device = sim:model ] || { daemon; device=socket:$work/sim.sock; }
    for way in plain cleanup handler-before-cleanup handler-after-cleanup thread unload child; do
        name=${device%%:*}-$way
        config "$name" "$device" always
        OPENSSL_CONF=$work/$name.cnf timeout 20 "$endings" "$way" >"$work/$name.log" 2>&1 ||
            fail "$device, $way: exit code $?: $(cat "$work/$name.log")"
        ! grep -E 'Sanitizer|runtime error|ephemera:' "$work/$name.log" >&2 || fail "$device, $way"
        [ "$(metric "$name" ephemera_operations_total 'served="device"')" -ge 3 ] || fail "$device, $way: device not used"
    done
done
