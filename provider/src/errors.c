// SPDX-License-Identifier: Apache-2.0
#include "errors.h"
#include "provider.h"

#include <stdarg.h>

const OSSL_ITEM eph_reason_strings[] = {
    {EPH_R_MISSING_KEY, "key or peer key missing"},
    {EPH_R_WRONG_LENGTH, "wrong length"},
    {EPH_R_BUFFER_TOO_SMALL, "output buffer too small"},
    {EPH_R_ZERO_RESULT, "shared secret is zero: low-order peer key"},
    {EPH_R_NO_RANDOMNESS, "no randomness"},
    {EPH_R_SOFTWARE_FAILED, "software implementation failed"},
    {EPH_R_WRONG_PARAMETER, "wrong parameter"},
    {EPH_R_CONFIGURATION, "wrong configuration"},
    {EPH_R_NO_MEMORY, "out of memory"},
    {0, NULL},
};

int eph_raise(const struct eph_provider *provider, enum eph_reason reason, const char *file, int line,
              const char *format, ...)
{
    if (provider == NULL || provider->new_error == NULL || provider->vset_error == NULL)
        return 0;
    provider->new_error(provider->handle);
    if (provider->set_error_debug != NULL)
        provider->set_error_debug(provider->handle, file, line, "ephemera");
    va_list arguments;
    va_start(arguments, format);
    provider->vset_error(provider->handle, reason, format, arguments);
    va_end(arguments);
    return 0;
}
