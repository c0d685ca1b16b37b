// SPDX-License-Identifier: Apache-2.0
// The provider's section of openssl.cnf, and the environment that overrides it. Read once, at init.
#ifndef EPH_CONFIG_H
#define EPH_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

struct eph_provider;

enum eph_offload { EPH_OFFLOAD_AUTO, EPH_OFFLOAD_ALWAYS, EPH_OFFLOAD_NEVER };

enum eph_config_key { EPH_KEY_DEVICE, EPH_KEY_OFFLOAD, EPH_KEY_DEADLINE, EPH_KEY_POOL, EPH_KEY_STATS, EPH_KEY_COUNT };

enum { EPH_POOL_AUTO = -1, EPH_POOL_MAX = 1024 };

struct eph_config {
    bool valid; // false: some value was wrong, everything is done in software, counted
    enum eph_offload offload;
    uint64_t deadline_ns; // 0: the driver's default
    int pool;             // keys a curve and process; EPH_POOL_AUTO: as the device deserves
    char device[256];     // device string
    char stats[1024];     // directory or file; "" for none
};

// Never fails: a wrong value is one log line that names the key and the accepted forms, and valid = false.
void eph_config_read(struct eph_provider *provider);

// For values that only their users can judge: the device string, the path of the statistics. Same consequences.
void eph_config_reject(struct eph_provider *provider, enum eph_config_key key, const char *value);

#endif
