#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# groups.sh BUILD CLIENT_HELLO: the ClientHello's group list under our configuration is, byte for byte, that of a stock library, by
# default and for every group that can be named; whichever provider the configuration lists first.
. "$(dirname "$0")/lib.sh"
hello=$1
names=(X25519 X448 P-256 P-384 P-521 secp256k1 brainpoolP256r1 brainpoolP384r1 brainpoolP512r1 secp224r1 secp192r1 sect283k1
    brainpoolP512r1:X25519:secp384r1:X448:P-521)
"$hello" "${names[@]}" >"$work/stock.txt" || fail 'stock library'
config last sim:model always
sed -e '/^default = default_section/d' -e 's/^ephemera = ours/&\ndefault = default_section/' "$work/last.cnf" >"$work/first.cnf"
for order in first last; do
    OPENSSL_CONF=$work/$order.cnf "$hello" "${names[@]}" >"$work/$order.txt" || fail "provider listed $order"
    cmp "$work/stock.txt" "$work/$order.txt" || { diff "$work/stock.txt" "$work/$order.txt" >&2; fail "provider listed $order"; }
done
equal 'lines compared' "$(wc -l <"$work/stock.txt")" $((3 + ${#names[@]}))
# The comparison can fail: without default, only our own group is left.
grep -v '^default = default_section' "$work/last.cnf" | sed 's/^activate = 1$/&/' >"$work/alone.cnf"
! OPENSSL_CONF=$work/alone.cnf "$hello" P-256 >"$work/alone.txt" 2>/dev/null || fail 'P-256 from nowhere'
