// SPDX-License-Identifier: Apache-2.0
// Two library contexts side by side: one configured with our provider from a file, as an application has it, and a
// stock one.
#ifndef EPH_TEST_PROVIDER_RIG_H
#define EPH_TEST_PROVIDER_RIG_H

#include <ephemera/stats.h>
#include <openssl/evp.h>
#include <stdbool.h>

struct rig {
    OSSL_LIB_CTX *ours, *stock;
    char directory[64]; // configuration and statistics; removed by rig_close
};

// section: further lines of the provider's section, for example "device = sim:model\noffload = always\n".
void rig_open(struct rig *rig, const char *section);
void rig_close(struct rig *rig);

// Sum over all processes that used the rig.
struct eph_stats_counters rig_counters(const struct rig *rig);
uint64_t rig_operations(const struct rig *rig, enum eph_opcode opcode, enum eph_stats_served served);
uint64_t rig_fallbacks(const struct rig *rig); // of every cause

EVP_PKEY *rig_generate(OSSL_LIB_CTX *libctx);
EVP_PKEY *rig_private(OSSL_LIB_CTX *libctx, const uint8_t scalar[32]);
EVP_PKEY *rig_public(OSSL_LIB_CTX *libctx, const uint8_t u[32]);
bool rig_derive(OSSL_LIB_CTX *libctx, EVP_PKEY *own, EVP_PKEY *peer, uint8_t secret[32]);

// A key of ours and a stock peer agree both ways; a mismatch fails the test.
void rig_agree(const struct rig *rig);

bool rig_is_ours(const EVP_PKEY *key); // its key manager is ours
int rig_descriptors(void);             // open in this process, one of ours included

#endif
