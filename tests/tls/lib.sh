# SPDX-License-Identifier: Apache-2.0
# Shared by the scripts of this folder: `. lib.sh "$@"`, whose first argument is the build directory. Gives a work directory that
# vanishes, configurations, servers on ports of the kernel's choice, and the provider's counters.
set -eu -o pipefail

build=$1
shift
module=$build/lib/ossl-modules/ephemera.so
ephemera=$build/bin/ephemera
simulator=$build/bin/ephemera-sim
work=$(mktemp -d "${TMPDIR:-/tmp}/eph-tls-test.XXXXXX")
chmod 711 "$work"
children=()
server_options=() # further ones for s_server
unset OPENSSL_CONF EPHEMERA_DEVICE EPHEMERA_OFFLOAD EPHEMERA_STATS

cleanup() {
    local code=$? pid
    exec 2>/dev/null # no "Killed" from the shell
    for pid in "${children[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    [ "$code" -eq 0 ] || [ "$code" -eq 77 ] || tail -n 20 "$work"/*.log 2>/dev/null | grep -v '^ *[0-9]* ' >&2 || true
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

fail() { echo "FAIL: $*" >&2; exit 1; }
skip() { echo "skipped: $*"; exit 77; }
equal() { [ "$2" = "$3" ] || fail "$1: expected '$3', got '$2'"; }

# The openssl program is not built with the sanitizers: a sanitized module needs their run-time library first in the process, and
# reports into a file, since tests look at what the program itself prints.
sanitizer_log=$work/sanitizer
openssl_env=(env)
if [ -n "${EPH_LIBASAN-}" ]; then
    openssl_env=(env "LD_PRELOAD=$EPH_LIBASAN" "ASAN_OPTIONS=detect_leaks=1:log_path=$sanitizer_log" "UBSAN_OPTIONS=log_path=$sanitizer_log")
fi
no_sanitizer_report() {
    local reports
    # A job's own stack makes ASan say once that it skips a clean-up there (google/sanitizers issue 189): that alone is no report.
    reports=$(cat "$sanitizer_log".* 2>/dev/null |
        grep -vE 'ASan is ignoring requested __asan_handle_no_return|^False positive error reports may follow|sanitizers/issues/189' || true)
    [ -z "$reports" ] || { echo "$reports" >&2; fail 'a sanitizer reported (above)'; }
}

# config NAME DEVICE OFFLOAD [more lines]: $work/NAME.cnf, statistics in $work/NAME.stats
config() {
    mkdir -p "$work/$1.stats"
    cat >"$work/$1.cnf" <<CNF
openssl_conf = init
[init]
providers = list
alg_section = algorithms
[algorithms]
default_properties = ?provider=ephemera
[list]
default = default_section
ephemera = ours
[default_section]
activate = 1
[ours]
module = $module
activate = 1
device = $2
offload = $3
stats = $work/$1.stats
${4-}
CNF
}

stock() { env -u OPENSSL_CONF openssl "$@"; }
ours() { # ours NAME openssl-arguments
    local name=$1
    shift
    "${openssl_env[@]}" OPENSSL_CONF="$work/$name.cnf" openssl "$@"
}

# metric NAME METRIC [LABELS]
metric() {
    "$ephemera" stats "$work/$1.stats" | awk -v name="$2" -v labels="${3-}" \
        'index($0, name) == 1 && index($0, labels) { sum += $NF } END { print sum + 0 }'
}
device_operations() { # device_operations NAME: "KEYGENS DERIVES"
    echo "$(metric "$1" ephemera_operations_total 'op="keygen",served="device"') $(metric "$1" ephemera_operations_total 'op="derive",served="device"')"
}
software_operations() { metric "$1" ephemera_operations_total 'served="software"'; }
fallbacks() { metric "$1" ephemera_fallbacks_total; }

certificate() {
    stock req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost \
        -keyout "$work/key.pem" -out "$work/cert.pem" 2>"$work/req.log"
}

# server ours NAME | server stock: s_server for any number of handshakes; sets port and server_pid.
server() {
    local command=(env -u OPENSSL_CONF openssl) # not through a function: the pid must be that of the program
    [ "$1" = stock ] || command=("${openssl_env[@]}" "OPENSSL_CONF=$work/$2.cnf" openssl)
    : >"$work/server.log"
    "${command[@]}" s_server -accept 127.0.0.1:0 -cert "$work/cert.pem" -key "$work/key.pem" -www "${server_options[@]}" >"$work/server.log" 2>&1 &
    server_pid=$!
    children+=("$server_pid")
    local i
    for i in $(seq 200); do
        port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$work/server.log")
        [ -z "$port" ] || return 0
        kill -0 "$server_pid" 2>/dev/null || fail "s_server did not start: $(tail -n 3 "$work/server.log")"
        sleep 0.05
    done
    fail 's_server does not listen'
}

# fetch COMMAND...: `ours NAME` or `stock`, then -- and s_client options; the page must arrive. Output in $work/client.log.
fetch() {
    local command=()
    while [ "$1" != -- ]; do command+=("$1"); shift; done
    shift
    printf 'GET / HTTP/1.0\r\n\r\n' | "${command[@]}" s_client -connect "127.0.0.1:$port" -ign_eof "$@" >"$work/client.log" 2>&1 ||
        fail "s_client $*"
    grep -q '^HTTP/1.0 200' "$work/client.log" || fail "no page over s_client $*: $(grep -m1 error "$work/client.log" || true)"
}

stop_server() { # as an application ends, exit handlers included, when it is sanitized; s_server ends on SIGTERM at once
    kill "$server_pid" 2>/dev/null || true
    wait "$server_pid" 2>/dev/null || true
}

daemon() { # daemon [options]: ephemera-sim on the model at $work/sim.sock; sets daemon_pid
    "$simulator" --backend model --socket "$work/sim.sock" "$@" >"$work/daemon.log" 2>&1 &
    daemon_pid=$!
    children+=("$daemon_pid")
    local i
    for i in $(seq 200); do
        [ ! -S "$work/sim.sock.attach" ] || return 0
        sleep 0.05
    done
    fail 'ephemera-sim does not listen'
}
