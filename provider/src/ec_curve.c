// SPDX-License-Identifier: Apache-2.0
#include "ec_curve.h"
#include "software_ec.h"

#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <string.h>
#include <strings.h>

static const struct {
    enum eph_curve id;
    int nid;
    const char *name, *nist_name;
} table[EPH_EC_CURVES] = {
    {EPH_CURVE_P256, NID_X9_62_prime256v1, "prime256v1", "P-256"},
    {EPH_CURVE_P384, NID_secp384r1, "secp384r1", "P-384"},
    {EPH_CURVE_P521, NID_secp521r1, "secp521r1", "P-521"},
};

static bool init_curve(struct eph_ec_curve *curve, size_t row, const struct eph_software *software)
{
    curve->id = table[row].id;
    curve->name = table[row].name;
    curve->parameters = eph_software_ec_parameters(software, curve->name);
    if (curve->parameters == NULL || !eph_ec_field_init(&curve->field, software->libctx, table[row].nid))
        return false;
    curve->bits = EVP_PKEY_get_bits(curve->parameters);
    curve->security_bits = EVP_PKEY_get_security_bits(curve->parameters);
    curve->size_bytes = EVP_PKEY_get_size(curve->parameters);
    return true;
}

bool eph_ec_init(struct eph_ec *ec, const struct eph_software *software)
{
    ec->keymgmt = EVP_KEYMGMT_fetch(software->libctx, "EC", EPH_SOFTWARE_PROPERTIES);
    ec->exchange = EVP_KEYEXCH_fetch(software->libctx, "ECDH", EPH_SOFTWARE_PROPERTIES);
    if (ec->keymgmt == NULL || ec->exchange == NULL)
        return false;
    for (size_t row = 0; row < EPH_EC_CURVES; row++)
        if (!init_curve(&ec->curves[row], row, software))
            return false;
    return true;
}

void eph_ec_fini(struct eph_ec *ec)
{
    for (size_t row = 0; row < EPH_EC_CURVES; row++) {
        eph_ec_field_fini(&ec->curves[row].field);
        EVP_PKEY_free(ec->curves[row].parameters);
    }
    EVP_KEYMGMT_free(ec->keymgmt);
    EVP_KEYEXCH_free(ec->exchange);
    *ec = (struct eph_ec){0};
}

const struct eph_ec_curve *eph_ec_curve_find(const struct eph_ec *ec, const char *name)
{
    for (size_t row = 0; name != NULL && row < EPH_EC_CURVES; row++)
        if (strcasecmp(name, table[row].name) == 0 || strcmp(name, table[row].nist_name) == 0)
            return &ec->curves[row];
    return NULL;
}
