// SPDX-License-Identifier: Apache-2.0
// The `ephemera` command: one file a subcommand, what they share in tool.c.
#ifndef EPH_TOOL_H
#define EPH_TOOL_H

#include <ephemera/ephemera.h>
#include <getopt.h>
#include <stdbool.h>

enum eph_exit { EPH_EXIT_OK = 0, EPH_EXIT_FAILED = 1, EPH_EXIT_USAGE = 2, EPH_EXIT_NO_DEVICE = 3 };

// Subcommands: argv[0] is the subcommand's name; the result is an enum eph_exit.
int eph_cmd_list(int argc, char **argv);
int eph_cmd_info(int argc, char **argv);
int eph_cmd_selftest(int argc, char **argv);
int eph_cmd_keygen(int argc, char **argv);
int eph_cmd_derive(int argc, char **argv);
int eph_cmd_stats(int argc, char **argv);
int eph_cmd_check(int argc, char **argv);

// Options that several subcommands share: for getopt_long tables and for --help.
#define EPH_TOOL_DEVICE_OPTION                                                                                         \
    {                                                                                                                  \
        "device", required_argument, NULL, 'd'                                                                         \
    }
#define EPH_TOOL_HELP_OPTION                                                                                           \
    {                                                                                                                  \
        "help", no_argument, NULL, 'h'                                                                                 \
    }
extern const char eph_tool_device_help[];

// What an unknown option or a surplus argument answers.
int eph_tool_usage_error(const char *command, const char *problem);

// A device with an open queue. uri NULL: EPHEMERA_DEVICE, else "sim". Says on stderr what went wrong, and SIMULATED
// when it is.
struct eph_tool_device {
    struct eph_device *device;
    struct eph_queue *queue;
    struct eph_device_info info;
};
EPH_MUST_CHECK enum eph_exit eph_tool_open(struct eph_tool_device *tool, const char *uri);
void eph_tool_close(struct eph_tool_device *tool);

// Where a private scalar comes from. Neither: nowhere.
struct eph_tool_key {
    const char *file; // "-": standard input
    const char *hex;  // from the command line
};
// bytes of hexadecimal, white space around them allowed. Says on stderr what is wrong.
EPH_MUST_CHECK bool eph_tool_read_key(const struct eph_tool_key *key, uint8_t *secret, size_t bytes);
EPH_MUST_CHECK bool eph_tool_parse_hex(const char *text, uint8_t *out, size_t bytes);
void eph_tool_print_hex(const char *label, const uint8_t *data, size_t bytes); // label NULL: none
EPH_MUST_CHECK bool eph_tool_random(uint8_t *out, size_t bytes);
EPH_MUST_CHECK bool eph_tool_curve(const char *name, enum eph_curve *curve);
uint32_t eph_tool_curve_bytes(enum eph_curve curve);
const char *eph_tool_curve_name(enum eph_curve curve);

// One operation with a fresh random blind. Says on stderr why it failed; *completion is valid on EPH_EXIT_OK, which
// means that the device answered and its answer is a result.
EPH_MUST_CHECK enum eph_exit eph_tool_operation(struct eph_tool_device *tool, struct eph_request *request,
                                                struct eph_completion *completion);

// ANSI sequences, empty when stdout is no terminal or NO_COLOR is set.
const char *eph_tool_green(void);
const char *eph_tool_red(void);
const char *eph_tool_plain(void);

#endif
