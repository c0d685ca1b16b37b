// SPDX-License-Identifier: Apache-2.0
#include "collect.h"
#include "tool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char help[] =
    "usage: ephemera stats DIR\n"
    "       ephemera stats FILE\n\n"
    "Prints the provider's counters as OpenMetrics text. DIR: the directory that `stats` (or EPHEMERA_STATS)\n"
    "names in the provider's section of openssl.cnf; all processes are summed, and files of dead ones are folded\n"
    "into one where permissions allow. FILE: the text that a single process wrote, printed as it is.\n";

static int print_file(const char *path)
{
    char buffer[4096];
    static const char start[] = "# TYPE ephemera_";
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fprintf(stderr, "ephemera stats: %s: %s\n", path, strerror(errno));
        return EPH_EXIT_FAILED;
    }
    size_t bytes = fread(buffer, 1, sizeof buffer, file);
    bool ours = bytes >= sizeof start && memcmp(buffer, start, sizeof start - 1) == 0;
    if (!ours)
        fprintf(stderr, "ephemera stats: %s: neither a directory nor statistics of the provider\n", path);
    for (; ours && bytes > 0; bytes = fread(buffer, 1, sizeof buffer, file))
        fwrite(buffer, 1, bytes, stdout);
    fclose(file);
    return ours ? EPH_EXIT_OK : EPH_EXIT_FAILED;
}

int eph_cmd_stats(int argc, char **argv)
{
    static const struct option options[] = {EPH_TOOL_HELP_OPTION, {0}};
    int option;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option != 'h')
            return eph_tool_usage_error("stats", "unknown option");
        fputs(help, stdout);
        return EPH_EXIT_OK;
    }
    if (optind + 1 != argc)
        return eph_tool_usage_error("stats", "one directory or file expected");
    const char *path = argv[optind];
    struct stat status;
    if (stat(path, &status) == 0 && !S_ISDIR(status.st_mode))
        return print_file(path);
    struct eph_collected collected;
    if (!eph_collect(path, &collected)) {
        fprintf(stderr, "ephemera stats: %s: %s\n", path, strerror(errno));
        return EPH_EXIT_FAILED;
    }
    eph_stats_print(stdout, &collected.counters);
    return EPH_EXIT_OK;
}
