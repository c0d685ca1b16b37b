#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# demo.sh BUILD_DIR: first light. A stock s_server with our provider, a stock s_client that knows nothing of us.
#   1. device=sim: every X25519 key of the handshake is computed by the Verilated RTL; TLS 1.3, then TLS 1.2.
#   2. device=socket: the server uses an ephemera-sim daemon, which is killed (SIGKILL) while it computes; handshakes go on.
# Nothing is assumed: each line is read back from the client's output and the provider's counters. Exit 0 only if all of it held.
set -eu -o pipefail

case ${1-} in
'' | -h | --help) sed -n '3,6s/^# //p' "$0"; exit 2 ;;
esac
build=$(cd "$1" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/ephemera-demo.XXXXXX")
server_pid='' daemon_pid='' failures=0

if [ -t 1 ]; then bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'; else bold='' red='' green='' plain=''; fi

cleanup() {
    [ -z "$server_pid" ] || kill "$server_pid" 2>/dev/null || true
    [ -z "$daemon_pid" ] || kill "$daemon_pid" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
check() { # check TEXT CONDITION...
    local text=$1
    shift
    if "$@"; then
        printf '  %sok%s    %s\n' "$green" "$plain" "$text"
    else
        printf '  %sFAIL%s  %s\n' "$red" "$plain" "$text"
        failures=$((failures + 1))
    fi
}
give_up() {
    printf '%sdemo: %s%s\n' "$red" "$1" "$plain" >&2
    [ -z "${2-}" ] || tail -n 15 "$2" >&2
    exit 1
}

# An OpenSSL configuration for the server alone: the provider beside default, and one property query.
write_config() { # write_config FILE DEVICE STATS_DIR
    cat >"$1" <<CNF
openssl_conf = openssl_init
[openssl_init]
providers = provider_sect
alg_section = algorithm_sect
[algorithm_sect]
default_properties = ?provider=ephemera
[provider_sect]
ephemera = ephemera_sect
default = default_sect
[default_sect]
activate = 1
[ephemera_sect]
module = $build/lib/ossl-modules/ephemera.so
activate = 1
device = $2
offload = always
stats = $3
CNF
}

start_server() { # start_server NAME: uses $work/NAME.cnf, sets server_pid and port
    env -u EPHEMERA_DEVICE -u EPHEMERA_OFFLOAD -u EPHEMERA_STATS OPENSSL_CONF="$work/$1.cnf" \
        openssl s_server -accept 127.0.0.1:0 -cert "$work/cert.pem" -key "$work/key.pem" -www >"$work/$1.log" 2>&1 &
    server_pid=$!
    for _ in $(seq 100); do
        port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$work/$1.log")
        [ -z "$port" ] || return 0
        kill -0 "$server_pid" 2>/dev/null || give_up 's_server did not start:' "$work/$1.log"
        sleep 0.1
    done
    give_up 's_server did not listen within 10 s:' "$work/$1.log"
}

# fetch VERSION OUT: a stock client fetches a page; no configuration of ours in its environment. P-256 stands in the list for the
# certificate: TLS 1.2 applies the group list to it too (RFC 8422 section 5.1).
fetch() {
    printf 'GET / HTTP/1.0\r\n\r\n' | env -u OPENSSL_CONF timeout 60 openssl s_client -connect "127.0.0.1:$port" "-$1" \
        -groups X25519:P-256 -ign_eof >"$work/$2" 2>&1
}

# metric DIR NAME [LABELS]: sum of the counter's samples whose labels contain LABELS
metric() {
    "$build/bin/ephemera" stats "$1" | awk -v name="$2" -v labels="${3-}" \
        'index($0, name) == 1 && (labels == "" || index($0, labels)) { sum += $NF } END { print sum + 0 }'
}
snapshot() { # snapshot DIR: sets keygen derive software cycles
    keygen=$(metric "$1" ephemera_operations_total 'op="keygen",served="device"')
    derive=$(metric "$1" ephemera_operations_total 'op="derive",served="device"')
    software=$(metric "$1" ephemera_operations_total 'served="software"')
    cycles=$(metric "$1" ephemera_device_cycles_total)
}

page_ok() { grep -q '^HTTP/1.0 200' "$work/$1" && grep -q '^Server Temp Key: X25519' "$work/$1"; }
negotiated() { sed -n 's/^New, \(TLSv[0-9.]*\), Cipher is \(.*\)/\1, \2/p' "$work/$1" | head -n 1; }

handshake_on_device() { # handshake_on_device VERSION STATS_DIR
    local out=$1-device.txt start=$EPOCHREALTIME k d s c
    snapshot "$2"; k=$keygen d=$derive s=$software c=$cycles
    fetch "$1" "$out" || true
    local wall
    wall=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.2f", b - a }')
    snapshot "$2"
    printf '  %s, server key exchange X25519\n' "$(negotiated "$out")"
    printf '  device: keygen %d, derive %d, %d cycles; software: %d; %s s wall  [SIMULATED]\n' \
        $((keygen - k)) $((derive - d)) $((cycles - c)) $((software - s)) "$wall"
    check 'page fetched over this connection' page_ok "$out"
    check 'exactly one keygen and one derive by the device, none in software' \
        [ "$((keygen - k)) $((derive - d)) $((software - s))" = '1 1 0' ]
}

handshake_in_software() { # handshake_in_software VERSION STATS_DIR
    local out=$1-software.txt k d s
    snapshot "$2"; k=$keygen d=$derive s=$software
    fetch "$1" "$out" || true
    snapshot "$2"
    printf '  %s: device %d, software %d\n' "$(negotiated "$out")" $((keygen - k + derive - d)) $((software - s))
    check 'page fetched' page_ok "$out"
    check 'served in software, and counted so' [ $((software - s)) -eq 2 ]
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost \
    -keyout "$work/key.pem" -out "$work/cert.pem" 2>"$work/req.log" || give_up 'no certificate:' "$work/req.log"
mkdir "$work/stats-sim" "$work/stats-socket"

title '1. X25519 by our RTL, inside s_server (device = sim, a Verilated eph_top)'
write_config "$work/sim.cnf" sim "$work/stats-sim"
start_server sim
for version in tls1_3 tls1_2; do
    handshake_on_device "$version" "$work/stats-sim"
done
kill "$server_pid" && wait "$server_pid" 2>/dev/null || true
server_pid=''

title '2. The device dies (device = socket:, an ephemera-sim daemon that gets SIGKILL while it computes)'
"$build/bin/ephemera-sim" --backend rtl --socket "$work/sim.sock" >"$work/daemon.log" 2>&1 &
daemon_pid=$!
for _ in $(seq 100); do
    [ -S "$work/sim.sock.attach" ] && break
    kill -0 "$daemon_pid" 2>/dev/null || give_up 'ephemera-sim did not start:' "$work/daemon.log"
    sleep 0.1
done
write_config "$work/socket.cnf" "socket:$work/sim.sock" "$work/stats-socket"
start_server socket
handshake_on_device tls1_3 "$work/stats-socket"

fetch tls1_3 killed.txt &
client=$!
sleep 0.3
kill -KILL "$daemon_pid"
wait "$daemon_pid" 2>/dev/null || true
daemon_pid=''
wait "$client" || true
printf '  killed during a handshake: %s\n' "$(negotiated killed.txt)"
check 'that very handshake succeeded and the page arrived' page_ok killed.txt
for version in tls1_3 tls1_2; do
    handshake_in_software "$version" "$work/stats-socket"
done
printf '  causes counted: %s\n' "$("$build/bin/ephemera" stats "$work/stats-socket" |
    sed -n 's/^ephemera_fallbacks_total{cause="\([a-z_]*\)"} \([1-9][0-9]*\)$/\1 \2/p' | paste -sd, -)"
check 'each fallback has a cause' [ "$(metric "$work/stats-socket" ephemera_fallbacks_total)" -ge 4 ]

if [ "$failures" -ne 0 ]; then
    sed 's/^/  server: /' "$work/socket.log" | grep -i ephemera >&2 || true
    printf '\n%s%d checks failed%s\n' "$red" "$failures" "$plain"
    exit 1
fi
printf '\n%sall of it observed%s (SIMULATED: wall times are those of a Verilator run, not of hardware)\n' "$green" "$plain"
