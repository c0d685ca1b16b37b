// SPDX-License-Identifier: Apache-2.0
// One kind of operation on one back end, measured in slices.
#ifndef BENCH_OPERATION_H
#define BENCH_OPERATION_H

#include "stats.h"
#include "suites.h"

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

enum operation { OPERATION_KEYGEN, OPERATION_DERIVE, OPERATION_COUNT };
extern const char *const operation_names[OPERATION_COUNT];

struct operation_slice {
    uint64_t done, cpu_ns, wall_ns; // cpu: all threads of this process
    uint64_t pauses;                // times that a job waited for the device
    struct samples latency_us;      // one an operation; owned by the caller, appended to
    char failure[200];              // empty, or why it did not work
};

// A back end. open: prepares keys; NULL with a reason when it can not be had here. All releases accept NULL.
struct operation_backend {
    void *(*open)(const void *where, const struct group *group, enum operation operation, unsigned in_flight,
                  char reason[200]);
    bool (*run)(void *state, double seconds, struct operation_slice *slice);
    void (*close)(void *state);
};

// libcrypto's EVP in one library context (where: an OSSL_LIB_CTX). One in flight: plain calls. More: as many
// ASYNC_JOBs, each with a context of its own, their descriptors in an epoll set. evp_job_backend: a job even for one.
extern const struct operation_backend evp_backend, evp_job_backend;
// Intel crypto_mb by dlopen (where: NULL): one call computes 8.
extern const struct operation_backend crypto_mb_backend;
// The public driver API (where: struct driver_place).
struct driver_place {
    const char *uri;
    bool events; // wait on eph_queue_fd; else poll now and then (the sleep between is not counted)
};
extern const struct operation_backend driver_backend;

// Does the device at uri compute for this group?
bool driver_serves(const char *uri, const struct group *group);

// Cycles of one operation, counted by the device at uri (an embedded simulation). False with a reason when it can not
// say.
struct device_cycles {
    uint32_t keygen, derive; // of one request in its context, load and unload included
    uint32_t contexts, engines;
};
bool driver_count_cycles(const char *uri, const struct group *group, struct device_cycles *cycles, char reason[200]);

#endif
