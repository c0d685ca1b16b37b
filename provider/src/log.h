// SPDX-License-Identifier: Apache-2.0
// Lines for the operator, on standard error: configuration mistakes, and the first time that a fallback happens for
// each cause.
#ifndef EPH_LOG_H
#define EPH_LOG_H

#include <ephemera/ephemera.h>
#include <ephemera/stats.h>

struct eph_provider;

enum { EPH_LOG_LINE_BYTES = 512 };

// One line "ephemera: ...", one write.
void eph_log(const char *format, ...) __attribute__((cold, format(printf, 1, 2)));

// Logs the first fallback of this cause; later ones are only counted. detail may be "".
void eph_log_cause(struct eph_provider *provider, enum eph_stats_cause cause, const char *detail) __attribute__((cold));

// For eph_options.log, with the provider as context: prints, or leaves the line in provider->driver_line while that is
// set.
void eph_log_driver(void *context, enum eph_log_level level, const char *message);

#endif
