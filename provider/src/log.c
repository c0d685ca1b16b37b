// SPDX-License-Identifier: Apache-2.0
#include "log.h"
#include "provider.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

void eph_log(const char *format, ...)
{
    char line[EPH_LOG_LINE_BYTES];
    int used = snprintf(line, sizeof line, "ephemera: ");
    va_list arguments;
    va_start(arguments, format);
    int wanted = vsnprintf(line + used, sizeof line - (size_t)used - 1, format, arguments);
    va_end(arguments);
    if (wanted < 0)
        return;
    int room = (int)sizeof line - used - 2;
    used += wanted < room ? wanted : room;
    line[used++] = '\n';
    if (write(STDERR_FILENO, line, (size_t)used) < 0)
        return; // nobody listens
}

void eph_log_cause(struct eph_provider *provider, enum eph_stats_cause cause, const char *detail)
{
    uint64_t bit = UINT64_C(1) << cause;
    if (atomic_fetch_or_explicit(&provider->logged, bit, memory_order_relaxed) & bit)
        return;
    eph_log("done in software instead: %s%s%s (logged once, counted as cause=\"%s\")", eph_stats_cause_text[cause],
            detail[0] ? ": " : "", detail, eph_stats_cause_name[cause]);
}

void eph_log_driver(void *context, enum eph_log_level level, const char *message)
{
    const struct eph_provider *provider = context;
    if (level == EPH_LOG_INFO)
        return;
    if (provider->driver_line != NULL)
        snprintf(provider->driver_line, EPH_LOG_LINE_BYTES, "%s", message);
    else
        eph_log("%s", message);
}
