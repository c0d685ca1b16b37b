// SPDX-License-Identifier: Apache-2.0
#include "plan.h"

#include "paths.h"

#include <stdio.h>
#include <string.h>

enum { OPEN_LOOP_CAP = 1024 }; // connections under way in the open loop; arrivals beyond wait, and their wait counts

static const struct load_kind everything[] = {
    {1, 0}, {8, 0}, {64, 0}, {256, 0}, {OPEN_LOOP_CAP, 50}, {OPEN_LOOP_CAP, 80}, {OPEN_LOOP_CAP, 95}};
static const struct load_kind usual[] = {{1, 0}, {64, 0}, {256, 0}};

enum depth plan_depth(const struct settings *settings, const struct suite *suite)
{
    static const char *const often[] = {"TLS1.3/X25519/ECDSA-P256", "TLS1.3/P-256/ECDSA-P256",
                                        "TLS1.3/P-384/ECDSA-P256"};
    if (settings->quick)
        return DEPTH_QUICK;
    bool all = settings->suites != NULL;
    for (size_t i = 0; i < sizeof(often) / sizeof(often[0]); i++)
        all |= strcmp(suite->name, often[i]) == 0;
    return all ? DEPTH_EVERYTHING : DEPTH_USUAL;
}

static bool is_x25519(const struct suite *suite)
{
    return strcmp(suite->group->name, "X25519") == 0;
}

const char plan_load_names[] = "1, 8, 64, 256, open";

bool plan_load_known(const char *name)
{
    static const char *const names[] = {"1", "8", "64", "256", "open"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static size_t listed_loads(const char *list, struct load_kind loads[LOAD_MAX])
{
    size_t count = 0;
    char name[16];
    for (size_t i = 0; i < sizeof(everything) / sizeof(everything[0]); i++) {
        snprintf(name, sizeof(name), "%u", everything[i].in_flight);
        if (i == 0 || list_has(list, everything[i].utilisation_percent ? "open" : name))
            loads[count++] = everything[i];
    }
    return count;
}

size_t plan_loads(enum depth depth, const struct suite *suite, const char *list, struct load_kind loads[LOAD_MAX])
{
    if (list && depth != DEPTH_RESUMED)
        return listed_loads(list, loads);
    const struct load_kind *kinds = depth == DEPTH_EVERYTHING ? everything : usual;
    size_t count = depth == DEPTH_EVERYTHING                   ? sizeof(everything) / sizeof(everything[0])
                   : depth == DEPTH_RESUMED                    ? 1
                   : depth == DEPTH_QUICK || !is_x25519(suite) ? 2
                                                               : 3;
    memcpy(loads, kinds, count * sizeof(*loads));
    return count;
}

// The base of every gain is needed under every load.
static bool is_base(enum variant_id id)
{
    return id == VARIANT_PLAIN || id == VARIANT_PLAIN_AGAIN;
}

static bool is_async(enum variant_id id)
{
    return id == VARIANT_PLAIN_ASYNC || id == VARIANT_AUTO_ASYNC || id == VARIANT_AUTO_CALLBACK ||
           id == VARIANT_ALWAYS_ASYNC || id == VARIANT_AUTO_ASYNC_SLOW || id == VARIANT_AUTO_ASYNC_DEAD ||
           id == VARIANT_AUTO_ASYNC_INFINITE;
}

// Slow, dead and infinite devices are there for one question each; 1 and 64 in flight answer it.
static bool is_fast(enum variant_id id)
{
    return id < VARIANT_AUTO_SLOW;
}

static bool suitable(enum variant_id id, const struct suite *suite, bool served)
{
    switch (id) {
    case VARIANT_ALWAYS:
    case VARIANT_ALWAYS_ASYNC:
        return served;
    case VARIANT_AUTO_ASYNC_INFINITE:
        return strcmp(suite->name, "TLS1.3/X25519/ECDSA-P256") == 0;
    default:
        return true;
    }
}

bool plan_has(enum variant_id id, const struct suite *suite, enum depth depth, const struct load_kind *load,
              bool served)
{
    bool one = load->in_flight == 1, many = load->in_flight == 64;
    if (!suitable(id, suite, served))
        return false;
    if (is_base(id))
        return true;
    switch (depth) {
    case DEPTH_QUICK: // a synchronous server has one in flight for each thread, an asynchronous one has many
        return one != is_async(id);
    case DEPTH_RESUMED:
        return is_fast(id) && id != VARIANT_IDEAL && id != VARIANT_ALWAYS && id != VARIANT_ALWAYS_ASYNC;
    case DEPTH_USUAL:
        if (id == VARIANT_IDEAL || id == VARIANT_ALWAYS)
            return one;
        return one || many || (is_async(id) && is_fast(id));
    default:
        return is_fast(id) || one || many;
    }
}

bool plan_phases(enum variant_id id, enum depth depth, const struct load_kind *load)
{
    if (load->in_flight != 1)
        return false;
    return is_base(id) || (depth != DEPTH_RESUMED && (id == VARIANT_NEVER || id == VARIANT_AUTO));
}
