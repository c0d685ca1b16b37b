#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# async.sh BUILD CLIENTS s_server|haproxy|killed|abandoned|rate HANDSHAKES: servers that pause jobs, on a device that takes 5 ms, at 32
# connections. CLIENTS: the program clients.
. "$(dirname "$0")/lib.sh"
clients=$1
handshakes=$3
connections=32
certificate
if [ "$2" = rate ]; then # the model would compete with the server for the CPU
    printf '%s\n' 'engines = 1' 'clock_mhz = 160' 'contexts = 64' 'x25519.derive = 181248' 'x25519.keygen = 37312' \
        'pcie_round_trip_ns = 5000000' 'rate = infinite' >"$work/5ms.profile"
    daemon --backend timed --profile "$work/5ms.profile"
else
    daemon --faults late=1/1:5ms
fi
config test "socket:$work/sim.sock" always $'deadline_ms = 10000\npool = 0' # a starved daemon is no fault here

# haproxy NAME [global lines]: listens at $work/NAME.tls; sets server_pid.
haproxy_server() {
    command -v haproxy >/dev/null || skip 'haproxy is not installed'
    [ "$(haproxy -vv | grep -c '^Built with \(OpenSSL\|SSL library\) version : OpenSSL 3')" -eq 1 ] || skip "haproxy is not built with OpenSSL 3"
    cat "$work/cert.pem" "$work/key.pem" >"$work/haproxy.pem"
    cat >"$work/$1.cfg" <<CFG
global
    maxconn 400
    nbthread 1
    tune.ssl.cachesize 0
    ${2-}
defaults
    mode http
    timeout connect 10s
    timeout client ${patience-10s}
    timeout server 10s
frontend tls
    bind unix@$work/$1.tls mode 666 ssl crt $work/haproxy.pem curves X25519 no-tls-tickets
    http-request return status 200 content-type text/plain string ok
CFG
    # As root, HAProxy would not change its user here: the statistics belong to ours.
    "${openssl_env[@]}" OPENSSL_CONF="$work/$1.cnf" haproxy -db -f "$work/$1.cfg" >"$work/$1.log" 2>&1 &
    server_pid=$!
    children+=("$server_pid")
    local i
    for i in $(seq 100); do
        [ ! -S "$work/$1.tls" ] || return 0
        kill -0 "$server_pid" 2>/dev/null || fail "haproxy did not start: $(tail -n 3 "$work/$1.log")"
        sleep 0.05
    done
    fail 'haproxy does not listen'
}

# load ADDRESS HANDSHAKES [options]: sets rate
load() {
    local sum
    sum=$(env -u OPENSSL_CONF "$clients" "$1" "$connections" "${@:2}") || fail "clients: $sum (handshakes, failures, rate)"
    rate=${sum##* }
}

alive_and_quiet() { # alive_and_quiet LOG
    kill -0 "$server_pid" 2>/dev/null || fail "the server died: $(tail -n 3 "$1")"
    ! grep -qi 'fatal\|BUG' "$1" || fail "the server says: $(grep -i -m1 'fatal\|BUG' "$1")"
}

descriptors() { ls "/proc/$server_pid/fd" | wc -l; }
resident_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$server_pid/status"; }

# Everything settled: no job paused, no more descriptors than FDS.
settled() {
    local i
    for i in $(seq 100); do
        [ "$(metric test 'ephemera_async_jobs{')" -ne 0 ] || [ "$(descriptors)" -gt "$1" ] || return 0
        sleep 0.05
    done
    fail "left behind: $(metric test 'ephemera_async_jobs{') jobs, $(descriptors) descriptors of $1"
}

case $2 in
s_server) # without -www, which sleeps a second whenever its job is paused
    : >"$work/server.log"
    sleep 600 | "${openssl_env[@]}" OPENSSL_CONF="$work/test.cnf" openssl s_server -accept 127.0.0.1:0 -cert "$work/cert.pem" \
        -key "$work/key.pem" -async -num_tickets 0 >"$work/server.log" 2>&1 &
    server_pid=$!
    children+=("$server_pid" "$(jobs -p %+)")
    for i in $(seq 200); do
        port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$work/server.log")
        [ -z "$port" ] || break
        sleep 0.05
    done
    load "$port" "$handshakes"
    alive_and_quiet "$work/server.log"
    equal 'by the device' "$(device_operations test)" "$handshakes $handshakes"
    equal 'jobs resumed' "$(metric test ephemera_async_ended_total 'how="resumed"')" $((2 * handshakes))
    ;;
haproxy)
    haproxy_server test ssl-mode-async
    load "$work/test.tls" 64
    before=$(descriptors)
    resident=$(resident_kib)
    load "$work/test.tls" "$handshakes"
    alive_and_quiet "$work/test.log"
    settled "$before"
    served=$((handshakes + 64))
    equal 'by the device' "$(device_operations test)" "$served $served"
    equal 'jobs resumed' "$(metric test ephemera_async_ended_total 'how="resumed"')" $((2 * served))
    equal 'fallbacks' "$(fallbacks test)" 0
    grown=$(($(resident_kib) - resident))
    [ "$grown" -lt 2048 ] || fail "resident memory grew by $grown KiB"
    ;;
killed) # connections reset while their jobs are paused
    haproxy_server test ssl-mode-async
    load "$work/test.tls" 64
    before=$(descriptors)
    load "$work/test.tls" "$handshakes" --kill-ms 3 # as many connections at once as there will ever be
    settled "$before"
    resident=$(resident_kib)
    load "$work/test.tls" "$handshakes" --kill-ms 3
    settled "$before"
    load "$work/test.tls" 64
    alive_and_quiet "$work/test.log"
    settled "$before"
    grown=$(($(resident_kib) - resident))
    # One run may have some tens more paused at a time than the other, 64 KiB each; a leak would be all of them.
    [ "$grown" -lt 8192 ] || fail "resident memory grew by $grown KiB"
    ;;
abandoned) # HAProxy loses patience and frees connections whose jobs are paused
    patience=7ms
    haproxy_server test ssl-mode-async
    load "$work/test.tls" 64 --kill-ms 40
    before=$(descriptors)
    resident=$(resident_kib)
    lost=$(metric test ephemera_async_ended_total 'how="abandoned"')
    load "$work/test.tls" "$handshakes" --kill-ms 40
    alive_and_quiet "$work/test.log"
    settled "$before"
    lost=$(($(metric test ephemera_async_ended_total 'how="abandoned"') - lost))
    [ "$lost" -gt 0 ] || fail 'no job was abandoned'
    grown=$(($(resident_kib) - resident))
    echo "$lost of $handshakes jobs abandoned, $grown KiB more"
    # The fibre of a connection freed so is lost to libcrypto itself: 32 KiB of stack, and what libssl keeps there.
    [ "$grown" -lt $((2048 + 64 * lost)) ] || fail "resident memory grew by $grown KiB"
    ;;
rate) # async against blocking calls and against stock OpenSSL
    haproxy_server test ssl-mode-async
    load "$work/test.tls" 64
    load "$work/test.tls" "$handshakes"
    alive_and_quiet "$work/test.log"
    async=$rate
    config blocking "socket:$work/sim.sock" always $'deadline_ms = 10000\npool = 0'
    haproxy_server blocking
    load "$work/blocking.tls" 200
    blocking=$rate
    config stock none never
    haproxy_server stock
    load "$work/stock.tls" 64
    load "$work/stock.tls" "$handshakes"
    echo "handshakes/s: async $async, blocking $blocking, software $rate"
    [ "$async" -ge $((8 * blocking)) ] || [ $((10 * async)) -ge $((9 * rate)) ] ||
        fail "async is too slow: $async, blocking $blocking, software $rate"
    ;;
*) fail "case '$2'" ;;
esac
no_sanitizer_report
