// SPDX-License-Identifier: Apache-2.0
// The configurations that are compared. Each has a library context of its own, so that several live in one process and
// can take turns within a round: what the machine does meanwhile hits them all alike.
#ifndef BENCH_VARIANTS_H
#define BENCH_VARIANTS_H

#include "devices.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

enum variant_id {
    VARIANT_PLAIN,       // stock OpenSSL: the A of the A/A pair and the base of every gain
    VARIANT_PLAIN_AGAIN, // the same once more: the second A
    VARIANT_PLAIN_ASYNC, // stock with SSL_MODE_ASYNC
    VARIANT_IDEAL,       // stock with an imitated device that costs nothing: what Amdahl's limit looks like when run
    VARIANT_NEVER,       // our provider, offload=never: software only
    VARIANT_AUTO,        // our provider, offload=auto
    VARIANT_AUTO_ASYNC,
    VARIANT_AUTO_CALLBACK, // as above, told of answers by SSL_set_async_callback instead of descriptors
    VARIANT_ALWAYS,        // our provider, offload=always, no key pool, patient: every operation is the device's
    VARIANT_ALWAYS_ASYNC,
    VARIANT_AUTO_SLOW, // as above, with another device
    VARIANT_AUTO_ASYNC_SLOW,
    VARIANT_AUTO_DEAD,
    VARIANT_AUTO_ASYNC_DEAD,
    VARIANT_AUTO_ASYNC_INFINITE,
    VARIANT_COUNT
};

struct variant {
    const char *name, *text;
    const char *offload;  // NULL: not our provider
    const char *settings; // more lines of the provider's configuration, or NULL
    enum device_id device;
    bool async, callback, needs_device, ideal;
    OSSL_LIB_CTX *libctx; // owned; NULL when skipped
    char folder[64];      // temporary: its configuration and the provider's statistics; empty when there is none
    bool broken;          // skipped, but it should have worked
    char skipped[256];    // why it can not run here; empty when it can
};

// Opens those whose name is in the comma-separated list (NULL: all; the A/A pair always). module: path of our provider,
// or NULL for the one of this build, beside the program.
void variants_open(struct variant variants[VARIANT_COUNT], const char *list, const struct devices *devices,
                   const char *module);
void variants_close(struct variant variants[VARIANT_COUNT]);
bool variant_known(const char *name);
// Which devices the listed variants need (list: as variants_open).
void variants_devices(const char *list, bool wanted[DEVICE_COUNT]);
extern const char variant_names[]; // for --help

#endif
