// SPDX-License-Identifier: Apache-2.0
#include "backend.h"

#include <errno.h>
#include <string.h>

const struct eph_backend *eph_backend_find(const char *name)
{
    if (strcmp(name, "model") == 0)
        return &eph_backend_model;
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
