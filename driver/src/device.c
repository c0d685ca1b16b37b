// SPDX-License-Identifier: Apache-2.0
// Device strings and the device handle.
#include "device.h"
#include "util.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char eph_device_forms[] = "sim | sim:rtl | sim:model | socket:PATH | pci | pci:BDF | broker:PATH";

struct uri_form {
    const char *scheme;
    enum eph_device_kind kind;
    bool argument_required, argument_optional;
};

static const struct uri_form uri_forms[] = {
    {"sim", EPH_KIND_SIM, false, true},
    {"socket", EPH_KIND_SOCKET, true, false},
    {"pci", EPH_KIND_PCI, false, true},
    {"broker", EPH_KIND_BROKER, true, false},
};

void eph_device_log(const struct eph_device *device, enum eph_log_level level, const char *format, ...)
{
    if (!device->options.log)
        return;
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    device->options.log(device->options.log_context, level, line);
}

static bool bdf_is_valid(const char *text)
{
    unsigned domain, bus, slot, function;
    int end = 0;
    return sscanf(text, "%4x:%2x:%2x.%1x%n", &domain, &bus, &slot, &function, &end) == 4 && !text[end] &&
           strlen(text) == strlen("0000:00:00.0") && slot < 32 && function < 8;
}

static bool argument_is_valid(enum eph_device_kind kind, const char *argument)
{
    switch (kind) {
    case EPH_KIND_SIM:
        return !*argument || !strcmp(argument, "rtl") || !strcmp(argument, "model");
    case EPH_KIND_PCI:
        return !*argument || bdf_is_valid(argument);
    default:
        return true;
    }
}

static enum eph_status parse_uri(struct eph_device *device, const char *uri)
{
    size_t scheme_bytes = strcspn(uri, ":");
    bool has_argument = uri[scheme_bytes] == ':' && uri[scheme_bytes + 1];
    bool dangling_colon = uri[scheme_bytes] == ':' && !has_argument;
    if (strlen(uri) < sizeof device->uri && !dangling_colon) {
        strcpy(device->uri, uri);
        device->argument = device->uri + scheme_bytes + (has_argument ? 1 : 0);
        for (size_t i = 0; i < sizeof uri_forms / sizeof *uri_forms; i++) {
            const struct uri_form *form = &uri_forms[i];
            if (strlen(form->scheme) != scheme_bytes || strncmp(form->scheme, uri, scheme_bytes))
                continue;
            if (has_argument ? !(form->argument_required || form->argument_optional) : form->argument_required)
                break;
            if (!argument_is_valid(form->kind, device->argument))
                break;
            device->kind = form->kind;
            return EPH_OK;
        }
    }
    eph_device_log(device, EPH_LOG_ERROR, "device=%.100s is not a device; accepted: %s", uri, eph_device_forms);
    return EPH_E_INVALID;
}

static enum eph_status copy_options(struct eph_device *device, const struct eph_options *options)
{
    if (!options)
        return EPH_OK;
    device->options = *options;
    device->options.sim_plugin = options->sim_plugin ? strdup(options->sim_plugin) : NULL;
    device->options.sim_faults = options->sim_faults ? strdup(options->sim_faults) : NULL;
    if ((options->sim_plugin && !device->options.sim_plugin) || (options->sim_faults && !device->options.sim_faults))
        return EPH_E_NO_MEMORY;
    uint32_t log2_depth = options->log2_depth;
    if (log2_depth && (log2_depth < EPH_MIN_LOG2_DEPTH || log2_depth > EPH_MAX_LOG2_DEPTH)) {
        eph_device_log(device, EPH_LOG_ERROR, "queue depth 2^%u is not between 2^%d and 2^%d", log2_depth,
                       EPH_MIN_LOG2_DEPTH, EPH_MAX_LOG2_DEPTH);
        return EPH_E_INVALID;
    }
    return EPH_OK;
}

static enum eph_status open_kind(struct eph_device *device)
{
    switch (device->kind) {
    case EPH_KIND_SIM:
        return eph_sim_load(device);
    case EPH_KIND_SOCKET:
        return eph_socket_connect(device);
    case EPH_KIND_PCI:
        return eph_pci_open(device);
    case EPH_KIND_BROKER:
        break;
    }
    eph_device_log(device, EPH_LOG_ERROR,
                   "device=%s: this version has no broker; use socket:PATH, or pci without sharing", device->uri);
    return EPH_E_UNSUPPORTED;
}

enum eph_status eph_device_open(struct eph_device **device, const char *uri, const struct eph_options *options)
{
    *device = NULL;
    struct eph_device *opened = calloc(1, sizeof *opened);
    if (!opened)
        return EPH_E_NO_MEMORY;
    opened->control_fd = -1;
    enum eph_status status = copy_options(opened, options);
    if (status == EPH_OK)
        status = uri ? parse_uri(opened, uri) : EPH_E_INVALID;
    if (status == EPH_OK)
        status = open_kind(opened);
    if (status != EPH_OK) {
        eph_device_close(opened);
        return status;
    }
    *device = opened;
    return EPH_OK;
}

void eph_device_close(struct eph_device *device)
{
    if (!device)
        return;
    eph_close_fd(&device->control_fd);
    if (device->plugin)
        dlclose(device->plugin);
    free((char *)device->options.sim_plugin);
    free((char *)device->options.sim_faults);
    free(device);
}
