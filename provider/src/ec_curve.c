// SPDX-License-Identifier: Apache-2.0
#include "ec_curve.h"
#include "software.h"

#include <openssl/core_names.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>
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

static bool init_curve(const struct eph_ec *ec, struct eph_ec_curve *curve, size_t row, OSSL_LIB_CTX *libctx)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, &curve->bits),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, &curve->security_bits),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, &curve->size_bytes),
        OSSL_PARAM_END,
    };
    curve->id = table[row].id;
    curve->name = table[row].name;
    curve->parameters = eph_software_ec_parameters(&ec->software, curve->name);
    return curve->parameters != NULL && ec->software.key_get_params(curve->parameters, params) &&
           eph_ec_field_init(&curve->field, libctx, table[row].nid);
}

bool eph_ec_init(struct eph_ec *ec, const struct eph_software *software)
{
    if (!eph_software_ec_init(&ec->software, software))
        return false;
    for (size_t row = 0; row < EPH_EC_CURVES; row++)
        if (!init_curve(ec, &ec->curves[row], row, software->libctx))
            return false;
    return true;
}

void eph_ec_fini(struct eph_ec *ec)
{
    for (size_t row = 0; row < EPH_EC_CURVES; row++) {
        eph_ec_field_fini(&ec->curves[row].field);
        if (ec->curves[row].parameters != NULL)
            ec->software.key_free(ec->curves[row].parameters);
    }
    *ec = (struct eph_ec){0};
}

const struct eph_ec_curve *eph_ec_curve_find(const struct eph_ec *ec, const char *name)
{
    for (size_t row = 0; name != NULL && row < EPH_EC_CURVES; row++)
        if (strcasecmp(name, table[row].name) == 0 || strcmp(name, table[row].nist_name) == 0)
            return &ec->curves[row];
    return NULL;
}
