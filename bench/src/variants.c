// SPDX-License-Identifier: Apache-2.0
#include "variants.h"

#include "paths.h"
#include "served.h"

#include <openssl/err.h>
#include <openssl/provider.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

const char variant_names[] =
    "plain, plain-async, ideal, never, auto, auto-async, auto-callback, always, always-async, auto-slow, "
    "auto-async-slow, auto-dead, auto-async-dead, auto-async-infinite";

// A simulation that is late on a busy machine is still the one that was asked for.
static const char everything[] = "pool = 0\ndeadline_ms = 1000\n";

static const struct variant variant_table[VARIANT_COUNT] = {
    [VARIANT_PLAIN] = {.name = "plain", .text = "stock OpenSSL"},
    [VARIANT_PLAIN_AGAIN] = {.name = "plain-again", .text = "stock OpenSSL, second of the A/A pair"},
    [VARIANT_PLAIN_ASYNC] = {.name = "plain-async", .text = "stock OpenSSL, SSL_MODE_ASYNC", .async = true},
    [VARIANT_IDEAL] = {.name = "ideal", .text = "keygen and derive at no cost (imitated)", .ideal = true},
    [VARIANT_NEVER] = {.name = "never", .text = "Ephemera in software (offload=never)", .offload = "never"},
    [VARIANT_AUTO] = {.name = "auto", .text = "Ephemera, offload=auto", .offload = "auto", .device = DEVICE_FAST},
    [VARIANT_AUTO_ASYNC] = {.name = "auto-async",
                            .text = "Ephemera, offload=auto, SSL_MODE_ASYNC",
                            .offload = "auto",
                            .device = DEVICE_FAST,
                            .async = true},
    [VARIANT_AUTO_CALLBACK] = {.name = "auto-callback",
                               .text = "Ephemera, offload=auto, SSL_MODE_ASYNC, SSL_set_async_callback",
                               .offload = "auto",
                               .device = DEVICE_FAST,
                               .async = true,
                               .callback = true},
    [VARIANT_ALWAYS] = {.name = "always",
                        .text = "Ephemera, offload=always, pool=0",
                        .offload = "always",
                        .settings = everything,
                        .device = DEVICE_FAST,
                        .needs_device = true},
    [VARIANT_ALWAYS_ASYNC] = {.name = "always-async",
                              .text = "Ephemera, offload=always, pool=0, SSL_MODE_ASYNC",
                              .offload = "always",
                              .settings = everything,
                              .device = DEVICE_FAST,
                              .needs_device = true,
                              .async = true},
    [VARIANT_AUTO_SLOW] = {.name = "auto-slow",
                           .text = "Ephemera, offload=auto",
                           .offload = "auto",
                           .device = DEVICE_SLOW},
    [VARIANT_AUTO_ASYNC_SLOW] = {.name = "auto-async-slow",
                                 .text = "Ephemera, offload=auto, SSL_MODE_ASYNC",
                                 .offload = "auto",
                                 .device = DEVICE_SLOW,
                                 .async = true},
    [VARIANT_AUTO_DEAD] = {.name = "auto-dead",
                           .text = "Ephemera, offload=auto",
                           .offload = "auto",
                           .device = DEVICE_DEAD},
    [VARIANT_AUTO_ASYNC_DEAD] = {.name = "auto-async-dead",
                                 .text = "Ephemera, offload=auto, SSL_MODE_ASYNC",
                                 .offload = "auto",
                                 .device = DEVICE_DEAD,
                                 .async = true},
    [VARIANT_AUTO_ASYNC_INFINITE] = {.name = "auto-async-infinite",
                                     .text = "Ephemera, offload=auto, SSL_MODE_ASYNC",
                                     .offload = "auto",
                                     .device = DEVICE_INFINITE,
                                     .async = true},
};

bool variant_known(const char *name)
{
    for (int i = 0; i < VARIANT_COUNT; i++)
        if (strcasecmp(variant_table[i].name, name) == 0)
            return true;
    return false;
}

// The A/A pair is measured whatever the list says.
static bool listed(int v, const char *list)
{
    return v <= VARIANT_PLAIN_AGAIN || !list || list_has(list, variant_table[v].name);
}

void variants_devices(const char *list, bool wanted[DEVICE_COUNT])
{
    for (int v = 0; v < VARIANT_COUNT; v++)
        wanted[variant_table[v].device] |= listed(v, list);
}

// A temporary folder with the OpenSSL configuration of one variant of our provider; its statistics go there too.
static bool write_config(struct variant *variant, const char *device, const char *module, char path[80])
{
    const char *parent = getenv("TMPDIR");
    if (snprintf(variant->folder, sizeof(variant->folder), "%s/ephemera-bench-XXXXXX", parent ? parent : P_tmpdir) >=
            (int)sizeof(variant->folder) ||
        !mkdtemp(variant->folder)) {
        variant->folder[0] = '\0';
        return false;
    }
    snprintf(path, 80, "%s/openssl.cnf", variant->folder);
    FILE *file = fopen(path, "w");
    if (!file)
        return false;
    fprintf(file,
            "openssl_conf = init\n[init]\nproviders = providers\nalg_section = algorithms\n"
            "[algorithms]\ndefault_properties = ?provider=ephemera\n"
            "[providers]\nephemera = ephemera_section\ndefault = default_section\n[default_section]\nactivate = 1\n"
            "[ephemera_section]\nmodule = %s\nactivate = 1\noffload = %s\ndevice = %s\nstats = %s\n%s",
            module, variant->offload, device, variant->folder, variant->settings ? variant->settings : "");
    return fclose(file) == 0;
}

static void open_ours(struct variant *variant, const char *device, const char *module)
{
    char config[80];
    if (access(module, R_OK) != 0) {
        snprintf(variant->skipped, sizeof(variant->skipped), "provider module not built: ephemera.so not found");
        return;
    }
    if (!write_config(variant, device ? device : "pci", module, config))
        snprintf(variant->skipped, sizeof(variant->skipped), "cannot write a temporary OpenSSL configuration");
    else if (OSSL_LIB_CTX_load_config(variant->libctx, config) != 1 ||
             !OSSL_PROVIDER_available(variant->libctx, "ephemera")) {
        char reason[160];
        ERR_error_string_n(ERR_peek_last_error(), reason, sizeof(reason));
        snprintf(variant->skipped, sizeof(variant->skipped), "provider did not load: %s", reason);
        variant->broken = true;
    }
    ERR_clear_error();
}

static void close_one(struct variant *variant)
{
    OSSL_LIB_CTX_free(variant->libctx);
    variant->libctx = NULL;
    if (variant->folder[0])
        served_remove(variant->folder);
    variant->folder[0] = '\0';
}

static void open_one(struct variant *variant, const struct device *device, const char *module)
{
    bool other = variant->device > DEVICE_FAST; // without it the variant would be one that is measured anyway
    if ((variant->needs_device || other) && !device->uri[0]) {
        snprintf(variant->skipped, sizeof(variant->skipped), "no device (%s)", device->skipped);
        return;
    }
    if (device->embedded) {
        snprintf(
            variant->skipped, sizeof(variant->skipped),
            "device %s computes inside this process: functional only; use ephemera-sim --backend timed and socket:PATH",
            device->uri);
        return;
    }
    variant->libctx = OSSL_LIB_CTX_new();
    if (!variant->libctx)
        snprintf(variant->skipped, sizeof(variant->skipped), "out of memory");
    else if (variant->offload)
        open_ours(variant, device->uri[0] ? device->uri : NULL, module);
    if (variant->skipped[0])
        close_one(variant);
}

void variants_open(struct variant variants[VARIANT_COUNT], const char *list, const struct devices *devices,
                   const char *module)
{
    char found[PATH_MAX];
    if (!module)
        module = path_beside_program("../lib/ossl-modules/ephemera.so", found, sizeof(found)) ? found : "";
    for (int i = 0; i < VARIANT_COUNT; i++) {
        struct variant *variant = &variants[i];
        *variant = variant_table[i];
        if (!listed(i, list))
            snprintf(variant->skipped, sizeof(variant->skipped), "not asked for");
        else
            open_one(variant, &devices->list[variant->device], module);
    }
}

void variants_close(struct variant variants[VARIANT_COUNT])
{
    for (int i = 0; i < VARIANT_COUNT; i++)
        close_one(&variants[i]);
}
