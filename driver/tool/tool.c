// SPDX-License-Identifier: Apache-2.0
#include "tool.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

const char eph_tool_device_help[] =
    "  --device URI   sim (default: embedded RTL simulation), sim:model, socket:PATH, pci, pci:BDF;\n"
    "                 EPHEMERA_DEVICE sets the default\n";

int eph_tool_usage_error(const char *command, const char *problem)
{
    fprintf(stderr, "ephemera %s: %s; see ephemera %s --help\n", command, problem, command);
    return EPH_EXIT_USAGE;
}

static void log_to_stderr(void *context, enum eph_log_level level, const char *message)
{
    (void)context;
    if (level != EPH_LOG_INFO)
        fprintf(stderr, "ephemera: %s\n", message);
}

static enum eph_exit exit_code_of(enum eph_status status)
{
    switch (status) {
    case EPH_OK:
        return EPH_EXIT_OK;
    case EPH_E_INVALID:
        return EPH_EXIT_USAGE;
    case EPH_E_NO_DEVICE:
    case EPH_E_PERMISSION:
    case EPH_E_GONE:
        return EPH_EXIT_NO_DEVICE;
    default:
        return EPH_EXIT_FAILED;
    }
}

enum eph_exit eph_tool_open(struct eph_tool_device *tool, const char *uri)
{
    memset(tool, 0, sizeof *tool);
    if (!uri)
        uri = getenv("EPHEMERA_DEVICE");
    if (!uri || !*uri)
        uri = "sim";
    struct eph_options options = {.log = log_to_stderr};
    enum eph_status status = eph_device_open(&tool->device, uri, &options);
    if (status == EPH_OK)
        status = eph_queue_open(tool->device, &tool->queue);
    if (status == EPH_OK)
        status = eph_device_info(tool->queue, &tool->info);
    if (status != EPH_OK) {
        eph_tool_close(tool);
        return exit_code_of(status);
    }
    if (tool->info.features & EPH_FEATURE_SIMULATED)
        fprintf(stderr, "SIMULATED device (%s): its timing says nothing about hardware\n", tool->info.uri);
    return EPH_EXIT_OK;
}

void eph_tool_close(struct eph_tool_device *tool)
{
    eph_queue_close(tool->queue);
    eph_device_close(tool->device);
    memset(tool, 0, sizeof *tool);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool eph_tool_parse_hex(const char *text, uint8_t *out, size_t bytes)
{
    while (isspace((unsigned char)*text))
        text++;
    for (size_t i = 0; i < bytes; i++) {
        int high = hex_digit(text[2 * i]), low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);
        if (low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    text += 2 * bytes;
    while (isspace((unsigned char)*text))
        text++;
    return !*text;
}

bool eph_tool_read_key(const struct eph_tool_key *key, uint8_t *secret, size_t bytes)
{
    char text[256] = "";
    bool valid = false;
    if (key->hex) {
        valid = eph_tool_parse_hex(key->hex, secret, bytes);
    } else {
        bool from_stdin = !strcmp(key->file, "-");
        FILE *file = from_stdin ? stdin : fopen(key->file, "re");
        if (!file) {
            fprintf(stderr, "ephemera: %s: %s\n", key->file, strerror(errno));
            return false;
        }
        setvbuf(file, NULL, _IONBF, 0); // no copy of the key in a stdio buffer
        size_t got = fread(text, 1, sizeof text - 1, file);
        if (!from_stdin)
            fclose(file);
        text[got] = 0;
        valid = got < sizeof text - 1 && eph_tool_parse_hex(text, secret, bytes);
    }
    explicit_bzero(text, sizeof text);
    if (!valid)
        fprintf(stderr, "ephemera: the private scalar must be exactly %zu hexadecimal digits\n", 2 * bytes);
    return valid;
}

void eph_tool_print_hex(const char *label, const uint8_t *data, size_t bytes)
{
    if (label)
        printf("%s ", label);
    for (size_t i = 0; i < bytes; i++)
        printf("%02x", data[i]);
    putchar('\n');
}

bool eph_tool_random(uint8_t *out, size_t bytes)
{
    // Up to 256 bytes come whole, also when a signal arrives (getrandom(2)).
    if (getrandom(out, bytes, 0) == (ssize_t)bytes)
        return true;
    fprintf(stderr, "ephemera: no random bytes: %s\n", strerror(errno));
    return false;
}

static const struct {
    enum eph_curve curve;
    uint32_t bytes;
    const char *name;
} curves[] = {
#define EPH_CURVE(name, value, bytes, text) {EPH_CURVE_##name, bytes, text},
#include <isa.def>
};

bool eph_tool_curve(const char *name, enum eph_curve *curve)
{
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
        if (!strcmp(curves[i].name, name)) {
            *curve = curves[i].curve;
            return true;
        }
    fprintf(stderr, "ephemera: no curve \"%s\"; there are:", name);
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
        fprintf(stderr, " %s", curves[i].name);
    fputc('\n', stderr);
    return false;
}

uint32_t eph_tool_curve_bytes(enum eph_curve curve)
{
    return curves[curve - 1].bytes;
}

const char *eph_tool_curve_name(enum eph_curve curve)
{
    return curves[curve - 1].name;
}

enum eph_exit eph_tool_operation(struct eph_tool_device *tool, struct eph_request *request,
                                 struct eph_completion *completion)
{
    uint8_t blind[EPH_SQE_BLIND_BYTES];
    if (!eph_tool_random(blind, sizeof blind))
        return EPH_EXIT_FAILED;
    request->blind = blind;
    enum eph_status status = eph_exchange(tool->queue, request, completion);
    explicit_bzero(blind, sizeof blind);
    request->blind = NULL;
    if (status != EPH_OK) {
        fprintf(stderr, "ephemera: %s: %s\n", tool->info.uri, eph_status_text(status));
        return status == EPH_E_INVALID ? EPH_EXIT_FAILED : exit_code_of(status);
    }
    if (completion->wire_status != EPH_ST_OK) {
        fprintf(stderr, "ephemera: the device refused: %s\n", eph_wire_status_text(completion->wire_status));
        return EPH_EXIT_FAILED;
    }
    return EPH_EXIT_OK;
}

static const char *colour(const char *sequence)
{
    static int coloured = -1;
    if (coloured < 0)
        coloured = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    return coloured ? sequence : "";
}

const char *eph_tool_green(void)
{
    return colour("\x1b[32m");
}

const char *eph_tool_red(void)
{
    return colour("\x1b[31m");
}

const char *eph_tool_plain(void)
{
    return colour("\x1b[0m");
}
