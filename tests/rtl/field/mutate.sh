#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mutate.sh SED_SCRIPT SOURCE OUTPUT: a faulty copy of a source; fails when the script changes nothing.
mkdir -p "$(dirname "$3")" && sed "$1" "$2" >"$3" && ! cmp -s "$2" "$3"
