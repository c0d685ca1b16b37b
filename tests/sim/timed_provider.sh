#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# timed_provider.sh BUILD_DIR PROFILE: the results of the timed back end pass the driver's known answers and the provider's checks, and
# stock OpenSSL agrees with them.
set -eu -o pipefail
build=$1
work=$(mktemp -d "${TMPDIR:-/tmp}/eph-timed.XXXXXX")
daemon=''
finish() {
    [ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
    wait
    rm -rf "$work"
}
trap finish EXIT
fail() {
    echo "FAIL: $*" >&2
    exit 1
}

"$build/bin/ephemera-sim" --backend timed --profile "$2" --socket "$work/s" --ready-fd 3 3>"$work/ready" >/dev/null &
daemon=$!
for _ in $(seq 100); do
    [ ! -s "$work/ready" ] || break
    sleep 0.1
done
[ -s "$work/ready" ] || fail 'the daemon did not become ready'
"$build/bin/ephemera" selftest --device "socket:$work/s" || fail 'known answers'

cat >"$work/cnf" <<CNF
openssl_conf = init
[init]
providers = providers
alg_section = algorithms
[algorithms]
default_properties = ?provider=ephemera
[providers]
ephemera = ours
default = stock
[stock]
activate = 1
[ours]
module = $build/lib/ossl-modules/ephemera.so
activate = 1
device = socket:$work/s
offload = always
CNF
stock() { env -u OPENSSL_CONF openssl "$@"; }
ours() { EPHEMERA_STATS=$work/stats/$1 OPENSSL_CONF=$work/cnf openssl "${@:2}"; }
served() { # served NAME OP: what the device did in that process
    awk -v op="$2" '$1 == "ephemera_operations_total{curve=\"x25519\",op=\"" op "\",served=\"device\"}" { print $2 }' "$work/stats/$1"
}

mkdir "$work/stats"
stock genpkey -algorithm X25519 -out "$work/peer.key"
stock pkey -in "$work/peer.key" -pubout -out "$work/peer.pub"
ours keygen genpkey -algorithm X25519 -out "$work/own.key"
[ "$(served keygen keygen)" = 1 ] || fail 'the key was not made by the device'
stock pkey -in "$work/own.key" -pubout -out "$work/own.pub"
ours derive pkeyutl -derive -inkey "$work/own.key" -peerkey "$work/peer.pub" -out "$work/a"
[ "$(served derive derive)" -ge 1 ] || fail 'the secret was not derived by the device'
stock pkeyutl -derive -inkey "$work/peer.key" -peerkey "$work/own.pub" -out "$work/b"
cmp "$work/a" "$work/b" || fail 'the secrets differ'
grep -hE '^ephemera_fallbacks_total' "$work/stats/keygen" "$work/stats/derive" | grep -v ' 0$' && fail 'something fell back'
echo 'timed: known answers, checks and secrets hold'
