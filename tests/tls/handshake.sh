#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# handshake.sh BUILD SIDE VERSION GROUP EXPECTED [SOFTWARE]: one handshake with our provider on SIDE (server, client) alone.
# EXPECTED: "1 1" = keygens and derives by the device for it. SOFTWARE (0): operations that our provider did in software by policy;
# "0 0" and no SOFTWARE = the group is not ours and works all the same.
. "$(dirname "$0")/lib.sh"
side=$1 version=$2 group=$3 expected=$4 software=${5-0}
config test sim:model always
certificate
# P-256 as the last choice: TLS 1.2 wants the certificate's curve among the groups.
groups=$group
[ "$group" = P-256 ] || groups=$group:P-256
server_options=(-groups "$groups")
if [ "$side" = server ]; then server ours test; client=(stock); else server stock; client=(ours test); fi
fetch "${client[@]}" -- "-$version" -groups "$groups"
case $group in # as s_client of OpenSSL 3.0 and of later ones calls it
P-256) name='prime256v1|secp256r1' ;;
P-384) name=secp384r1 ;;
P-521) name=secp521r1 ;;
*) name=$group ;;
esac
grep -qE "^(Server|Peer) Temp Key: .*($name)" "$work/client.log" ||
    fail "not $group: $(grep -E 'Temp Key' "$work/client.log" || true)"
stop_server
equal 'keygens and derives by the device' "$(device_operations test)" "$expected"
equal 'operations in software' "$(software_operations test)" "$software"
equal 'fallbacks' "$(fallbacks test)" 0
no_sanitizer_report
