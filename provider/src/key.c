// SPDX-License-Identifier: Apache-2.0
#include "key.h"
#include "errors.h"
#include "provider.h"

#include <openssl/crypto.h>

struct eph_key *eph_key_new(struct eph_provider *provider)
{
    // The secure heap when the application has set one up, else the ordinary one.
    struct eph_key *key = OPENSSL_secure_zalloc(sizeof *key);
    if (key == NULL) {
        EPH_RAISE(provider, EPH_R_NO_MEMORY, "key");
        return NULL;
    }
    key->provider = provider;
    atomic_init(&key->references, 1);
    return key;
}

struct eph_key *eph_key_share(struct eph_key *key)
{
    atomic_fetch_add_explicit(&key->references, 1, memory_order_relaxed);
    return key;
}

void eph_key_free(struct eph_key *key)
{
    // Release orders this owner's uses before the drop, acquire the other owners' uses before the wipe.
    if (key == NULL || atomic_fetch_sub_explicit(&key->references, 1, memory_order_acq_rel) != 1)
        return;
    eph_software_forget(&key->provider->software, key);
    OPENSSL_secure_clear_free(key, sizeof *key);
}

void eph_key_forget(struct eph_key *key)
{
    eph_software_forget(&key->provider->software, key);
    eph_secret_wipe(key->scalar, sizeof key->scalar);
    key->has_scalar = false;
}
