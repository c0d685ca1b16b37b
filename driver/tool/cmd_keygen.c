// SPDX-License-Identifier: Apache-2.0
#include "tool.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: ephemera keygen [options]\n\n"
    "Without a key: makes a random private scalar (getrandom) and prints \"private HEX\" and \"public HEX\".\n"
    "With one: prints \"public HEX\" of it. Hexadecimal, byte order of the curve's standard (X25519: RFC 7748).\n\n"
    "  --curve NAME   x25519 (default)\n"
    "  --key FILE     private scalar in hexadecimal; - is standard input\n"
    "  --key-hex HEX  the same on the command line, where other users of the machine can read it: for test keys\n"
    "  --cycles       print \"cycles N\", the device's own count, as well\n";

struct keygen_arguments {
    const char *uri;
    enum eph_curve curve;
    struct eph_tool_key key;
    bool cycles;
};

static int generate(const struct keygen_arguments *arguments)
{
    uint8_t scalar[72];
    uint32_t bytes = eph_tool_curve_bytes(arguments->curve);
    bool given = arguments->key.file || arguments->key.hex;
    if (given ? !eph_tool_read_key(&arguments->key, scalar, bytes) : !eph_tool_random(scalar, bytes))
        return given ? EPH_EXIT_USAGE : EPH_EXIT_FAILED;
    struct eph_tool_device tool;
    struct eph_completion completion;
    enum eph_exit result = eph_tool_open(&tool, arguments->uri);
    if (result == EPH_EXIT_OK) {
        struct eph_request request = {.opcode = EPH_OP_KEYGEN, .curve = arguments->curve, .scalar = scalar};
        result = eph_tool_operation(&tool, &request, &completion);
        if (result == EPH_EXIT_OK) {
            if (!given)
                eph_tool_print_hex("private", scalar, bytes);
            eph_tool_print_hex("public", completion.result, bytes);
            if (arguments->cycles)
                printf("cycles %u\n", completion.cycles);
        }
        eph_tool_close(&tool);
    }
    explicit_bzero(scalar, sizeof scalar);
    return (int)result;
}

int eph_cmd_keygen(int argc, char **argv)
{
    static const struct option options[] = {EPH_TOOL_DEVICE_OPTION,
                                            {"curve", required_argument, NULL, 'c'},
                                            {"key", required_argument, NULL, 'k'},
                                            {"key-hex", required_argument, NULL, 'x'},
                                            {"cycles", no_argument, NULL, 'n'},
                                            EPH_TOOL_HELP_OPTION,
                                            {0}};
    struct keygen_arguments arguments = {.curve = EPH_CURVE_X25519};
    int option;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case 'd':
            arguments.uri = optarg;
            break;
        case 'c':
            if (!eph_tool_curve(optarg, &arguments.curve))
                return EPH_EXIT_USAGE;
            break;
        case 'k':
            arguments.key.file = optarg;
            break;
        case 'x':
            arguments.key.hex = optarg;
            break;
        case 'n':
            arguments.cycles = true;
            break;
        case 'h':
            printf("%s%s", help, eph_tool_device_help);
            return EPH_EXIT_OK;
        default:
            return eph_tool_usage_error("keygen", "unknown option");
        }
    }
    if (optind < argc)
        return eph_tool_usage_error("keygen", "surplus argument");
    return generate(&arguments);
}
