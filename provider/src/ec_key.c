// SPDX-License-Identifier: Apache-2.0
#include "ec_key.h"
#include "errors.h"
#include "provider.h"
#include "software_ec.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

struct eph_ec_key *eph_ec_key_new(struct eph_provider *provider)
{
    struct eph_ec_key *key = OPENSSL_zalloc(sizeof *key);
    if (key == NULL) {
        EPH_RAISE(provider, EPH_R_NO_MEMORY, "key");
        return NULL;
    }
    key->provider = provider;
    atomic_init(&key->references, 1);
    return key;
}

struct eph_ec_key *eph_ec_key_share(struct eph_ec_key *key)
{
    atomic_fetch_add_explicit(&key->references, 1, memory_order_relaxed);
    return key;
}

void eph_ec_key_free(struct eph_ec_key *key)
{
    // Release orders this owner's uses before the drop, acquire the other owners' uses before the end.
    if (key == NULL || atomic_fetch_sub_explicit(&key->references, 1, memory_order_acq_rel) != 1)
        return;
    EVP_PKEY_free(atomic_load_explicit(&key->software, memory_order_relaxed));
    OPENSSL_free(key);
}

bool eph_ec_key_has_parameters(const struct eph_ec_key *key)
{
    return key->curve != NULL || atomic_load_explicit(&key->software, memory_order_acquire) != NULL;
}

EVP_PKEY *eph_ec_key_software(struct eph_ec_key *key)
{
    EVP_PKEY *software = atomic_load_explicit(&key->software, memory_order_acquire), *expected = NULL;
    if (software != NULL || key->curve == NULL)
        return software;
    software = key->has_octets ? eph_software_ec_public(key->curve, key->octets) : EVP_PKEY_dup(key->curve->parameters);
    // Another thread may have been faster: then its object stays. Release publishes ours to the acquire above.
    if (software == NULL || atomic_compare_exchange_strong_explicit(&key->software, &expected, software,
                                                                    memory_order_acq_rel, memory_order_acquire))
        return software;
    EVP_PKEY_free(software);
    return expected;
}

// The curve of a key that names it; keys with explicit parameters stay with default altogether.
static const struct eph_ec_curve *curve_of(const struct eph_provider *provider, EVP_PKEY *software)
{
    char group[64] = "", encoding[32] = "";
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, encoding, sizeof encoding),
        OSSL_PARAM_END,
    };
    if (EVP_PKEY_get_params(software, params) <= 0 || strcmp(encoding, OSSL_PKEY_EC_ENCODING_GROUP) != 0)
        return NULL;
    return eph_ec_curve_find(&provider->ec, group);
}

// False: no affine point, that is, infinity.
static bool read_octets(struct eph_ec_key *key, EVP_PKEY *software)
{
    uint8_t x_native[EPH_EC_MAX_BYTES], y_native[EPH_EC_MAX_BYTES];
    int bytes = (int)key->curve->field.bytes;
    OSSL_PARAM params[] = {
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_PUB_X, x_native, sizeof x_native),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_PUB_Y, y_native, sizeof y_native),
        OSSL_PARAM_END,
    };
    BIGNUM *x = NULL, *y = NULL;
    bool read = EVP_PKEY_get_params(software, params) > 0 && OSSL_PARAM_modified(&params[0]) &&
                OSSL_PARAM_modified(&params[1]) && OSSL_PARAM_get_BN(&params[0], &x) &&
                OSSL_PARAM_get_BN(&params[1], &y) && BN_bn2binpad(x, key->octets + 1, bytes) == bytes &&
                BN_bn2binpad(y, key->octets + 1 + bytes, bytes) == bytes;
    key->octets[0] = EPH_EC_UNCOMPRESSED;
    BN_free(x);
    BN_free(y);
    return read;
}

void eph_ec_key_adopt(struct eph_ec_key *key, EVP_PKEY *software, bool plain)
{
    EVP_PKEY_free(atomic_exchange(&key->software, software));
    key->plain = plain;
    ERR_set_mark(); // asking for what the object does not have is no error
    key->curve = curve_of(key->provider, software);
    key->has_octets = key->has_public && key->curve != NULL && read_octets(key, software);
    ERR_pop_to_mark();
}

// With the error that libcrypto's own EC code has for such a point.
static int verdict_to_result(const struct eph_ec_key *key, enum eph_point verdict)
{
    switch (verdict) {
    case EPH_POINT_VALID:
        return 1;
    case EPH_POINT_OUT_OF_RANGE:
        return EPH_RAISE(key->provider, EPH_R_POINT_RANGE, "%s", key->curve->name);
    case EPH_POINT_OFF_CURVE:
        return EPH_RAISE(key->provider, EPH_R_OFF_CURVE, "%s", key->curve->name);
    case EPH_POINT_NO_MEMORY:
        break;
    }
    return EPH_RAISE(key->provider, EPH_R_NO_MEMORY, "point");
}

int eph_ec_key_check(const struct eph_ec_key *key)
{
    return verdict_to_result(key, eph_ec_point_check(&key->curve->field, key->octets));
}

int eph_ec_key_set_octets(struct eph_ec_key *key, const uint8_t *octets)
{
    if (!verdict_to_result(key, eph_ec_point_check(&key->curve->field, octets)))
        return 0;
    memcpy(key->octets, octets, eph_ec_curve_octets(key->curve));
    key->has_public = key->has_octets = true;
    return 1;
}
