#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# servers.sh BUILD CLIENTS nginx|nginx-pool|node|node-pool HANDSHAKES: event-driven servers that know no asynchronous jobs, unmodified, under
# our configuration. CLIENTS: the program clients. The plain cases give every operation to the model (offload = always) and count exactly;
# the pool cases are what a user configures (auto) beside a described card: keys from the pool, derives in software, and none of it noticed
# when workers are replaced or the device dies.
. "$(dirname "$0")/lib.sh"
clients=$1
case=$2
handshakes=$3
program=${case%-pool}
profile=$build/share/ephemera/profiles/what-if-300k.profile
certificate
chmod 644 "$work/key.pem"
if [ "$case" = "$program" ]; then
    daemon
    config test "socket:$work/sim.sock" always $'deadline_ms = 10000\npool = 0'
else
    daemon --backend timed --profile "$profile"
    config test "socket:$work/sim.sock" auto
fi
sed -i '1a nodejs_conf = init' "$work/test.cnf"
chmod 1777 "$work/test.stats" # nginx's workers have another user

# listens COMMAND...: starts the server, which makes $work/test.tls; sets server_pid.
listens() {
    "${openssl_env[@]}" OPENSSL_CONF="$work/test.cnf" "$@" >"$work/server.log" 2>&1 &
    server_pid=$!
    children+=("$server_pid")
    local i
    for i in $(seq 200); do
        [ ! -S "$work/test.tls" ] || return 0
        kill -0 "$server_pid" 2>/dev/null || fail "$program did not start: $(tail -n 3 "$work/server.log")"
        sleep 0.05
    done
    fail "$program does not listen"
}

nginx_server() {
    command -v nginx >/dev/null || skip 'nginx is not installed'
    nginx -V 2>&1 | grep -q 'OpenSSL 3' || skip 'nginx is not built with OpenSSL 3'
    local user=''
    [ "$(id -u)" -ne 0 ] || user='user nobody nogroup;' # privileges are dropped after the provider is loaded
    cat >"$work/nginx.conf" <<CONF
daemon off;
$user
worker_processes 2;
pid $work/nginx.pid;
error_log $work/nginx.log;
events { worker_connections 512; }
http {
    access_log off;
    $(printf '%s_temp_path %s; ' client_body "$work/t1" proxy "$work/t2" fastcgi "$work/t3" uwsgi "$work/t4" scgi "$work/t5")
    server {
        listen unix:$work/test.tls ssl;
        ssl_certificate $work/cert.pem;
        ssl_certificate_key $work/key.pem;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_ecdh_curve X25519;
        ssl_session_tickets off;
        location / { return 200 "ok\n"; }
    }
}
CONF
    listens nginx -e "$work/nginx.log" -p "$work" -c "$work/nginx.conf"
}

node_server() {
    command -v node >/dev/null || skip 'node is not installed'
    [ "$(node -p 'process.versions.openssl.split(".")[0]')" = 3 ] || skip 'node is not built with OpenSSL 3'
    cat >"$work/server.js" <<'JS'
const https = require('https'), fs = require('fs'), work = process.argv[2];
const server = https.createServer({key: fs.readFileSync(work + '/key.pem'), cert: fs.readFileSync(work + '/cert.pem'), ecdhCurve: 'X25519'},
                                  (request, response) => response.end('ok\n'));
server.on('tlsClientError', () => {}); // clients of the test leave without good-bye
server.listen(work + '/test.tls');
process.on('SIGTERM', () => process.exit(0));
JS
    listens node --openssl-config="$work/test.cnf" "$work/server.js" "$work"
}

load() { # load HANDSHAKES: all of them must succeed
    local sum
    sum=$(env -u OPENSSL_CONF "$clients" "$work/test.tls" 8 "$1") || fail "clients: $sum (handshakes, failures, rate)"
    served=$((${served-0} + $1))
    kill -0 "$server_pid" 2>/dev/null || fail "$program died: $(tail -n 3 "$work/server.log")"
}

pooled() { metric test ephemera_operations_total 'op="keygen",served="pool"'; }
derived() { metric test ephemera_operations_total 'op="derive"'; }

by_the_device() {
    load "$handshakes"
    equal 'keygens and derives by the device' "$(device_operations test)" "$served $served"
    equal 'operations in software' "$(software_operations test)" 0
    equal 'fallbacks' "$(fallbacks test)" 0
}

from_the_pool() {
    load "$handshakes"
    [ "$(pooled)" -ge $((handshakes * 8 / 10)) ] || fail "only $(pooled) of $handshakes keys came from the pool"
    if [ "$program" = nginx ]; then # new workers, with pools of their own, while the old ones finish
        local before
        before=$(pooled)
        kill -HUP "$server_pid"
        sleep 0.5
        load "$handshakes"
        [ $(($(pooled) - before)) -ge $((handshakes * 8 / 10)) ] ||
            fail "after the reload only $(($(pooled) - before)) of $handshakes keys came from the pool"
    fi
    { kill -KILL "$daemon_pid" && wait "$daemon_pid"; } 2>/dev/null || true # no "Killed" from the shell
    load "$handshakes"
    equal 'derives' "$(derived)" "$served"
    echo "$served handshakes, $(pooled) keys from the pool; the last $handshakes without a device"
}

"${program}_server"
if [ "$case" = "$program" ]; then by_the_device; else from_the_pool; fi
no_sanitizer_report
