// SPDX-License-Identifier: Apache-2.0
#include "tool.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: ephemera derive --peer HEX [options]\n\n"
    "Prints the shared secret in hexadecimal. The private scalar comes from standard input unless --key or --key-hex "
    "is given:\n"
    "  ephemera derive --peer $(cat peer.hex) < private.hex\n"
    "A peer's point of low order gives no secret: exit code 1.\n\n"
    "  --peer HEX     the peer's public key\n"
    "  --curve NAME   x25519 (default)\n"
    "  --key FILE     private scalar in hexadecimal; - is standard input\n"
    "  --key-hex HEX  the same on the command line, where other users of the machine can read it: for test keys\n"
    "  --cycles       print \"cycles N\", the device's own count, as well\n";

struct derive_arguments {
    const char *uri, *peer;
    enum eph_curve curve;
    struct eph_tool_key key;
    bool cycles;
};

static int derive(const struct derive_arguments *arguments)
{
    uint8_t scalar[72], peer[72];
    uint32_t bytes = eph_tool_curve_bytes(arguments->curve);
    if (!eph_tool_parse_hex(arguments->peer, peer, bytes)) {
        fprintf(stderr, "ephemera derive: --peer must be exactly %u hexadecimal digits\n", 2 * bytes);
        return EPH_EXIT_USAGE;
    }
    if (!eph_tool_read_key(&arguments->key, scalar, bytes))
        return EPH_EXIT_USAGE;
    struct eph_tool_device tool;
    struct eph_completion completion = {0};
    enum eph_exit result = eph_tool_open(&tool, arguments->uri);
    if (result == EPH_EXIT_OK) {
        struct eph_request request = {
            .opcode = EPH_OP_DERIVE, .curve = arguments->curve, .scalar = scalar, .peer_x = peer};
        result = eph_tool_operation(&tool, &request, &completion);
        if (result == EPH_EXIT_OK) {
            eph_tool_print_hex(NULL, completion.result, bytes);
            if (arguments->cycles)
                printf("cycles %u\n", completion.cycles);
        }
        eph_tool_close(&tool);
    }
    explicit_bzero(scalar, sizeof scalar);
    explicit_bzero(&completion, sizeof completion);
    return (int)result;
}

int eph_cmd_derive(int argc, char **argv)
{
    static const struct option options[] = {EPH_TOOL_DEVICE_OPTION,
                                            {"peer", required_argument, NULL, 'p'},
                                            {"curve", required_argument, NULL, 'c'},
                                            {"key", required_argument, NULL, 'k'},
                                            {"key-hex", required_argument, NULL, 'x'},
                                            {"cycles", no_argument, NULL, 'n'},
                                            EPH_TOOL_HELP_OPTION,
                                            {0}};
    struct derive_arguments arguments = {.curve = EPH_CURVE_X25519, .key.file = "-"};
    int option;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case 'd':
            arguments.uri = optarg;
            break;
        case 'p':
            arguments.peer = optarg;
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
            return eph_tool_usage_error("derive", "unknown option");
        }
    }
    if (optind < argc)
        return eph_tool_usage_error("derive", "surplus argument");
    if (!arguments.peer)
        return eph_tool_usage_error("derive", "--peer is missing");
    return derive(&arguments);
}
