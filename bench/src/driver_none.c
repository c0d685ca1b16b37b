// SPDX-License-Identifier: Apache-2.0
// In place of driver_backend.c where the driver is not part of the build.
#include "operation.h"

#include <stdio.h>

static const char none[] = "this build has no driver";

static void *none_open(const void *where, const struct group *group, enum operation operation, unsigned in_flight,
                       char reason[200])
{
    (void)where;
    (void)group;
    (void)operation;
    (void)in_flight;
    snprintf(reason, 200, "%s", none);
    return NULL;
}

static bool none_run(void *state, double seconds, struct operation_slice *slice)
{
    (void)state;
    (void)seconds;
    snprintf(slice->failure, sizeof(slice->failure), "%s", none);
    return false;
}

static void none_close(void *state)
{
    (void)state;
}

const struct operation_backend driver_backend = {none_open, none_run, none_close};

bool driver_count_cycles(const char *uri, const struct group *group, struct device_cycles *cycles, char reason[200])
{
    (void)uri;
    (void)group;
    (void)cycles;
    snprintf(reason, 200, "%s", none);
    return false;
}

bool driver_serves(const char *uri, const struct group *group)
{
    (void)uri;
    (void)group;
    return false;
}
