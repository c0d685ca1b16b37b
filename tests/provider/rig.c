// SPDX-License-Identifier: Apache-2.0
#include "rig.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <string.h>
#include <unistd.h>

void rig_open(struct rig *rig, const char *section)
{
    char path[96];
    snprintf(rig->directory, sizeof rig->directory, "/tmp/eph-provider-test.XXXXXX");
    cr_assert(mkdtemp(rig->directory) != NULL);
    snprintf(path, sizeof path, "%s/openssl.cnf", rig->directory);
    FILE *file = fopen(path, "w");
    cr_assert(file != NULL);
    fprintf(file,
            "openssl_conf = init\n[init]\nproviders = list\nalg_section = algorithms\n"
            "[algorithms]\ndefault_properties = ?provider=ephemera\n"
            "[list]\ndefault = default_section\nephemera = ours\n[default_section]\nactivate = 1\n"
            "[ours]\nmodule = %s\nactivate = 1\nstats = %s\n%s",
            EPH_MODULE, rig->directory, section);
    fclose(file);
    rig->ours = OSSL_LIB_CTX_new();
    rig->stock = OSSL_LIB_CTX_new();
    cr_assert(rig->ours != NULL && rig->stock != NULL);
    cr_assert_eq(OSSL_LIB_CTX_load_config(rig->ours, path), 1);
    cr_assert(OSSL_PROVIDER_available(rig->ours, "ephemera"), "%s did not load", EPH_MODULE);
}

void rig_close(struct rig *rig)
{
    OSSL_LIB_CTX_free(rig->ours);
    OSSL_LIB_CTX_free(rig->stock);
    DIR *listing = opendir(rig->directory);
    struct dirent *entry;
    while (listing != NULL && (entry = readdir(listing)) != NULL)
        unlinkat(dirfd(listing), entry->d_name, 0);
    if (listing != NULL)
        closedir(listing);
    rmdir(rig->directory);
}

struct eph_stats_counters rig_counters(const struct rig *rig)
{
    struct eph_stats_counters sum = {0};
    DIR *listing = opendir(rig->directory);
    struct dirent *entry;
    cr_assert(listing != NULL);
    while ((entry = readdir(listing)) != NULL) {
        struct eph_stats_page page;
        char path[400];
        if (strstr(entry->d_name, ".eph") == NULL)
            continue;
        snprintf(path, sizeof path, "%s/%s", rig->directory, entry->d_name);
        FILE *file = fopen(path, "r");
        cr_assert(file != NULL);
        cr_assert_eq(fread(&page, sizeof page, 1, file), 1);
        fclose(file);
        cr_assert_eq(page.magic, EPH_STATS_MAGIC);
        for (size_t i = 0; i < sizeof sum / sizeof(uint64_t); i++)
            ((uint64_t *)&sum)[i] += ((const uint64_t *)&page.counters)[i];
    }
    closedir(listing);
    return sum;
}

uint64_t rig_operations(const struct rig *rig, enum eph_opcode opcode, enum eph_stats_served served)
{
    return rig_counters(rig).operations[eph_stats_series(EPH_CURVE_X25519, opcode, served)];
}

uint64_t rig_fallbacks(const struct rig *rig)
{
    struct eph_stats_counters counters = rig_counters(rig);
    uint64_t sum = 0;
    for (unsigned cause = 0; cause < EPH_CAUSE_COUNT; cause++)
        sum += counters.fallbacks[cause];
    return sum;
}

EVP_PKEY *rig_generate(OSSL_LIB_CTX *libctx)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(libctx, NULL, "X25519");
    cr_assert(key != NULL);
    return key;
}

EVP_PKEY *rig_private(OSSL_LIB_CTX *libctx, const uint8_t scalar[32])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key_ex(libctx, "X25519", NULL, scalar, 32);
    cr_assert(key != NULL);
    return key;
}

EVP_PKEY *rig_public(OSSL_LIB_CTX *libctx, const uint8_t u[32])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key_ex(libctx, "X25519", NULL, u, 32);
    cr_assert(key != NULL);
    return key;
}

bool rig_derive(OSSL_LIB_CTX *libctx, EVP_PKEY *own, EVP_PKEY *peer, uint8_t secret[32])
{
    size_t bytes = 32;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, own, NULL);
    bool derived = context != NULL && EVP_PKEY_derive_init(context) > 0 &&
                   EVP_PKEY_derive_set_peer(context, peer) > 0 && EVP_PKEY_derive(context, secret, &bytes) > 0 &&
                   bytes == 32;
    EVP_PKEY_CTX_free(context);
    return derived;
}

void rig_agree(const struct rig *rig)
{
    uint8_t ours_u[32], stock_u[32], ours_secret[32], stock_secret[32];
    size_t bytes = 32;
    EVP_PKEY *ours = rig_generate(rig->ours), *stock = rig_generate(rig->stock);
    cr_assert(rig_is_ours(ours));
    cr_assert(!rig_is_ours(stock));
    cr_assert(EVP_PKEY_get_raw_public_key(ours, ours_u, &bytes) && EVP_PKEY_get_raw_public_key(stock, stock_u, &bytes));
    EVP_PKEY *ours_public = rig_public(rig->stock, ours_u), *stock_public = rig_public(rig->ours, stock_u);
    cr_assert(rig_derive(rig->ours, ours, stock_public, ours_secret));
    cr_assert(rig_derive(rig->stock, stock, ours_public, stock_secret));
    cr_assert_arr_eq(ours_secret, stock_secret, 32);
    EVP_PKEY_free(ours);
    EVP_PKEY_free(stock);
    EVP_PKEY_free(ours_public);
    EVP_PKEY_free(stock_public);
}

bool rig_is_ours(const EVP_PKEY *key)
{
    const OSSL_PROVIDER *provider = EVP_PKEY_get0_provider(key);
    return provider != NULL && strcmp(OSSL_PROVIDER_get0_name(provider), "ephemera") == 0;
}

int rig_descriptors(void)
{
    int count = 0;
    DIR *listing = opendir("/proc/self/fd");
    while (readdir(listing) != NULL)
        count++;
    closedir(listing);
    return count;
}
