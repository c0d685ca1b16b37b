// SPDX-License-Identifier: Apache-2.0
// Errors that an application may see in OpenSSL's error queue: the codes of the default provider, with a detail of
// ours. (No reason strings of our own: to forget those, libcrypto 3.0 takes a lock that is gone when a key outlives
// OPENSSL_cleanup.) Device faults are not among them: they are answered in software and counted (stats.h), since an
// error left behind by a call that succeeded confuses applications.
#ifndef EPH_ERRORS_H
#define EPH_ERRORS_H

#include <openssl/core.h>

struct eph_provider;

enum eph_reason {
    EPH_R_MISSING_KEY = 1,
    EPH_R_WRONG_LENGTH,
    EPH_R_BUFFER_TOO_SMALL,
    EPH_R_ZERO_RESULT,
    EPH_R_NO_RANDOMNESS,
    EPH_R_SOFTWARE_FAILED,
    EPH_R_WRONG_PARAMETER,
    EPH_R_CONFIGURATION,
    EPH_R_NO_MEMORY,
    EPH_R_POINT_RANGE,
    EPH_R_OFF_CURVE,
};

// Adds reason with a formatted detail to the error queue of this thread. Always returns 0, so that callbacks can return
// it.
int eph_raise(const struct eph_provider *provider, enum eph_reason reason, const char *file, int line,
              const char *format, ...) __attribute__((cold, format(printf, 5, 6)));

#define EPH_RAISE(provider, reason, ...) eph_raise(provider, reason, __FILE_NAME__, __LINE__, __VA_ARGS__)

#ifndef __FILE_NAME__
#define __FILE_NAME__ __FILE__
#endif

#endif
