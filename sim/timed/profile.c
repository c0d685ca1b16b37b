// SPDX-License-Identifier: Apache-2.0
#include "profile.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 256, MAX_CONTEXTS = 1024 };

struct reader {
    const char *path;
    unsigned line;
    char *message;
    size_t message_bytes;
};

__attribute__((format(printf, 2, 3))) static bool complain(const struct reader *reader, const char *format, ...)
{
    int length = reader->line == 0
                     ? snprintf(reader->message, reader->message_bytes, "%s: ", reader->path)
                     : snprintf(reader->message, reader->message_bytes, "%s:%u: ", reader->path, reader->line);
    va_list arguments;
    va_start(arguments, format);
    if (length >= 0 && (size_t)length < reader->message_bytes)
        (void)vsnprintf(reader->message + length, reader->message_bytes - (size_t)length, format, arguments);
    va_end(arguments);
    return false;
}

enum key { ENGINES, CLOCK_MHZ, CONTEXTS, DERIVE, KEYGEN, ROUND_TRIP, RATE, KEY_COUNT };

static const struct {
    const char *name;
    double min, max;
    bool fraction, needed;
} keys[KEY_COUNT] = {
    [ENGINES] = {"engines", 1, EPH_MAX_ENGINES, false, true},
    [CLOCK_MHZ] = {"clock_mhz", 0.001, 10000, true, true},
    [CONTEXTS] = {"contexts", 1, MAX_CONTEXTS, false, true},
    [DERIVE] = {"x25519.derive", 1, UINT32_MAX, false, false},
    [KEYGEN] = {"x25519.keygen", 1, UINT32_MAX, false, false},
    [ROUND_TRIP] = {"pcie_round_trip_ns", 0, 1e9, false, true},
    [RATE] = {"rate", INFINITY, INFINITY, false, false},
};

static char *trim(char *text)
{
    text += strspn(text, " \t\r\n");
    for (size_t length = strlen(text); length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL; length--)
        text[length - 1] = '\0';
    return text;
}

static bool read_value(const struct reader *reader, enum key key, const char *text, double *value)
{
    char *end;
    if (key == RATE) {
        if (strcmp(text, "infinite") != 0)
            return complain(reader, "rate '%s': only 'infinite'; leave it out for the rate that the cycles give", text);
        *value = INFINITY;
        return true;
    }
    *value = strtod(text, &end);
    if (end == text || *end != '\0' || !(*value >= keys[key].min && *value <= keys[key].max) ||
        (!keys[key].fraction && *value != floor(*value)))
        return complain(reader, "%s '%s': a%s number from %g to %.10g", keys[key].name, text,
                        keys[key].fraction ? "" : " whole", keys[key].min, keys[key].max);
    return true;
}

static bool read_line(const struct reader *reader, char *line, double values[KEY_COUNT], bool seen[KEY_COUNT])
{
    line[strcspn(line, "#")] = '\0';
    char *name = trim(line), *equals = strchr(name, '=');
    if (*name == '\0')
        return true;
    if (equals == NULL)
        return complain(reader, "'%s': 'key = value' expected", name);
    *equals = '\0';
    name = trim(name);
    for (enum key key = 0; key < KEY_COUNT; key++) {
        if (strcmp(name, keys[key].name) != 0)
            continue;
        if (seen[key])
            return complain(reader, "%s is given twice", name);
        seen[key] = true;
        return read_value(reader, key, trim(equals + 1), &values[key]);
    }
    return complain(reader,
                    "unknown key '%s' (engines, clock_mhz, contexts, x25519.derive, x25519.keygen, "
                    "pcie_round_trip_ns, rate)",
                    name);
}

static bool read_lines(struct reader *reader, FILE *file, double values[KEY_COUNT], bool seen[KEY_COUNT])
{
    char line[LINE_BYTES];
    while (fgets(line, sizeof line, file) != NULL) {
        reader->line++;
        if (strlen(line) == sizeof line - 1 && line[sizeof line - 2] != '\n')
            return complain(reader, "line of more than %u characters", LINE_BYTES - 2);
        if (!read_line(reader, line, values, seen))
            return false;
    }
    reader->line = 0;
    if (ferror(file))
        return complain(reader, "%s", strerror(errno));
    for (enum key key = 0; key < KEY_COUNT; key++)
        if (keys[key].needed && !seen[key])
            return complain(reader, "%s is missing", keys[key].name);
    if (!seen[DERIVE] && !seen[KEYGEN])
        return complain(reader, "no program: x25519.derive or x25519.keygen is missing");
    return true;
}

bool eph_profile_read(struct eph_profile *profile, const char *path, char *message, size_t message_bytes)
{
    struct reader reader = {.path = path, .message = message, .message_bytes = message_bytes};
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return complain(&reader, "%s", strerror(errno));
    double values[KEY_COUNT] = {0};
    bool seen[KEY_COUNT] = {false}, good = read_lines(&reader, file, values, seen);
    (void)fclose(file);
    if (!good)
        return false;
    *profile = (struct eph_profile){
        .engines = (uint32_t)values[ENGINES],
        .contexts = (uint32_t)values[CONTEXTS],
        .clock_khz = (uint32_t)lround(values[CLOCK_MHZ] * 1e3),
        .derive_cycles = (uint32_t)values[DERIVE],
        .keygen_cycles = (uint32_t)values[KEYGEN],
        .pcie_round_trip_ns = (uint64_t)values[ROUND_TRIP],
        .infinite_rate = seen[RATE],
    };
    return true;
}
