// SPDX-License-Identifier: Apache-2.0
#include "tool.h"

#include <stdio.h>

static const char help[] = "usage: ephemera list [--sysfs PATH]\n\n"
                           "Lists the cards of ours in this machine: address, vendor:device, bound kernel driver.\n"
                           "None is an answer, not an error (exit code 0).\n\n"
                           "  --sysfs PATH   look in this tree instead of /sys/bus/pci\n";

int eph_cmd_list(int argc, char **argv)
{
    static const struct option options[] = {{"sysfs", required_argument, NULL, 's'}, EPH_TOOL_HELP_OPTION, {0}};
    const char *sysfs_path = NULL;
    int option;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case 's':
            sysfs_path = optarg;
            break;
        case 'h':
            fputs(help, stdout);
            return EPH_EXIT_OK;
        default:
            return eph_tool_usage_error("list", "unknown option");
        }
    }
    if (optind < argc)
        return eph_tool_usage_error("list", "surplus argument");
    struct eph_pci_entry entries[256];
    size_t count;
    enum eph_status status = eph_pci_list(sysfs_path, entries, sizeof entries / sizeof *entries, &count);
    if (status != EPH_OK) {
        fprintf(stderr, "ephemera: can not read %s: %s\n", sysfs_path ? sysfs_path : "/sys/bus/pci",
                eph_status_text(status));
        return EPH_EXIT_FAILED;
    }
    for (size_t i = 0; i < count; i++)
        printf("%s  %04x:%04x  driver %s\n", entries[i].bdf, entries[i].vendor, entries[i].device,
               *entries[i].driver ? entries[i].driver : "(none)");
    if (!count)
        puts("no Ephemera card in this machine (the simulated device needs none: --device sim)");
    return EPH_EXIT_OK;
}
