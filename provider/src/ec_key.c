// SPDX-License-Identifier: Apache-2.0
#include "ec_key.h"
#include "errors.h"
#include "provider.h"

#include <openssl/bn.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
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
    void *software = atomic_load_explicit(&key->software, memory_order_relaxed);
    if (software != NULL)
        key->provider->ec.software.key_free(software);
    OPENSSL_free(key);
}

bool eph_ec_key_has_parameters(const struct eph_ec_key *key)
{
    return key->curve != NULL || atomic_load_explicit(&key->software, memory_order_acquire) != NULL;
}

void *eph_ec_key_software(struct eph_ec_key *key)
{
    const struct eph_software_ec *ec = &key->provider->ec.software;
    void *software = atomic_load_explicit(&key->software, memory_order_acquire), *expected = NULL;
    if (software != NULL || key->curve == NULL)
        return software;
    software = key->has_octets
                   ? eph_software_ec_public(ec, key->curve->parameters, key->octets, eph_ec_curve_octets(key->curve))
                   : ec->key_dup(key->curve->parameters, OSSL_KEYMGMT_SELECT_ALL_PARAMETERS);
    // Another thread may have been faster: then its object stays. Release publishes ours to the acquire above.
    if (software == NULL || atomic_compare_exchange_strong_explicit(&key->software, &expected, software,
                                                                    memory_order_acq_rel, memory_order_acquire))
        return software;
    ec->key_free(software);
    return expected;
}

// The curve of a key that names it; keys with explicit parameters stay with default altogether.
static const struct eph_ec_curve *curve_of(const struct eph_ec *ec, void *software)
{
    char group[64] = "", encoding[32] = "";
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, encoding, sizeof encoding),
        OSSL_PARAM_END,
    };
    if (!ec->software.key_get_params(software, params) || strcmp(encoding, OSSL_PKEY_EC_ENCODING_GROUP) != 0)
        return NULL;
    return eph_ec_curve_find(ec, group);
}

// A coordinate from a parameter into bytes of big-endian. Points are public: nothing is wiped.
static bool read_coordinate(const OSSL_PARAM *param, uint8_t *octets, unsigned bytes)
{
    BIGNUM *coordinate = NULL;
    bool read = OSSL_PARAM_modified(param) && OSSL_PARAM_get_BN(param, &coordinate) &&
                BN_bn2binpad(coordinate, octets, (int)bytes) == (int)bytes;
    BN_free(coordinate);
    return read;
}

// False: no affine point, that is, infinity.
static bool read_octets(struct eph_ec_key *key, void *software)
{
    uint8_t x_native[EPH_EC_MAX_BYTES], y_native[EPH_EC_MAX_BYTES];
    unsigned bytes = key->curve->field.bytes;
    OSSL_PARAM params[] = {
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_PUB_X, x_native, sizeof x_native),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_PUB_Y, y_native, sizeof y_native),
        OSSL_PARAM_END,
    };
    key->octets[0] = EPH_EC_UNCOMPRESSED;
    return key->provider->ec.software.key_get_params(software, params) &&
           read_coordinate(&params[0], key->octets + 1, bytes) &&
           read_coordinate(&params[1], key->octets + 1 + bytes, bytes);
}

void eph_ec_key_adopt(struct eph_ec_key *key, void *software, const struct eph_ec_curve *curve, bool plain)
{
    const struct eph_ec *ec = &key->provider->ec;
    void *old = atomic_exchange(&key->software, software);
    if (old != NULL && old != software)
        ec->software.key_free(old);
    key->plain = plain;
    key->has_public = ec->software.key_has(software, OSSL_KEYMGMT_SELECT_PUBLIC_KEY);
    key->has_private = ec->software.key_has(software, OSSL_KEYMGMT_SELECT_PRIVATE_KEY);
    ERR_set_mark(); // asking for what the object does not have is no error
    key->curve = curve != NULL ? curve : curve_of(ec, software);
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
