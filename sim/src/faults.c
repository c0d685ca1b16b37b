// SPDX-License-Identifier: Apache-2.0
#include "faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *text;
} faults[EPH_FAULT_COUNT] = {
    [EPH_FAULT_NONE] = {"none", "none"},
    [EPH_FAULT_LOST] = {"lost", "lost completion"},
    [EPH_FAULT_LATE] = {"late", "late completion"},
    [EPH_FAULT_DUPLICATE] = {"dup", "duplicate completion (replaces the next one)"},
    [EPH_FAULT_CORRUPT] = {"corrupt", "corrupt result"},
    [EPH_FAULT_CHECK] = {"check", "scalar damaged inside the device (status CHECK)"},
    [EPH_FAULT_WRONG_TAG] = {"wrongtag", "wrong tag"},
    [EPH_FAULT_WRONG_GENERATION] = {"wronggen", "wrong generation"},
    [EPH_FAULT_HANG] = {"hang", "hang until reset"},
    [EPH_FAULT_FATAL] = {"fatal", "fatal until reset"},
    [EPH_FAULT_ALL_ONES] = {"allones", "surprise removal: every read gives all ones"},
};

const char eph_fault_help[] =
    "  NAME=1/N  each completion with probability 1/N    NAME@N  once, at the Nth completion\n"
    "  lost  late (late=1/N:MSms)  dup (replaces the next completion)  corrupt  check  wrongtag  wronggen\n"
    "  hang  fatal  allones          seed=N: another sequence. Separate several by commas.\n";

enum { NS_PER_MS = 1000000, DEFAULT_LATE_MS = 5, MAX_LATE_MS = 60000 };

const char *eph_fault_text(enum eph_fault fault)
{
    return faults[fault].text;
}

static enum eph_fault find(const char *name, size_t length)
{
    for (unsigned f = EPH_FAULT_LOST; f < EPH_FAULT_COUNT; f++)
        if (strlen(faults[f].name) == length && memcmp(faults[f].name, name, length) == 0)
            return f;
    return EPH_FAULT_NONE;
}

static bool number(const char **text, uint64_t max, uint64_t *value)
{
    if (**text < '0' || **text > '9')
        return false;
    char *end;
    *value = strtoull(*text, &end, 10);
    *text = end;
    return *value >= 1 && *value <= max;
}

static bool skip(const char **text, const char *prefix)
{
    size_t length = strlen(prefix);
    if (strncmp(*text, prefix, length) != 0)
        return false;
    *text += length;
    return true;
}

static bool parse_item(struct eph_fault_plan *plan, const char *item)
{
    const char *text = item + strcspn(item, "=@");
    size_t length = (size_t)(text - item);
    uint64_t value;
    if (length == 4 && strncmp(item, "seed=", 5) == 0) {
        text++;
        return number(&text, UINT64_MAX, &plan->random) && *text == '\0';
    }
    enum eph_fault fault = find(item, length);
    if (fault == EPH_FAULT_NONE)
        return false;
    if (skip(&text, "@")) {
        if (!number(&text, UINT64_MAX, &plan->at[fault]))
            return false;
    } else {
        if (!skip(&text, "=1/") || !number(&text, UINT32_MAX, &value))
            return false;
        plan->one_in[fault] = (uint32_t)value;
    }
    if (fault == EPH_FAULT_LATE && skip(&text, ":")) {
        if (!number(&text, MAX_LATE_MS, &value) || !skip(&text, "ms"))
            return false;
        plan->late_ns = value * NS_PER_MS;
    }
    return *text == '\0';
}

bool eph_fault_parse(struct eph_fault_plan *plan, const char *specification, char *message, size_t message_bytes)
{
    *plan = (struct eph_fault_plan){.late_ns = (uint64_t)DEFAULT_LATE_MS * NS_PER_MS, .random = 1};
    char *copy = strdup(specification == NULL ? "" : specification), *rest = copy;
    bool good = copy != NULL;
    for (char *item; good && (item = strsep(&rest, ",")) != NULL;) {
        if (*item == '\0')
            continue;
        good = parse_item(plan, item);
        if (!good)
            (void)snprintf(
                message, message_bytes,
                "fault '%.40s' not understood: NAME=1/N or NAME@N with NAME one of lost, late (late=1/N:5ms), dup, "
                "corrupt, check, wrongtag, wronggen, hang, fatal, allones; or seed=N",
                item);
    }
    free(copy);
    return good;
}

bool eph_fault_active(const struct eph_fault_plan *plan)
{
    for (unsigned f = EPH_FAULT_LOST; f < EPH_FAULT_COUNT; f++)
        if (plan->one_in[f] != 0 || plan->at[f] != 0)
            return true;
    return false;
}

static uint64_t next_random(struct eph_fault_plan *plan) // xorshift64*: not for secrets
{
    plan->random ^= plan->random >> 12;
    plan->random ^= plan->random << 25;
    plan->random ^= plan->random >> 27;
    return (plan->random * UINT64_C(0x2545f4914f6cdd1d)) >> 16;
}

enum eph_fault eph_fault_next(struct eph_fault_plan *plan)
{
    plan->completions++;
    enum eph_fault chosen = EPH_FAULT_NONE;
    for (unsigned f = EPH_FAULT_LOST; f < EPH_FAULT_COUNT && chosen == EPH_FAULT_NONE; f++)
        if (plan->at[f] == plan->completions || (plan->one_in[f] != 0 && next_random(plan) % plan->one_in[f] == 0))
            chosen = f;
    plan->injected[chosen]++;
    return chosen;
}

void eph_fault_apply(struct eph_fault_plan *plan, enum eph_fault fault, struct eph_cqe *cqe)
{
    if (fault == EPH_FAULT_CORRUPT) {
        cqe->result[next_random(plan) % EPH_CURVE_BYTES_X25519] ^= (uint8_t)(1u << next_random(plan) % 8);
    } else if (fault == EPH_FAULT_CHECK) { // what a device says that has noticed it (rtl/README.md)
        cqe->status = EPH_ST_CHECK;
        memset(cqe->result, 0, sizeof cqe->result);
    } else if (fault == EPH_FAULT_WRONG_TAG) {
        cqe->tag ^= UINT32_C(1) << next_random(plan) % 32;
    } else if (fault == EPH_FAULT_WRONG_GENERATION) {
        cqe->generation ^= UINT64_C(1) << next_random(plan) % 64;
    }
}
