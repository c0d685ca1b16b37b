#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# endings.sh BUILD ENDINGS: clean exit in any order of exit handlers, OPENSSL_cleanup, unloading and fork.
. "$(dirname "$0")/lib.sh"
endings=$1
# ending NAME DEVICE WAY GROUP
ending() {
    config "$1" "$2" always
    OPENSSL_CONF=$work/$1.cnf timeout 20 "$endings" "$3" "$4" >"$work/$1.log" 2>&1 || fail "$1: exit code $?: $(cat "$work/$1.log")"
    ! grep -E 'Sanitizer|runtime error|ephemera:' "$work/$1.log" >&2 || fail "$1"
    [ "$(metric "$1" ephemera_operations_total)" -ge 3 ] || fail "$1: provider not used"
}
daemon
for way in plain cleanup handler-before-cleanup handler-after-cleanup thread unload child; do
    for device in sim:model "socket:$work/sim.sock"; do
        name=${device%%:*}-$way
        ending "$name" "$device" "$way" X25519
        [ "$(metric "$name" ephemera_operations_total 'served="device"')" -ge 3 ] || fail "$name: device not used"
    done
    ending "ec-$way" sim:model "$way" P-256
done
