// SPDX-License-Identifier: Apache-2.0
// The provider's instance: what OSSL_provider_init makes and every callback receives as its provctx. One for each
// library context that loads the module.
#ifndef EPH_PROVIDER_H
#define EPH_PROVIDER_H

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/provider.h>
#include <openssl/types.h>

#include "config.h"
#include "cost.h"
#include "ec_curve.h"
#include "process.h"
#include "software.h"
#include "stats.h"

struct eph_provider {
    const OSSL_CORE_HANDLE *handle; // shared with the core
    OSSL_FUNC_core_get_params_fn *get_params;
    OSSL_FUNC_core_new_error_fn *new_error;
    OSSL_FUNC_core_set_error_debug_fn *set_error_debug;
    OSSL_FUNC_core_vset_error_fn *vset_error;
    OSSL_LIB_CTX *application; // shared; NULL when the application's context is not in our libcrypto
    struct eph_config config;
    struct eph_software software;
    struct eph_ec ec;
    struct eph_stats_sink stats_sink;
    struct eph_device *device;             // owned; opened at init, NULL when there is none
    _Atomic(struct eph_process *) process; // owned; state of the newest process, older ones behind it
    char *driver_line; // borrowed; while the device is being opened at init: where the driver's last line goes
    struct eph_cost software_cost[2]; // of X25519, by opcode - 1
    pid_t initial_pid;                // of the process that ran init
    _Atomic pid_t creator;            // pid whose thread is making the process state
    _Atomic uint64_t logged;          // causes already logged, one bit each
};

// Dispatch tables of the algorithms.
extern const OSSL_DISPATCH eph_ec_keymgmt_functions[];
extern const OSSL_DISPATCH eph_ecdh_functions[];
extern const OSSL_DISPATCH eph_x25519_keymgmt_functions[];
extern const OSSL_DISPATCH eph_x25519_exchange_functions[];

// TLS-GROUP capability (groups.c).
int eph_groups_announce(const struct eph_provider *provider, OSSL_CALLBACK *callback, void *argument);

#endif
