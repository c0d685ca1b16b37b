#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The program as a user runs it. usage: run.sh CASE EPHEMERA-BENCH
# Only the shortest slices: the figures mean nothing here, what is reported about them does.
set -eu -o pipefail
case_name=$1 bench=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work
cd "$work"

fail() { printf 'FAIL: %s\n' "$*" >&2; exit 1; }

# query FILE PYTHON-EXPRESSION of r, the report; the test fails unless it is true.
query() {
    python3 -c 'import json, sys
r = json.load(open(sys.argv[1]))
sys.exit(0 if eval(sys.argv[2]) else 1)' "$1" "$2" || fail "$1: not so: $2"
}

tiny() { "$bench" --suites TLS1.3/X25519/ECDSA-P256 --variants ideal --no-device --rounds 2 --slice 0.005 "$@" >out.txt 2>err.txt; }

report() { # one suite, all loads; valid JSON and page
    tiny --rounds 5 --slice 0.002 --json r.json || fail "exit code $?"
    query r.json 'r["schema"] == "ephemera-bench" and r["version"] == 1 and not r["interrupted"] and not r["failures"]'
    query r.json 'r["machine"]["cpu"] and "OpenSSL" in r["machine"]["openssl"] and r["machine"]["virtual_machine"] in (True, False)'
    query r.json '[s["handshake"] for s in r["suites"]] == ["full", "resumed"]'
    query r.json 'all(0 < s["ecdhe_share"] < 1 and s["amdahl_limit"] > 1 for s in r["suites"])'
    # the phases are parts of a whole, and each was seen
    query r.json 'all(p > 0 for k, p in r["suites"][0]["phases_us"].items() if k not in ("kem",))'
    query r.json 'abs(sum(r["suites"][0]["phases_us"].values()) - r["suites"][0]["probed_us"]) < 0.01 * r["suites"][0]["probed_us"]'
    # a resumed TLS 1.3 handshake has an ECDHE and no signature
    query r.json 'r["suites"][1]["phases_us"]["signature"] == 0 and r["suites"][1]["phases_us"]["derive"] > 0'
    query r.json 'sorted({(h["load"], h["in_flight"]) for h in r["handshakes"]}) == [("closed", 1), ("closed", 8), ("closed", 64), ("closed", 256), ("open", 1024)]'
    query r.json '{h.get("utilisation_percent") for h in r["handshakes"]} == {None, 50, 80, 95}'
    query r.json 'all(len(h["server_cpu_us"]["values"]) == 5 and h["server_cpu_us"]["median"] > 0 for h in r["handshakes"])'
    query r.json 'all(("gain" in h) == (h["variant"] == "ideal") for h in r["handshakes"])'
    query r.json '{h["variant"] for h in r["handshakes"]} == {"plain", "plain-again", "ideal"}'
    query r.json '{(o["curve"], o["operation"]) for o in r["operations"]} >= {("X25519", "keygen"), ("P-384", "derive")}'
    query r.json 'len([c for c in r["checks"] if c["what"].startswith("Amdahl")]) == 4'
    query r.json 'all(h["gain"]["verdict"] in ("faster", "slower", "inside the A/A spread") for h in r["handshakes"] if "gain" in h)'
    query r.json 'r["predictions"][0]["class"] == "PREDICTED"'
    query r.json 'all(p["gain_pool"] <= p["gain_async"] <= p["amdahl_limit"] for p in r["predictions"])'
    grep -q '^MEASURED: stock OpenSSL' out.txt || fail "no table on the terminal"
    if command -v gnuplot >/dev/null; then
        [ "$(grep -c '<svg' r.html)" -ge 3 ] || fail "plots are missing"
        ! grep -q 'could not draw' r.html || fail "gnuplot failed"
    fi
    grep -q '</html>' r.html || fail "page is not complete"
}

no_gnuplot() { # the tables remain, and the page says what to install
    PATH=$work "$bench" project --rounds 1 --slice 0.002 --json r.json >out.txt 2>err.txt || fail "exit code $?"
    grep -q 'gnuplot-nox' r.html || fail "the page does not say why there is no plot"
    grep -q 'Published figures' r.html || fail "tables are missing"
    grep -q '<svg' r.html || fail "the bars, which need no gnuplot, are missing"
    grep -q 'ARC 2014</text>' r.html || fail "a published figure stands in the picture without its source"
}

skips() { # nothing that this machine lacks is a failure
    "$bench" --suites nonsense,TLS1.2/X25519MLKEM768,TLS1.2/ffdhe2048 --variants always --no-device --rounds 1 --slice 0.002 --json r.json >out.txt 2>err.txt ||
        fail "exit code $?"
    query r.json '{"what": "nonsense", "reason": "unknown suite"} in r["skipped"]'
    query r.json 'any(s["what"] == "always" and "no device" in s["reason"] for s in r["skipped"])'
    query r.json 'any(s["what"] == "TLS1.2/ffdhe2048/ECDSA-P256" and "ECDSA" in s["reason"] for s in r["skipped"])'
    query r.json 'any("X25519MLKEM768" in s["what"] for s in r["skipped"])'
    query r.json '{s["suite"] for s in r["suites"]} == {"TLS1.2/ffdhe2048/RSA-2048"}'
    query r.json 'any("crypto_mb" in s["what"] for s in r["skipped"]) or any(o["api"] == "crypto_mb" for o in r["operations"])'
    "$bench" ops --quick --device "socket:$work/none" --variants always --rounds 1 --slice 0.002 --json d.json >out.txt 2>err.txt ||
        fail "a missing device is not a failure: exit code $?"
    query d.json 'any("driver" in s["what"] for s in r["skipped"]) and r["operations"]'
}

interrupted() { # a signal in the second suite: the first one is complete, the second has what was measured
    "$bench" --quick --suites TLS1.3/X25519/ECDSA-P256,TLS1.3/P-256/ECDSA-P256 --variants ideal --no-device --rounds 99 --slice 0.02 --json r.json \
        >out.txt 2>err.txt &
    local pid=$!
    sleep 6 # of about 15
    kill -INT "$pid"
    wait "$pid" || fail "exit code $?"
    query r.json 'r["interrupted"] is True and not r["failures"]'
    query r.json 'r["handshakes"] and 0 < len(r["handshakes"][0]["server_cpu_us"]["values"]) <= 99'
    grep -q INTERRUPTED out.txt || fail "the terminal does not say that it was interrupted"
    grep -q '</html>' r.html || fail "page is not complete"
}

compare() { # a doctored report is found out, an equal one is not, and nonsense is refused
    tiny --json a.json --quick
    # two rounds allow no conclusion about gains
    query a.json 'not r["checks"] and all(h["gain"]["verdict"] == "no verdict" for h in r["handshakes"] if "gain" in h)'
    python3 -c 'import json
r = json.load(open("a.json"))
for row in r["suites"] + r["handshakes"]:
    for key in ("median", "min", "max"):
        row["server_cpu_us"][key] /= 100
json.dump(r, open("b.json", "w"))'
    "$bench" compare a.json a.json >same.txt || fail "exit code $?"
    "$bench" compare a.json b.json >other.txt || fail "exit code $?"
    ! grep -qE ' (faster|slower)$' same.txt || fail "a report differs from itself"
    grep -qE 'TLS1.3/X25519/ECDSA-P256 full .* faster$' other.txt || fail "a hundredfold gain went unseen"
    "$bench" compare b.json a.json | grep -qE ' slower$' || fail "a hundredfold loss went unseen"
    "$bench" show a.json --html again.html >again.txt || fail "show: exit code $?"
    grep -q '</html>' again.html && grep -q 'What would this give me' again.html || fail "show draws no page"
    grep -q '^MEASURED: stock OpenSSL' again.txt || fail "show prints nothing"
    echo '{"schema": "other"}' >c.json
    for bad in c.json missing.json; do
        local code=0
        "$bench" compare a.json $bad >/dev/null 2>err.txt || code=$?
        [ "$code" -eq 2 ] && [ -s err.txt ] || fail "compare with $bad: exit code $code"
        code=0
        "$bench" show $bad >/dev/null 2>err.txt || code=$?
        [ "$code" -eq 2 ] && [ -s err.txt ] || fail "show $bad: exit code $code"
    done
}

crypto_mb() { # a peer that is installed is measured, one that this CPU can not run is skipped; FAKE_FOLDER holds the stand-in
    export LD_LIBRARY_PATH=$FAKE_FOLDER
    local ops=("$bench" ops --quick --no-device --rounds 1 --slice 0.002)
    "${ops[@]}" --json r.json >out.txt 2>err.txt || fail "exit code $?"
    query r.json '{(o["curve"], o["operation"]) for o in r["operations"] if o["backend"] == "crypto_mb"} == {(c, o) for c in ("X25519", "P-256", "P-384") for o in ("keygen", "derive")}'
    query r.json 'all(o["in_flight"] == 8 for o in r["operations"] if o["backend"] == "crypto_mb")'
    FAKE_CRYPTO_MB=refuse "${ops[@]}" --json r.json >out.txt 2>err.txt || fail "exit code $?"
    query r.json 'any(s["what"] == "crypto_mb" and "CPU" in s["reason"] for s in r["skipped"])'
    FAKE_CRYPTO_MB=fail "${ops[@]}" --json r.json >out.txt 2>err.txt || fail "exit code $?"
    query r.json 'not any(o["backend"] == "crypto_mb" for o in r["operations"]) and any("refused" in s["reason"] for s in r["skipped"])'
}

device() { # our provider and the driver on a device in another process; who served is observed, not assumed. SIM: ephemera-sim
    "$SIM" --backend model --socket "$work/s" >sim.txt 2>&1 &
    server=$!
    trap 'kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
    for _ in $(seq 100); do [ -S "$work/s" ] && break; sleep 0.1; done
    "$bench" --quick --suites TLS1.3/X25519/ECDSA-P256 --variants never,always --device "socket:$work/s" --rounds 2 --slice 0.01 --json r.json \
        >out.txt 2>err.txt || fail "exit code $?: $(cat err.txt)"
    query r.json '{h["variant"]: h["served_by"] for h in r["handshakes"] if "served_by" in h} == {"never": "software", "always": "device"}'
    query r.json 'all(c["good"] for c in r["checks"] if c["what"] == "served: always") and any(c["what"] == "served: always" for c in r["checks"])'
    query r.json '{(o["backend"], o["served_by"]) for o in r["operations"] if "served_by" in o and o["curve"] == "X25519"} == {("software", "software"), ("device", "device")}'
    query r.json '{o["in_flight"] for o in r["operations"] if o["api"] == "driver"} == {1, 8, 63}'
    query r.json '{c["operation"] for c in r["cycles"] if c["curve"] == "X25519"} == {"keygen", "derive"} and r["cycles"][0]["class"] == "SIMULATED"'
    query r.json 'all(p["class"] == "PROJECTED" and p["cores_replaced"] > 0 and "not routed" in p["clock_source"] for p in r["projections"])'
    [ -z "$(compgen -G "$work/ephemera-bench-??????")" ] || fail "temporary folders are left behind"
    kill "$server" # a device that dies is found out: its figures are software's
    wait "$server" 2>/dev/null || true
    "$bench" --quick --suites TLS1.3/X25519/ECDSA-P256 --variants always --device "socket:$work/s" --rounds 2 --slice 0.01 --json d.json \
        >out.txt 2>err.txt || fail "a dead device is not a failure: exit code $?"
    query d.json '[c["good"] for c in r["checks"] if c["what"] == "served: always"] == [False]'
    grep -q "NOT THE DEVICE'S FIGURES" out.txt || fail "the terminal does not say that software served"
}

# The daemons that this run of the bench started: their sockets are in our private TMPDIR.
daemons() { pgrep -f "ephemera-sim --backend timed .*$work/" || true; }

own_devices() { # one command starts described devices and says what came of them
    "$bench" --quick --suites TLS1.3/X25519/ECDSA-P256 --rounds 5 --slice 0.01 --json r.json >out.txt 2>err.txt || fail "exit code $?: $(cat err.txt)"
    [ -z "$(daemons)" ] || fail "daemons are left behind"
    [ -z "$(compgen -G "$work/ephemera-bench-??????")" ] || fail "temporary folders are left behind"
    query r.json '[d["name"] for d in r["devices"]] == ["fast", "slow", "dead", "infinite"] and all(d["simulated"] and d["cpu_seconds"] > 0 and d["completions"] > 0 for d in r["devices"])'
    query r.json '{h["variant"]: h["device"].split(":")[0] for h in r["handshakes"] if "device" in h} == {"auto": "fast", "auto-async": "fast", "auto-callback": "fast", "always": "fast", "always-async": "fast", "auto-slow": "slow", "auto-async-slow": "slow", "auto-dead": "dead", "auto-async-dead": "dead", "auto-async-infinite": "infinite"}'
    query r.json 'all("timed" in o["device"] for o in r["operations"] if o["api"] == "driver" or o["backend"] in ("pool", "device"))'
    # the dead device had served before it hung, and serves nothing any more
    query r.json 'all(c["good"] for c in r["checks"] if c["text"].startswith("the device served")) and len([c for c in r["checks"] if c["text"].startswith("the device served")]) == 2'
    query r.json 'all(h["operations"]["device_derive"] == 0 for h in r["handshakes"] if "dead" in h["variant"])'
    query r.json 'all(h["served_by"] == "device" for h in r["handshakes"] if h["variant"] == "always")'
    query r.json '{(o["in_flight"], o.get("calls")) for o in r["operations"] if o["backend"] == "device"} == {(1, None), (1, "ASYNC_JOB"), (8, "ASYNC_JOB"), (63, "ASYNC_JOB")}'
    query r.json '{t["target"] for t in r["targets"]} == {"host CPU of an operation, polled", "host CPU of an operation, in an ASYNC_JOB", "async gain", "async gain without the offload'"'"'s own CPU", "async gain by descriptors", "async gain by descriptors without the offload'"'"'s own CPU", "never slower than stock", "software faster than stock 3.0", "no gain above the Amdahl limit"}'
    query r.json 'not any(t["outcome"] == "not measured" for t in r["targets"] if t["target"] != "software faster than stock 3.0")'
    query r.json 'all(("good" in t) == (t["outcome"] in ("holds", "MISSED")) for t in r["targets"])'
    grep -q 'SIMULATED: no such card exists' out.txt || fail "the terminal does not say that the device is described only"
    grep -q '^What it must show' out.txt || fail "no targets on the terminal"
    grep -q 'no such card exists' r.html || fail "the page does not say that the device is described only"
    # on an unmeasured target --enforce fails the run, and only then
    local code=0
    "$bench" ops --quick --no-device --enforce --rounds 1 --slice 0.002 --json e.json >out.txt 2>err.txt || code=$?
    [ "$code" -eq 1 ] || fail "--enforce without a device: exit code $code"
}

own_devices_end() { # no way out of the bench leaves a daemon: Ctrl-C (what was measured is kept), SIGTERM, SIGKILL
    local signal pid
    for signal in INT TERM KILL; do
        "$bench" --quick --suites TLS1.3/X25519/ECDSA-P256 --rounds 99 --slice 0.05 --json "$signal.json" >out.txt 2>err.txt &
        pid=$!
        for _ in $(seq 100); do [ "$(daemons | wc -l)" -eq 4 ] && break; sleep 0.1; done
        [ "$(daemons | wc -l)" -eq 4 ] || fail "$signal: devices did not start: $(cat err.txt)"
        sleep 3
        kill "-$signal" "$pid"
        local code=0
        wait "$pid" || code=$?
        for _ in $(seq 50); do [ -z "$(daemons)" ] && break; sleep 0.1; done
        [ -z "$(daemons)" ] || fail "$signal leaves daemons: $(daemons)"
        [ "$signal" = KILL ] && continue
        [ "$code" -eq 0 ] || fail "$signal: exit code $code"
        query "$signal.json" 'r["interrupted"] is True and not r["failures"] and r["handshakes"] and r["devices"]'
        [ -z "$(compgen -G "$work/ephemera-bench-??????")" ] || fail "$signal: temporary folders are left behind"
    done
}

usage() { # wrong command lines: code 2, one line that says what is wrong
    local arguments
    for arguments in "--rounds 0" "--rounds 100" "--rounds x" "--variants nonsense" "--nonsense" "nonsense" "compare one" "--device sim --no-device"; do
        local code=0
        # shellcheck disable=SC2086
        "$bench" $arguments >out.txt 2>err.txt || code=$?
        [ "$code" -eq 2 ] && [ -s err.txt ] || fail "$arguments: exit code $code"
    done
    "$bench" --help | grep -q 'usage: ephemera-bench' || fail "no help"
    "$bench" project --rounds 1 --slice 0.002 --json /nonexistent/r.json >out.txt 2>err.txt && fail "an unwritable report is a failure"
    grep -q 'cannot write' err.txt || fail "no message about the unwritable report"
}

"$case_name"
echo "ok: $case_name"
