// SPDX-License-Identifier: Apache-2.0
// The configurations that are compared. Each has a library context of its own, so that several live in one process and
// can take turns within a round: what the machine does meanwhile hits them all alike.
#ifndef BENCH_VARIANTS_H
#define BENCH_VARIANTS_H

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
    VARIANT_ALWAYS, // our provider, offload=always
    VARIANT_ALWAYS_ASYNC,
    VARIANT_COUNT
};

struct variant {
    const char *name, *text;
    const char *offload; // NULL: not our provider
    bool async, needs_device, ideal;
    OSSL_LIB_CTX *libctx; // owned; NULL when skipped
    char folder[64];      // temporary: its configuration and the provider's statistics; empty when there is none
    bool broken;          // skipped, but it should have worked
    char skipped[256];    // why it can not run here; empty when it can
};

// Opens those whose name is in the comma-separated list (NULL: all; the A/A pair always). device: device string or
// NULL. module: path of our provider, or NULL for the one of this build, beside the program.
void variants_open(struct variant variants[VARIANT_COUNT], const char *list, const char *device, const char *module);
void variants_close(struct variant variants[VARIANT_COUNT]);
bool variant_known(const char *name);
extern const char variant_names[]; // for --help

// Is the simulation embedded in this process? Then its CPU would be counted as the server's.
bool device_is_embedded(const char *device);

#endif
