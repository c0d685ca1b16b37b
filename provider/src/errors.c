// SPDX-License-Identifier: Apache-2.0
#include "errors.h"
#include "provider.h"

#include <openssl/ecerr.h>
#include <openssl/err.h>
#include <openssl/proverr.h>
#include <stdarg.h>
#include <stdint.h>

static const uint32_t codes[] = {
    [EPH_R_MISSING_KEY] = ERR_PACK(ERR_LIB_PROV, 0, PROV_R_MISSING_KEY),
    [EPH_R_WRONG_LENGTH] = ERR_PACK(ERR_LIB_PROV, 0, PROV_R_INVALID_KEY_LENGTH),
    [EPH_R_BUFFER_TOO_SMALL] = ERR_PACK(ERR_LIB_PROV, 0, PROV_R_OUTPUT_BUFFER_TOO_SMALL),
    [EPH_R_ZERO_RESULT] = ERR_PACK(ERR_LIB_PROV, 0, PROV_R_FAILED_DURING_DERIVATION),
    [EPH_R_NO_RANDOMNESS] = ERR_PACK(ERR_LIB_PROV, 0, PROV_R_FAILED_TO_GENERATE_KEY),
    [EPH_R_SOFTWARE_FAILED] = ERR_PACK(ERR_LIB_PROV, 0, PROV_R_FAILED_TO_GENERATE_KEY),
    [EPH_R_WRONG_PARAMETER] = ERR_PACK(ERR_LIB_PROV, 0, ERR_R_PASSED_INVALID_ARGUMENT),
    [EPH_R_CONFIGURATION] = ERR_PACK(ERR_LIB_PROV, 0, PROV_R_INVALID_CONFIG_DATA),
    [EPH_R_NO_MEMORY] = ERR_PACK(ERR_LIB_PROV, 0, ERR_R_MALLOC_FAILURE),
    [EPH_R_POINT_RANGE] = ERR_PACK(ERR_LIB_EC, 0, EC_R_INVALID_ENCODING),
    [EPH_R_OFF_CURVE] = ERR_PACK(ERR_LIB_EC, 0, EC_R_POINT_IS_NOT_ON_CURVE),
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
    provider->vset_error(provider->handle, codes[reason], format, arguments);
    va_end(arguments);
    return 0;
}
