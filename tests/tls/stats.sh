#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# stats.sh BUILD: counters of living and dead processes, folded files, the text file, and what is not statistics.
. "$(dirname "$0")/lib.sh"
config test sim:model always
certificate

# Three processes that ended, one that lives: all are summed, again and again, while the files of the dead become one.
for i in 1 2 3; do ours test genpkey -algorithm X25519 -out /dev/null; done
server ours test
fetch stock -- -tls1_3 -groups X25519
equal 'files before' "$(ls "$work/test.stats" | wc -l)" 4
for i in 1 2 3; do equal "reading $i" "$(device_operations test)" '4 1'; done
equal 'files after: one for the dead, one of the living' "$(ls "$work/test.stats" | wc -l)" 2
[ -e "$work/test.stats/dead.eph" ] || fail 'no dead.eph'
stop_server
equal 'the last one died' "$(device_operations test)" '4 1'
equal 'files' "$(ls "$work/test.stats")" dead.eph
mode=$(stat -c %a "$work/test.stats/dead.eph")
equal 'mode' "$mode" 640

# A collector that died between adding a file and removing it adds it once.
ours test genpkey -algorithm X25519 -out /dev/null
cp "$work"/test.stats/[0-9]*.eph "$work/copy"
equal 'one more' "$(device_operations test)" '5 1'
cp "$work/copy" "$work/test.stats/folding.eph"
equal 'not twice' "$(device_operations test)" '5 1'
[ ! -e "$work/test.stats/folding.eph" ] || fail 'left behind'

# Foreign files and links are passed over.
echo garbage >"$work/test.stats/99-1.eph"
ln -s "$work/copy" "$work/test.stats/98-1.eph"
equal 'foreign files' "$(device_operations test)" '5 1'

# OpenMetrics text: every sample under a declared family, an end.
"$ephemera" stats "$work/test.stats" >"$work/metrics"
equal 'end' "$(tail -n 1 "$work/metrics")" '# EOF'
for name in ephemera_operations ephemera_fallbacks ephemera_device_cycles ephemera_breaker_state ephemera_latency_seconds; do
    equal "family $name" "$(grep -c "^# TYPE $name " "$work/metrics")" 1
done
grep -q '^ephemera_operations_total{curve="x25519",op="keygen",served="device"} 5$' "$work/metrics" || fail 'label order'
grep -q '^ephemera_latency_seconds_bucket{curve="x25519",op="keygen",served="device",le="+Inf"} 5$' "$work/metrics" || fail 'histogram'
[ "$(metric test ephemera_device_cycles_total)" -gt 0 ] || fail 'no cycles'

# Text file, written at exit and readable by the command.
sed "s|^stats = .*|stats = $work/text|" "$work/test.cnf" >"$work/text.cnf"
ours text genpkey -algorithm X25519 -out /dev/null
"$ephemera" stats "$work/text" >"$work/metrics"
grep -q '^ephemera_operations_total{curve="x25519",op="keygen",served="device"} 1$' "$work/metrics" || fail 'text file'

! "$ephemera" stats "$work/nothing" 2>"$work/err" || fail 'a missing directory is an error'
! "$ephemera" stats /etc/passwd 2>>"$work/err" || fail 'not statistics'
grep -q 'nothing: No such file' "$work/err" || fail 'no clear message'
# A directory that can not be written costs the file, not the service.
if [ "$(id -u)" -ne 0 ]; then
    chmod 555 "$work/test.stats"
    ours test genpkey -algorithm X25519 -out /dev/null 2>"$work/err"
    chmod 755 "$work/test.stats"
    grep -q 'kept in memory only' "$work/err" || fail 'no message'
fi
sed "s|^stats = .*|stats = $work/no/where|" "$work/test.cnf" >"$work/text.cnf"
ours text genpkey -algorithm X25519 -out /dev/null 2>"$work/err"
grep -q "configuration key 'stats'" "$work/err" || fail 'wrong path not named'
no_sanitizer_report
