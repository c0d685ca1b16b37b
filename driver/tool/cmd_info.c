// SPDX-License-Identifier: Apache-2.0
#include "tool.h"

#include <stdio.h>

static const char help[] = "usage: ephemera info [--device URI]\n\n"
                           "Attaches to a device, which runs its known-answer test, and prints what it is.\n\n";

static void print_names(const struct eph_device_info *info)
{
    fputs("curves      ", stdout);
    for (unsigned c = 1; c < EPH_CURVE_COUNT; c++)
        if (info->curves >> c & 1)
            printf(" %s", eph_tool_curve_name((enum eph_curve)c));
    fputs("\noperations  ", stdout);
#define EPH_OPCODE(name, value, text)                                                                                  \
    if (info->operations >> value & 1)                                                                                 \
        fputs(" " text, stdout);
#include <isa.def>
    putchar('\n');
}

static void print_info(const struct eph_device_info *info)
{
    bool simulated = info->features & EPH_FEATURE_SIMULATED;
    printf("device       %s%s\n", info->uri, simulated ? "  SIMULATED" : "");
    printf("transport    %s\n", info->transport);
    printf("interface    %u.%u\n", info->if_version >> 16, info->if_version & 0xffff);
    printf("build        %08x\n", info->build_id);
    printf("engines      %u\n", info->engines);
    printf("contexts     %u an engine\n", info->contexts);
    printf("queue        %u entries\n", info->queue_entries);
    print_names(info);
    printf("clock        %u kHz%s\n", info->clock_khz, simulated ? " (nominal)" : "");
    printf("self-test    %.3f ms%s\n", (double)info->selftest_ns / 1e6,
           simulated ? " (wall time of the simulation)" : "");
}

int eph_cmd_info(int argc, char **argv)
{
    static const struct option options[] = {EPH_TOOL_DEVICE_OPTION, EPH_TOOL_HELP_OPTION, {0}};
    const char *uri = NULL;
    int option;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case 'd':
            uri = optarg;
            break;
        case 'h':
            printf("%s%s", help, eph_tool_device_help);
            return EPH_EXIT_OK;
        default:
            return eph_tool_usage_error("info", "unknown option");
        }
    }
    if (optind < argc)
        return eph_tool_usage_error("info", "surplus argument");
    struct eph_tool_device tool;
    enum eph_exit result = eph_tool_open(&tool, uri);
    if (result != EPH_EXIT_OK)
        return (int)result;
    print_info(&tool.info);
    eph_tool_close(&tool);
    return EPH_EXIT_OK;
}
