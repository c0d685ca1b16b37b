// SPDX-License-Identifier: Apache-2.0
#include "tool.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: ephemera selftest [--device URI]\n\n"
    "Has the device compute known answers and compares them. Exit code 0 only if all are right.\n\n";

struct known_answer {
    const char *name;
    enum eph_opcode opcode;
    const char *scalar, *peer;
    enum eph_wire_status status;
    const char *answer;
};

static const char alice_private[] = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
static const char alice_public[] = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
static const char bob_private[] = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
static const char bob_public[] = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
static const char shared[] = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";

// RFC 7748 §5.2 and §6.1; low-order points and u >= p as §5 and §6.1 want them.
static const struct known_answer known_answers[] = {
    {"derive, RFC 7748 5.2 first", EPH_OP_DERIVE, "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
     "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c", EPH_ST_OK,
     "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"},
    {"derive, RFC 7748 5.2 second (bit 255 set)", EPH_OP_DERIVE,
     "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
     "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493", EPH_ST_OK,
     "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"},
    {"keygen, RFC 7748 6.1 Alice", EPH_OP_KEYGEN, alice_private, NULL, EPH_ST_OK, alice_public},
    {"keygen, RFC 7748 6.1 Bob", EPH_OP_KEYGEN, bob_private, NULL, EPH_ST_OK, bob_public},
    {"derive, RFC 7748 6.1 Alice", EPH_OP_DERIVE, alice_private, bob_public, EPH_ST_OK, shared},
    {"derive, RFC 7748 6.1 Bob", EPH_OP_DERIVE, bob_private, alice_public, EPH_ST_OK, shared},
    {"derive, u = 0 refused", EPH_OP_DERIVE, bob_private,
     "0000000000000000000000000000000000000000000000000000000000000000", EPH_ST_ZERO, NULL},
    {"derive, u = p refused", EPH_OP_DERIVE, bob_private,
     "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", EPH_ST_ZERO, NULL},
};

static bool run_one(struct eph_tool_device *tool, const struct known_answer *known)
{
    uint8_t scalar[32], peer[32], answer[32], blind[EPH_SQE_BLIND_BYTES];
    struct eph_completion completion;
    if (!eph_tool_parse_hex(known->scalar, scalar, sizeof scalar) ||
        (known->peer && !eph_tool_parse_hex(known->peer, peer, sizeof peer)) ||
        (known->answer && !eph_tool_parse_hex(known->answer, answer, sizeof answer)) ||
        !eph_tool_random(blind, sizeof blind))
        return false;
    struct eph_request request = {.opcode = known->opcode,
                                  .curve = EPH_CURVE_X25519,
                                  .scalar = scalar,
                                  .peer_x = known->peer ? peer : NULL,
                                  .blind = blind};
    enum eph_status status = eph_exchange(tool->queue, &request, &completion);
    bool right = status == EPH_OK && completion.wire_status == known->status &&
                 (!known->answer || !memcmp(completion.result, answer, sizeof answer));
    const char *verdict = right ? "right" : status != EPH_OK ? eph_status_text(status) : "WRONG ANSWER";
    printf("%s%-14s%s %-42s", right ? eph_tool_green() : eph_tool_red(), verdict, eph_tool_plain(), known->name);
    if (status == EPH_OK)
        printf(" %u cycles", completion.cycles);
    putchar('\n');
    return right;
}

int eph_cmd_selftest(int argc, char **argv)
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
            return eph_tool_usage_error("selftest", "unknown option");
        }
    }
    if (optind < argc)
        return eph_tool_usage_error("selftest", "surplus argument");
    struct eph_tool_device tool;
    enum eph_exit result = eph_tool_open(&tool, uri);
    if (result != EPH_EXIT_OK)
        return (int)result;
    size_t count = sizeof known_answers / sizeof *known_answers, right = 0;
    for (size_t i = 0; i < count; i++)
        right += run_one(&tool, &known_answers[i]);
    printf("%zu of %zu right on %s%s\n", right, count, tool.info.uri,
           tool.info.features & EPH_FEATURE_SIMULATED ? " (SIMULATED)" : "");
    eph_tool_close(&tool);
    return right == count ? EPH_EXIT_OK : EPH_EXIT_FAILED;
}
