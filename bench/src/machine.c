// SPDX-License-Identifier: Apache-2.0
#include "machine.h"

#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

// Instructions that big-number code of OpenSSL or crypto_mb selects by.
static const char *const telling_flags[] = {"adx",        "bmi2", "avx2",   "avx512f",
                                            "avx512ifma", "vaes", "sha_ni", "hypervisor"};

// Value of the first "key : value" line of /proc/cpuinfo, cut to size; empty when absent.
static void cpuinfo(const char *key, char *value, size_t size)
{
    char line[8192];
    FILE *file = fopen("/proc/cpuinfo", "r");
    value[0] = '\0';
    while (file && fgets(line, sizeof(line), file)) {
        char *colon = strchr(line, ':');
        if (!colon || strncmp(line, key, strlen(key)) != 0)
            continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(value, size, "%s", colon + 1 + (colon[1] == ' '));
        break;
    }
    if (file)
        fclose(file);
}

static void first_line(const char *path, char *value, size_t size)
{
    FILE *file = fopen(path, "r");
    value[0] = '\0';
    if (file && fgets(value, (int)size, file))
        value[strcspn(value, "\n")] = '\0';
    if (file)
        fclose(file);
}

static bool has_flag(const char *flags, const char *flag)
{
    size_t length = strlen(flag);
    for (const char *at = flags; (at = strstr(at, flag)); at += length)
        if ((at == flags || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

double machine_load(void)
{
    double load;
    return getloadavg(&load, 1) == 1 ? load : -1;
}

json_t *machine_describe(void)
{
    char model[256], flags[8192], vendor[128], product[128];
    struct utsname system = {0};
    uname(&system);
    cpuinfo("model name", model, sizeof(model));
    cpuinfo("flags", flags, sizeof(flags));
    first_line("/sys/class/dmi/id/sys_vendor", vendor, sizeof(vendor));
    first_line("/sys/class/dmi/id/product_name", product, sizeof(product));
    json_t *found = json_array();
    for (size_t i = 0; i < sizeof(telling_flags) / sizeof(telling_flags[0]); i++)
        if (has_flag(flags, telling_flags[i]))
            json_array_append_new(found, json_string(telling_flags[i]));
    bool virtual_machine = has_flag(flags, "hypervisor");
    return json_pack("{s:s, s:o, s:i, s:b, s:s, s:s, s:s, s:s, s:f}", "cpu", model[0] ? model : system.machine,
                     "cpu_flags", found, "cpus", (int)sysconf(_SC_NPROCESSORS_ONLN), "virtual_machine", virtual_machine,
                     "vendor", vendor, "product", product, "kernel", system.release, "openssl",
                     OpenSSL_version(OPENSSL_VERSION), "load_average", machine_load());
}
