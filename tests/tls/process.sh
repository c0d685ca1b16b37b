#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# process.sh BUILD HANDSHAKES CASE: threads, forked workers, and workers that lost root directory and privileges. Server and client
# are both ours here: each handshake is two keygens and two derives.
. "$(dirname "$0")/lib.sh"
handshakes=$1
certificate
chmod 644 "$work/key.pem" "$work/cert.pem"

run() { # run NAME options: the whole program under our configuration
    local name=$1
    shift
    OPENSSL_CONF=$work/$name.cnf "$handshakes" "$work/cert.pem" "$work/key.pem" "$@" >"$work/handshakes.log" 2>&1 ||
        fail "handshakes $*: $(tail -n 5 "$work/handshakes.log")"
}
all_on_device() { # all_on_device NAME HANDSHAKES
    equal 'keygens and derives by the device' "$(device_operations "$1")" "$((2 * $2)) $((2 * $2))"
    equal 'fallbacks' "$(fallbacks "$1")" 0
}

case $2 in
threads)
    config one sim:model always
    run one --threads 1 --each 2
    all_on_device one 2
    config test sim:model always
    run test --threads 4 --each 6
    # Threads that meet the first attach go to software, with that cause and no other.
    equal 'operations' "$(metric test ephemera_operations_total)" 96
    equal 'in software' "$(software_operations test)" "$(metric test ephemera_fallbacks_total 'cause="attaching"')"
    ;;
fork)
    config test sim:model always
    run test --forks 4 --each 3
    all_on_device test 12
    ;;
daemon)
    daemon
    config test "socket:$work/sim.sock" always
    run test --forks 4 --each 3
    all_on_device test 12
    ;;
too-many-workers) # the daemon has 16 queues
    daemon
    config test "socket:$work/sim.sock" always
    run test --forks 20 --each 12
    equal 'operations' "$(metric test ephemera_operations_total)" 960
    equal 'in software, each with a cause' "$(software_operations test)" "$(fallbacks test)"
    [ "$(fallbacks test)" -gt 0 ] || fail 'twenty workers had sixteen queues'
    ;;
ec) # two keygens and two derives a handshake, one after the other and in threads of forked workers; TLS 1.3 and 1.2 in turn
    for group in P-256 P-384 P-521; do
        config $group sim:model always
        groups=$group # TLS 1.2 wants the certificate's curve among them
        [ $group = P-256 ] || groups=$group:P-256
        run $group --groups $groups --forks 2 --threads 4 --each 4
        curve=p${group#P-}
        equal "keygens of $group" "$(metric $group ephemera_operations_total "curve=\"$curve\",op=\"keygen\",served=\"software\"")" 64
        equal "derives of $group" "$(metric $group ephemera_operations_total "curve=\"$curve\",op=\"derive\",served=\"software\"")" 64
        equal 'operations' "$(metric $group ephemera_operations_total)" 128
        equal 'said to be policy' "$(metric $group ephemera_policy_software_total 'reason="curve_not_offloaded"')" 128
        equal 'fallbacks' "$(fallbacks $group)" 0
    done
    ;;
chroot-sim | chroot-socket)
    [ "$(id -u)" -eq 0 ] || skip 'chroot and setuid need root'
    [ -z "${EPH_LIBASAN-}" ] || export ASAN_OPTIONS=detect_leaks=0 # the leak detector needs /proc
    mkdir "$work/empty"
    if [ "$2" = chroot-sim ]; then
        config test sim:model always
    else
        daemon
        config test "socket:$work/sim.sock" always
    fi
    chmod 777 "$work/test.stats"
    run test --chroot "$work/empty" --user 65534 --forks 3 --each 2
    all_on_device test 6
    ;;
*) fail "no case $2" ;;
esac
! grep -E 'Sanitizer|runtime error' "$work/handshakes.log" >&2 || fail 'a sanitizer reported'
