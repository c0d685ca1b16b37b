// SPDX-License-Identifier: Apache-2.0
// The generating half of the EC key manager (keymgmt_ec.c has the table).
#ifndef EPH_EC_GENERATION_H
#define EPH_EC_GENERATION_H

#include <openssl/core_dispatch.h>

OSSL_FUNC_keymgmt_gen_init_fn eph_ec_gen_init;
OSSL_FUNC_keymgmt_gen_set_template_fn eph_ec_gen_set_template;
OSSL_FUNC_keymgmt_gen_set_params_fn eph_ec_gen_set_params;
OSSL_FUNC_keymgmt_gen_settable_params_fn eph_ec_gen_settable_params;
OSSL_FUNC_keymgmt_gen_fn eph_ec_gen;
OSSL_FUNC_keymgmt_gen_cleanup_fn eph_ec_gen_cleanup;

#endif
