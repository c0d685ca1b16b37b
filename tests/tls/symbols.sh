#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# symbols.sh BUILD: one symbol leaves the module, every one that it takes from libcrypto exists since OpenSSL 3.0.0, it stays loaded,
# and neither libssl nor a C++ run-time library comes along.
. "$(dirname "$0")/lib.sh"
[ -z "${EPH_LIBASAN-}" ] || skip 'a sanitizer adds symbols of its own'
equal 'exported' "$(nm -D --defined-only "$module" | awk '{ print $NF }')" OSSL_provider_init
newer=$(nm -D --undefined-only --with-symbol-versions "$module" | grep -oE '[A-Za-z0-9_]+@OPENSSL_[0-9.]+' | grep -v '@OPENSSL_3.0.0$' || true)
equal 'symbols newer than OpenSSL 3.0.0' "$newer" ''
[ "$(nm -D --undefined-only --with-symbol-versions "$module" | grep -c '@OPENSSL_3.0.0$')" -gt 10 ] || fail 'no versioned symbols found'
[ "$(readelf -d "$module" | grep -c NODELETE)" -eq 1 ] || fail 'not nodelete'
! readelf -d "$module" | grep -E 'NEEDED.*(libssl|libstdc|libgcc)' || fail 'needs too much'
! readelf -d "$ephemera" | grep -E 'NEEDED.*(libssl|libcrypto)' || fail 'the ephemera command links OpenSSL'
