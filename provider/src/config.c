// SPDX-License-Identifier: Apache-2.0
#include "config.h"
#include "errors.h"
#include "log.h"
#include "provider.h"

#include <ephemera/ephemera.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEADLINE_MS = 60000 };

static const struct {
    const char *name;
    const char *environment; // NULL: no override
    const char *fallback;    // value when neither is set
    const char *accepted;    // NULL: the driver's list of device strings
} keys[EPH_KEY_COUNT] = {
    [EPH_KEY_DEVICE] = {"device", "EPHEMERA_DEVICE", "pci", NULL},
    [EPH_KEY_OFFLOAD] = {"offload", "EPHEMERA_OFFLOAD", "auto", "auto, always, never"},
    [EPH_KEY_DEADLINE] = {"deadline_ms", NULL, "0", "0 (the device's default) to 60000"},
    [EPH_KEY_POOL] = {"pool", NULL, "auto", "auto, or 0 (none) to 1024 keys a curve and process"},
    [EPH_KEY_STATS] = {"stats", "EPHEMERA_STATS", "",
                       "an existing directory, or a file that can be created, at most 1023 bytes"},
};

void eph_config_reject(struct eph_provider *provider, enum eph_config_key key, const char *value)
{
    const char *accepted = keys[key].accepted != NULL ? keys[key].accepted : eph_device_forms;
    provider->config.valid = false;
    eph_log("wrong value '%.200s' for configuration key '%s'%s%s; accepted: %s. Everything is done in software.", value,
            keys[key].name, keys[key].environment != NULL ? " or variable " : "",
            keys[key].environment != NULL ? keys[key].environment : "", accepted);
    EPH_RAISE(provider, EPH_R_CONFIGURATION, "%s=%s; accepted: %s", keys[key].name, value, accepted);
}

// True when text is a decimal number in 0..max, without sign or blanks.
static bool parse_number(const char *text, uint64_t max, uint64_t *number)
{
    if (text[0] == 0 || strlen(text) > 9 || text[strspn(text, "0123456789")] != 0)
        return false;
    *number = strtoul(text, NULL, 10);
    return *number <= max;
}

static bool parse_offload(const char *text, enum eph_offload *offload)
{
    static const char *const names[] = {
        [EPH_OFFLOAD_AUTO] = "auto", [EPH_OFFLOAD_ALWAYS] = "always", [EPH_OFFLOAD_NEVER] = "never"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(text, names[i]) == 0) {
            *offload = (enum eph_offload)i;
            return true;
        }
    return false;
}

static bool copy_text(const char *text, char *destination, size_t bytes)
{
    if (strlen(text) >= bytes)
        return false;
    strcpy(destination, text);
    return true;
}

static bool parse(struct eph_config *config, enum eph_config_key key, const char *text)
{
    uint64_t number = 0;
    switch (key) {
    case EPH_KEY_DEVICE:
        return text[0] != 0 && copy_text(text, config->device, sizeof config->device);
    case EPH_KEY_OFFLOAD:
        return parse_offload(text, &config->offload);
    case EPH_KEY_DEADLINE:
        if (!parse_number(text, MAX_DEADLINE_MS, &number))
            return false;
        config->deadline_ns = number * 1000000;
        return true;
    case EPH_KEY_POOL:
        config->pool = EPH_POOL_AUTO;
        if (strcmp(text, "auto") == 0)
            return true;
        if (!parse_number(text, EPH_POOL_MAX, &number))
            return false;
        config->pool = (int)number;
        return true;
    case EPH_KEY_STATS:
        return copy_text(text, config->stats, sizeof config->stats);
    case EPH_KEY_COUNT:
        break;
    }
    return false;
}

void eph_config_read(struct eph_provider *provider)
{
    char *values[EPH_KEY_COUNT] = {NULL};
    OSSL_PARAM request[EPH_KEY_COUNT + 1];
    for (int key = 0; key < EPH_KEY_COUNT; key++)
        request[key] = OSSL_PARAM_construct_utf8_ptr(keys[key].name, &values[key], 0);
    request[EPH_KEY_COUNT] = OSSL_PARAM_construct_end();
    if (provider->get_params == NULL || !provider->get_params(provider->handle, request))
        memset(values, 0, sizeof values);

    provider->config = (struct eph_config){.valid = true};
    for (int key = 0; key < EPH_KEY_COUNT; key++) {
        const char *text = values[key] != NULL ? values[key] : keys[key].fallback;
        // secure_getenv: a setuid program must not send its keys where its caller likes.
        const char *environment = keys[key].environment != NULL ? secure_getenv(keys[key].environment) : NULL;
        if (environment != NULL)
            text = environment;
        if (!parse(&provider->config, (enum eph_config_key)key, text))
            eph_config_reject(provider, (enum eph_config_key)key, text);
    }
}
