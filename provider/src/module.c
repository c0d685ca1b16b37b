// SPDX-License-Identifier: Apache-2.0
// The module's entry point, its algorithm tables and its end.
#include "provider.h"
#include "errors.h"
#include "log.h"

#include <dlfcn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define PROPERTIES "provider=ephemera"

// The names of the default provider, so that a property query is all that an application needs. X448 and DH stay with
// default.
static const OSSL_ALGORITHM keymgmt_algorithms[] = {
    {"EC:id-ecPublicKey:1.2.840.10045.2.1", PROPERTIES, eph_ec_keymgmt_functions, "Ephemera EC"},
    {"X25519:1.3.101.110", PROPERTIES, eph_x25519_keymgmt_functions, "Ephemera X25519"},
    {NULL, NULL, NULL, NULL},
};
static const OSSL_ALGORITHM exchange_algorithms[] = {
    {"ECDH", PROPERTIES, eph_ecdh_functions, "Ephemera ECDH"},
    {"X25519:1.3.101.110", PROPERTIES, eph_x25519_exchange_functions, "Ephemera X25519"},
    {NULL, NULL, NULL, NULL},
};

static OSSL_FUNC_provider_teardown_fn provider_teardown;
static OSSL_FUNC_provider_gettable_params_fn provider_gettable_params;
static OSSL_FUNC_provider_get_params_fn provider_get_params;
static OSSL_FUNC_provider_query_operation_fn provider_query_operation;
static OSSL_FUNC_provider_get_capabilities_fn provider_get_capabilities;

static const OSSL_PARAM *provider_gettable_params(void *vprovider)
{
    static const OSSL_PARAM gettable[] = {
        OSSL_PARAM_DEFN(OSSL_PROV_PARAM_NAME, OSSL_PARAM_UTF8_PTR, NULL, 0),
        OSSL_PARAM_DEFN(OSSL_PROV_PARAM_VERSION, OSSL_PARAM_UTF8_PTR, NULL, 0),
        OSSL_PARAM_DEFN(OSSL_PROV_PARAM_BUILDINFO, OSSL_PARAM_UTF8_PTR, NULL, 0),
        OSSL_PARAM_DEFN(OSSL_PROV_PARAM_STATUS, OSSL_PARAM_INTEGER, NULL, 0),
        OSSL_PARAM_END,
    };
    (void)vprovider;
    return gettable;
}

static int set_text(OSSL_PARAM params[], const char *name, const char *text)
{
    OSSL_PARAM *param = OSSL_PARAM_locate(params, name);
    return param == NULL || OSSL_PARAM_set_utf8_ptr(param, text);
}

static int provider_get_params(void *vprovider, OSSL_PARAM params[])
{
    OSSL_PARAM *status = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_STATUS);
    (void)vprovider;
    return set_text(params, OSSL_PROV_PARAM_NAME, "Ephemera: ECDHE keys computed in hardware") &&
           set_text(params, OSSL_PROV_PARAM_VERSION, EPH_VERSION) &&
           set_text(params, OSSL_PROV_PARAM_BUILDINFO, "built with the headers of " OPENSSL_VERSION_TEXT) &&
           (status == NULL || OSSL_PARAM_set_int(status, 1));
}

static const OSSL_ALGORITHM *provider_query_operation(void *vprovider, int operation, int *no_cache)
{
    (void)vprovider;
    *no_cache = 0;
    switch (operation) {
    case OSSL_OP_KEYMGMT:
        return keymgmt_algorithms;
    case OSSL_OP_KEYEXCH:
        return exchange_algorithms;
    default:
        return NULL;
    }
}

static int provider_get_capabilities(void *vprovider, const char *capability, OSSL_CALLBACK *callback, void *argument)
{
    return strcasecmp(capability, "TLS-GROUP") == 0 ? eph_groups_announce(vprovider, callback, argument) : 0;
}

static void provider_teardown(void *vprovider)
{
    struct eph_provider *provider = vprovider;
    if (provider == NULL)
        return;
    eph_process_free_all(provider);
    eph_offload_close(provider);
    eph_stats_sink_close(&provider->stats_sink);
    eph_ec_fini(&provider->ec);
    eph_software_fini(&provider->software);
    free(provider);
}

static const OSSL_DISPATCH provider_functions[] = {
    {OSSL_FUNC_PROVIDER_TEARDOWN, (void (*)(void))provider_teardown},
    {OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, (void (*)(void))provider_gettable_params},
    {OSSL_FUNC_PROVIDER_GET_PARAMS, (void (*)(void))provider_get_params},
    {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))provider_query_operation},
    {OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))provider_get_capabilities},
    {0, NULL},
};

// The application's library context may only be used with the libcrypto that made it. An application with a static
// libcrypto of its own that hides its symbols makes us link another copy; then our randomness comes from that copy's
// default context.
static OSSL_LIB_CTX *application_libctx(const OSSL_CORE_HANDLE *handle, OSSL_FUNC_core_get_libctx_fn *get_libctx)
{
    Dl_info core, ours;
    if (get_libctx == NULL || !dladdr((void *)(uintptr_t)get_libctx, &core) ||
        !dladdr((void *)(uintptr_t)OSSL_LIB_CTX_new, &ours) || core.dli_fbase != ours.dli_fbase)
        return NULL;
    return (OSSL_LIB_CTX *)get_libctx(handle);
}

static void read_core_functions(struct eph_provider *provider, const OSSL_DISPATCH *in)
{
    for (; in->function_id != 0; in++) {
        switch (in->function_id) {
        case OSSL_FUNC_CORE_GET_PARAMS:
            provider->get_params = OSSL_FUNC_core_get_params(in);
            break;
        case OSSL_FUNC_CORE_GET_LIBCTX:
            provider->application = application_libctx(provider->handle, OSSL_FUNC_core_get_libctx(in));
            break;
        case OSSL_FUNC_CORE_NEW_ERROR:
            provider->new_error = OSSL_FUNC_core_new_error(in);
            break;
        case OSSL_FUNC_CORE_SET_ERROR_DEBUG:
            provider->set_error_debug = OSSL_FUNC_core_set_error_debug(in);
            break;
        case OSSL_FUNC_CORE_VSET_ERROR:
            provider->vset_error = OSSL_FUNC_core_vset_error(in);
            break;
        }
    }
}

// Fails only without memory or without a default provider to fall back on: then the application keeps its own. A wrong
// configuration or a missing device is no reason to break TLS.
__attribute__((visibility("default"))) int OSSL_provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
                                                              const OSSL_DISPATCH **out, void **provctx)
{
    struct eph_provider *provider = calloc(1, sizeof *provider);
    if (provider == NULL)
        return 0;
    provider->handle = handle;
    provider->initial_pid = getpid();
    provider->stats_sink.directory.fd = -1;
    read_core_functions(provider, in);
    if (!eph_software_init(&provider->software) || !eph_ec_init(&provider->ec, &provider->software)) {
        eph_log("the default provider of libcrypto can not be loaded");
        provider_teardown(provider);
        return 0;
    }
    eph_config_read(provider);
    if (provider->config.stats[0] != 0 && !eph_stats_sink_open(&provider->stats_sink, provider->config.stats))
        eph_config_reject(provider, EPH_KEY_STATS, provider->config.stats);
    if (provider->config.valid && provider->config.offload != EPH_OFFLOAD_NEVER)
        eph_offload_open(provider);
    *out = provider_functions;
    *provctx = provider;
    return 1;
}
