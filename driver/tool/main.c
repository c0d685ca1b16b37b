// SPDX-License-Identifier: Apache-2.0
// ephemera: what a person does with a device from a shell.
#include "tool.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"list", eph_cmd_list, "cards of ours in this machine"},
    {"info", eph_cmd_info, "what a device is and can do"},
    {"selftest", eph_cmd_selftest, "known answers, computed by the device"},
    {"keygen", eph_cmd_keygen, "public key of a random or given private scalar"},
    {"derive", eph_cmd_derive, "shared secret of a private scalar and a peer's public key"},
    {"stats", eph_cmd_stats, "counters that the provider left in a directory or file"},
    {"check", eph_cmd_check, "does a TLS handshake on this machine reach the device?"},
};

static void print_help(FILE *out)
{
    fputs("usage: ephemera COMMAND [options]\n\n", out);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
    fputs("\nephemera COMMAND --help tells more. Exit code: 0 done, 1 failed, 2 wrong usage, 3 no device.\n", out);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EPH_EXIT_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        print_help(stdout);
        return EPH_EXIT_OK;
    }
    if (!strcmp(argv[1], "--version")) {
        puts("ephemera " EPH_VERSION);
        return EPH_EXIT_OK;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(argv[1], commands[i].name))
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "ephemera: no command \"%s\"; see ephemera --help\n", argv[1]);
    return EPH_EXIT_USAGE;
}
