#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# exports.sh LIBRARY NAME...: the library exports these functions and nothing else (absolute symbols are version names).
library=$1
shift
expected=$(printf '%s\n' "$@" | sort)
found=$(nm -D --defined-only "$library" | awk '$2 != "A" {sub(/@.*/, "", $3); print $3}' | sort)
[ "$found" = "$expected" ] && exit 0
printf 'expected:\n%s\nfound:\n%s\n' "$expected" "$found"
exit 1
