// SPDX-License-Identifier: Apache-2.0
#include "backend.h"

#include <errno.h>
#include <string.h>

static const struct eph_backend *timed_backend;

void eph_backend_register(const struct eph_backend *timed)
{
    timed_backend = timed;
}

const struct eph_backend *eph_backend_find(const char *name)
{
    if (strcmp(name, "model") == 0)
        return &eph_backend_model;
    if (strcmp(name, "timed") == 0) {
        if (timed_backend == NULL)
            errno = ENOTSUP;
        return timed_backend;
    }
    if (strcmp(name, "rtl") == 0) {
#ifdef EPH_RTL_SIM
        return &eph_backend_rtl;
#else
        errno = ENOTSUP;
        return NULL;
#endif
    }
    errno = EINVAL;
    return NULL;
}
