#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The ephemera command from a shell. usage: tool.sh PATH-TO-EPHEMERA [DEVICE]; without DEVICE: what needs none.
set -u
ephemera=$1 device=${2-} failures=0
unset EPHEMERA_DEVICE
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# expect NAME EXIT-CODE PATTERN-IN-OUTPUT COMMAND...
expect() {
    name=$1 code=$2 pattern=$3
    shift 3
    "$@" >"$dir/out" 2>&1 </dev/null
    got=$?
    if [ $got -ne "$code" ] || ! grep -qE -- "$pattern" "$dir/out"; then
        echo "FAILED: $name: exit code $got, wanted $code and \"$pattern\":"
        cat "$dir/out"
        failures=$((failures + 1))
    fi
}

if [ -z "$device" ]; then
    expect 'help' 0 '^usage: ephemera COMMAND' "$ephemera" --help
    for command in list info selftest keygen derive stats check; do
        expect "help of $command" 0 "^usage: ephemera $command" "$ephemera" $command --help
        expect "unknown option of $command" 2 "ephemera $command --help" "$ephemera" $command --no-such-option
    done
    for command in list info selftest keygen derive; do
        expect "surplus argument of $command" 2 'surplus' "$ephemera" $command surplus
    done
    expect 'no command' 2 'usage: ephemera' "$ephemera"
    expect 'unknown command' 2 'no command "frobnicate"' "$ephemera" frobnicate
    expect 'version' 0 '^ephemera [0-9]' "$ephemera" --version
    mkdir -p "$dir/sys/devices"
    expect 'no card is an answer' 0 'no Ephemera card' "$ephemera" list --sysfs "$dir/sys"
    expect 'no such tree' 1 'can not read' "$ephemera" list --sysfs "$dir/none"
    expect 'wrong device string' 2 'device=tpu is not a device; accepted: sim' "$ephemera" info --device tpu
    expect 'no daemon' 3 'no ephemera-sim answers' "$ephemera" info --device "socket:$dir/none"
    expect 'device from the environment' 3 'no ephemera-sim answers' env EPHEMERA_DEVICE="socket:$dir/none" "$ephemera" info
    expect 'peer of a wrong length' 2 '64 hexadecimal digits' "$ephemera" derive --peer 1234 --key-hex 00
    expect 'no peer' 2 'peer is missing' "$ephemera" derive
    expect 'unknown curve' 2 'there are: x25519' "$ephemera" keygen --curve ed448
else
    alice=77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a
    bob_public=de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f
    shared=4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742
    zero=0000000000000000000000000000000000000000000000000000000000000000
    echo $alice >"$dir/alice"
    expect 'selftest' 0 '^8 of 8 right on .*SIMULATED' "$ephemera" selftest --device "$device"
    expect 'info is labelled' 0 '^device .*SIMULATED' "$ephemera" info --device "$device"
    expect 'keygen of a given key' 0 '^public 8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a' \
        "$ephemera" keygen --device "$device" --key "$dir/alice"
    expect 'derive with the key in a file' 0 "^$shared\$" "$ephemera" derive --device "$device" --peer $bob_public --key "$dir/alice"
    expect 'derive with the key on stdin' 0 "^$shared\$" \
        sh -c "'$ephemera' derive --device $device --peer $bob_public <'$dir/alice'"
    expect 'cycles' 0 '^cycles [0-9]+$' "$ephemera" derive --device "$device" --peer $bob_public --key-hex $alice --cycles
    expect 'low-order point' 1 'low-order' "$ephemera" derive --device "$device" --peer $zero --key-hex $alice
    expect 'key of a wrong length' 2 '64 hexadecimal digits' "$ephemera" keygen --device "$device" --key-hex 0123
    # Two random keys agree.
    for who in a b; do
        "$ephemera" keygen --device "$device" >"$dir/$who" 2>/dev/null
        sed -n 's/^private //p' "$dir/$who" >"$dir/$who.private"
    done
    one=$("$ephemera" derive --device "$device" --key "$dir/a.private" --peer "$(sed -n 's/^public //p' "$dir/b")" 2>/dev/null)
    two=$("$ephemera" derive --device "$device" --key "$dir/b.private" --peer "$(sed -n 's/^public //p' "$dir/a")" 2>/dev/null)
    if [ ${#one} -ne 64 ] || [ "$one" != "$two" ]; then
        echo "FAILED: two random keys do not agree: \"$one\" \"$two\""
        failures=$((failures + 1))
    fi
fi
[ $failures -eq 0 ] && echo "all right"
exit $failures
