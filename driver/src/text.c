// SPDX-License-Identifier: Apache-2.0
// Names of status codes for people.
#include <ephemera/ephemera.h>

const char *eph_status_text(enum eph_status status)
{
    static const char *const text[] = {
        [EPH_OK] = "ok",
        [EPH_E_INVALID] = "invalid argument",
        [EPH_E_UNSUPPORTED] = "not supported by this device or version",
        [EPH_E_NO_DEVICE] = "no device",
        [EPH_E_PERMISSION] = "permission denied",
        [EPH_E_PROTOCOL] = "the other side does not speak our protocol",
        [EPH_E_NO_MEMORY] = "out of memory",
        [EPH_E_FULL] = "queue full",
        [EPH_E_TIMEOUT] = "deadline passed",
        [EPH_E_GONE] = "device gone",
        [EPH_E_BROKEN] = "device taken out of service after failures",
        [EPH_E_FORKED] = "queue belongs to another process",
        [EPH_E_AGAIN] = "nothing yet",
    };
    return (unsigned)status < sizeof text / sizeof *text ? text[status] : "unknown status";
}

const char *eph_wire_status_text(enum eph_wire_status status)
{
    switch (status) {
#define EPH_STATUS(name, value, text)                                                                                  \
    case EPH_ST_##name:                                                                                                \
        return text;
#include <isa.def>
    }
    return "unknown completion status";
}
