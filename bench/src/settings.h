// SPDX-License-Identifier: Apache-2.0
// What the user asked for. Strings are borrowed from the command line; NULL means the default that --help states.
#ifndef BENCH_SETTINGS_H
#define BENCH_SETTINGS_H

#include <stdbool.h>

enum command {
    COMMAND_ALL,
    COMMAND_HANDSHAKES,
    COMMAND_OPS,
    COMMAND_PROJECT,
    COMMAND_COMPARE,
    COMMAND_SHOW,
    COMMAND_HELP
};

struct settings {
    enum command command;
    bool quick, no_device, enforce;
    unsigned rounds;
    double slice_seconds; // of one configuration in one round
    double clock_mhz;     // of a part that was not routed
    unsigned engines, dsp_per_engine;
    const char *suites, *variants, *in_flight, *device, *module, *json, *html, *fpga;
    const char *compare[2]; // reports: of compare both, of show the first
};

static inline bool settings_handshakes(const struct settings *settings)
{
    return settings->command == COMMAND_ALL || settings->command == COMMAND_HANDSHAKES;
}

// False when the command line is wrong: a message is on stderr.
bool settings_parse(struct settings *settings, int argc, char **argv);
void settings_print_help(void);

#endif
