// SPDX-License-Identifier: Apache-2.0
#include "ec_point.h"

#include <openssl/bn.h>
#include <openssl/ec.h>

static bool read_group(struct eph_ec_field *field, const EC_GROUP *group, BN_CTX *context)
{
    field->p = BN_new();
    field->a_mont = BN_new();
    field->b_mont = BN_new();
    field->mont = BN_MONT_CTX_new();
    if (field->p == NULL || field->a_mont == NULL || field->b_mont == NULL || field->mont == NULL ||
        !BN_is_one(EC_GROUP_get0_cofactor(group)) ||
        !EC_GROUP_get_curve(group, field->p, field->a_mont, field->b_mont, context) ||
        !BN_MONT_CTX_set(field->mont, field->p, context) ||
        !BN_to_montgomery(field->a_mont, field->a_mont, field->mont, context) ||
        !BN_to_montgomery(field->b_mont, field->b_mont, field->mont, context))
        return false;
    field->bytes = (unsigned)BN_num_bytes(field->p);
    return field->bytes <= EPH_EC_MAX_BYTES;
}

bool eph_ec_field_init(struct eph_ec_field *field, OSSL_LIB_CTX *libctx, int nid)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name_ex(libctx, NULL, nid);
    BN_CTX *context = BN_CTX_new_ex(libctx);
    bool read = group != NULL && context != NULL && read_group(field, group, context);
    BN_CTX_free(context);
    EC_GROUP_free(group);
    if (!read)
        eph_ec_field_fini(field);
    return read;
}

void eph_ec_field_fini(struct eph_ec_field *field)
{
    BN_free(field->p);
    BN_free(field->a_mont);
    BN_free(field->b_mont);
    BN_MONT_CTX_free(field->mont);
    *field = (struct eph_ec_field){0};
}

// (x^2 + a) x + b - y^2, all in Montgomery form: zero on the curve. x and y are overwritten.
static bool curve_equation(const struct eph_ec_field *field, BIGNUM *x, BIGNUM *y, BIGNUM *difference, BN_CTX *context)
{
    return BN_to_montgomery(x, x, field->mont, context) && BN_to_montgomery(y, y, field->mont, context) &&
           BN_mod_mul_montgomery(difference, x, x, field->mont, context) &&
           BN_mod_add_quick(difference, difference, field->a_mont, field->p) &&
           BN_mod_mul_montgomery(difference, difference, x, field->mont, context) &&
           BN_mod_add_quick(difference, difference, field->b_mont, field->p) &&
           BN_mod_mul_montgomery(y, y, y, field->mont, context) &&
           BN_mod_sub_quick(difference, difference, y, field->p);
}

enum eph_point eph_ec_point_check(const struct eph_ec_field *field, const uint8_t *octets)
{
    enum eph_point verdict = EPH_POINT_NO_MEMORY;
    BN_CTX *context = BN_CTX_new();
    if (context == NULL)
        return verdict;
    BN_CTX_start(context);
    BIGNUM *x = BN_CTX_get(context), *y = BN_CTX_get(context), *difference = BN_CTX_get(context);
    if (difference == NULL || BN_bin2bn(octets + 1, (int)field->bytes, x) == NULL ||
        BN_bin2bn(octets + 1 + field->bytes, (int)field->bytes, y) == NULL)
        goto out;
    if (BN_ucmp(x, field->p) >= 0 || BN_ucmp(y, field->p) >= 0)
        verdict = EPH_POINT_OUT_OF_RANGE;
    else if (curve_equation(field, x, y, difference, context))
        verdict = BN_is_zero(difference) ? EPH_POINT_VALID : EPH_POINT_OFF_CURVE;
out:
    BN_CTX_end(context);
    BN_CTX_free(context);
    return verdict;
}
