// SPDX-License-Identifier: Apache-2.0
// Every verdict on a key is the default provider's, with its error: bad points on all the ways that a peer's key can
// take, and pairs that do not belong together.
#include "ec_rig.h"

#include <criterion/criterion.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <string.h>

static struct rig rig;

static void setup(void)
{
    ec_rig_open(&rig);
}

static void teardown(void)
{
    rig_close(&rig);
}

TestSuite(ec_check, .init = setup, .fini = teardown, .timeout = 60);

// ---- points

enum { CASES = 21 };

struct point {
    const char *what;
    uint8_t octets[EC_RIG_MAX_OCTETS + 1];
    size_t bytes;
};

struct curve_rig {
    const struct ec_rig_curve *curve;
    EC_GROUP *group;
    BIGNUM *p, *x, *y; // x, y: a point with small x, so that x + p still fits
};

static void curve_rig_init(struct curve_rig *c, const struct ec_rig_curve *curve)
{
    static const int nids[EC_RIG_CURVES] = {NID_X9_62_prime256v1, NID_secp384r1, NID_secp521r1, NID_secp256k1,
                                            NID_brainpoolP384r1};
    c->curve = curve;
    c->group = EC_GROUP_new_by_curve_name(nids[curve - ec_rig_curves]);
    c->p = BN_new();
    c->x = BN_new();
    c->y = BN_new();
    EC_POINT *point = EC_POINT_new(c->group);
    cr_assert(EC_GROUP_get_curve(c->group, c->p, NULL, NULL, NULL));
    unsigned long x = 0;
    do
        cr_assert(BN_set_word(c->x, x++) && x < 100);
    while (!EC_POINT_set_compressed_coordinates(c->group, point, c->x, 0, NULL));
    cr_assert(EC_POINT_get_affine_coordinates(c->group, point, c->x, c->y, NULL));
    EC_POINT_free(point);
    ERR_clear_error();
}

static void curve_rig_fini(struct curve_rig *c)
{
    EC_GROUP_free(c->group);
    BN_free(c->p);
    BN_free(c->x);
    BN_free(c->y);
}

// first || x + x_more || y + y_more, in as many bytes as the curve's coordinates have.
static struct point encode(const struct curve_rig *c, const char *what, uint8_t first, const BIGNUM *x_more,
                           const BIGNUM *y_more)
{
    struct point point = {.what = what, .bytes = 1 + 2 * c->curve->bytes};
    int bytes = (int)c->curve->bytes;
    BIGNUM *sum = BN_new();
    point.octets[0] = first;
    cr_assert(BN_add(sum, c->x, x_more) && BN_bn2binpad(sum, point.octets + 1, bytes) == bytes);
    if (BN_add(sum, c->y, y_more) && BN_bn2binpad(sum, point.octets + 1 + bytes, bytes) != bytes)
        memset(point.octets + 1 + bytes, 0xff, c->curve->bytes);
    BN_free(sum);
    return point;
}

static size_t make_points(const struct curve_rig *c, struct point points[CASES])
{
    const BIGNUM *one = BN_value_one();
    BIGNUM *zero = BN_new(), *minus = BN_new();
    size_t n = 0, coordinate = c->curve->bytes;
    BN_zero(zero);
    BN_sub(minus, c->p, c->y);
    BN_sub(minus, minus, c->y); // y + (p - 2y) = p - y
    points[n++] = encode(c, "valid", 4, zero, zero);
    points[n++] = encode(c, "valid, other y", 4, zero, minus);
    points[n++] = encode(c, "off the curve by one in y", 4, zero, one);
    points[n++] = encode(c, "off the curve by one in x", 4, one, zero);
    points[n++] = encode(c, "x not below p", 4, c->p, zero);
    points[n++] = encode(c, "y not below p", 4, zero, c->p);
    points[n++] = encode(c, "hybrid, right", BN_is_odd(c->y) ? 7 : 6, zero, zero);
    points[n++] = encode(c, "hybrid, wrong parity", BN_is_odd(c->y) ? 6 : 7, zero, zero);
    points[n++] = encode(c, "hybrid, off the curve", BN_is_odd(c->y) ? 6 : 7, zero, one);
    points[n++] = encode(c, "first octet 0", 0, zero, zero);
    points[n++] = encode(c, "first octet 5", 5, zero, zero);
    points[n++] = encode(c, "first octet 255", 255, zero, zero);
    points[n] = encode(c, "compressed", 2, zero, zero);
    points[n++].bytes = 1 + coordinate;
    points[n] = encode(c, "compressed, x not below p", 3, c->p, zero);
    points[n++].bytes = 1 + coordinate;
    points[n] = encode(c, "compressed, long", 2, zero, zero);
    n++;
    points[n++] = (struct point){"infinity", {0}, 1};
    points[n++] = (struct point){"nothing", {0}, 0};
    points[n] = encode(c, "one octet short", 4, zero, zero);
    points[n++].bytes--;
    points[n] = encode(c, "one octet long", 4, zero, zero);
    points[n++].bytes++;
    points[n++] = (struct point){"zeros", {4}, 1 + 2 * coordinate};
    points[n] = (struct point){"ones", {4}, 1 + 2 * coordinate};
    memset(points[n++].octets + 1, 255, 2 * coordinate);
    BN_free(zero);
    BN_free(minus);
    return n;
}

// What happened at each step, and the first error of the step that failed.
struct verdict {
    int set, check, quick, peer, derived;
    unsigned long error;
};

static int tell(int result, struct verdict *verdict)
{
    if (result != 1 && verdict->error == 0)
        verdict->error = ERR_peek_error();
    ERR_clear_error();
    return result == 1;
}

static void check(OSSL_LIB_CTX *libctx, EVP_PKEY *own, EVP_PKEY *peer, struct verdict *verdict)
{
    uint8_t secret[66];
    size_t bytes = sizeof secret;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, peer, NULL);
    verdict->check = tell(EVP_PKEY_public_check(context), verdict);
    verdict->quick = tell(EVP_PKEY_public_check_quick(context), verdict);
    EVP_PKEY_CTX_free(context);
    context = EVP_PKEY_CTX_new_from_pkey(libctx, own, NULL);
    cr_assert(EVP_PKEY_derive_init(context) > 0);
    verdict->peer = tell(EVP_PKEY_derive_set_peer(context, peer) > 0, verdict);
    verdict->derived = verdict->peer && tell(EVP_PKEY_derive(context, secret, &bytes) > 0, verdict);
    EVP_PKEY_CTX_free(context);
}

// As libssl does it.
static struct verdict by_encoded_key(OSSL_LIB_CTX *libctx, EVP_PKEY *own, const char *curve, const struct point *point)
{
    struct verdict verdict = {0};
    EVP_PKEY *peer = ec_rig_parameters(libctx, curve);
    ERR_clear_error();
    verdict.set = tell(EVP_PKEY_set1_encoded_public_key(peer, point->octets, point->bytes), &verdict);
    if (verdict.set)
        check(libctx, own, peer, &verdict);
    EVP_PKEY_free(peer);
    return verdict;
}

// Into a key that has been used, hence has a software object.
static struct verdict by_replacement(OSSL_LIB_CTX *libctx, EVP_PKEY *own, const char *curve, const struct point *point)
{
    struct verdict verdict = {0};
    EVP_PKEY *peer = ec_rig_generate(libctx, curve);
    ERR_clear_error();
    verdict.set = tell(EVP_PKEY_set1_encoded_public_key(peer, point->octets, point->bytes), &verdict);
    if (verdict.set)
        check(libctx, own, peer, &verdict);
    EVP_PKEY_free(peer);
    return verdict;
}

// As a hybrid or another provider does it.
static struct verdict by_import(OSSL_LIB_CTX *libctx, EVP_PKEY *own, const char *curve, const struct point *point)
{
    struct verdict verdict = {0};
    EVP_PKEY *peer = NULL;
    OSSL_PARAM params[] = {OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)curve, strlen(curve)),
                           OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point->octets, point->bytes),
                           OSSL_PARAM_END};
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(libctx, "EC", NULL);
    cr_assert(EVP_PKEY_fromdata_init(context) > 0);
    ERR_clear_error();
    verdict.set = tell(EVP_PKEY_fromdata(context, &peer, EVP_PKEY_PUBLIC_KEY, params), &verdict);
    EVP_PKEY_CTX_free(context);
    if (verdict.set)
        check(libctx, own, peer, &verdict);
    EVP_PKEY_free(peer);
    return verdict;
}

static struct verdict (*const ways[])(OSSL_LIB_CTX *, EVP_PKEY *, const char *,
                                      const struct point *) = {by_encoded_key, by_replacement, by_import};

Test(ec_check, verdict_on_every_point_is_that_of_stock)
{
    for (size_t i = 0; i < EC_RIG_CURVES; i++) {
        struct curve_rig c;
        struct point points[CASES];
        curve_rig_init(&c, &ec_rig_curves[i]);
        EVP_PKEY *ours = ec_rig_generate(rig.ours, c.curve->name), *stock = ec_rig_generate(rig.stock, c.curve->name);
        cr_assert_eq(make_points(&c, points), CASES);
        for (size_t p = 0; p < CASES; p++)
            for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
                struct verdict got = ways[w](rig.ours, ours, c.curve->name, &points[p]);
                struct verdict want = ways[w](rig.stock, stock, c.curve->name, &points[p]);
                const char *what = points[p].what;
                cr_assert_eq(got.set, want.set, "%s, %s, way %zu: set %d", c.curve->name, what, w, got.set);
                cr_assert_eq(got.check, want.check, "%s, %s, way %zu: check %d", c.curve->name, what, w, got.check);
                cr_assert_eq(got.quick, want.quick, "%s, %s, way %zu: quick %d", c.curve->name, what, w, got.quick);
                cr_assert_eq(got.peer, want.peer, "%s, %s, way %zu: peer %d", c.curve->name, what, w, got.peer);
                cr_assert_eq(got.derived, want.derived, "%s, %s, way %zu: derived", c.curve->name, what, w);
                cr_assert_eq(got.error, want.error, "%s, %s, way %zu: %s, stock %s", c.curve->name, what, w,
                             ERR_reason_error_string(got.error), ERR_reason_error_string(want.error));
            }
        EVP_PKEY_free(ours);
        EVP_PKEY_free(stock);
        curve_rig_fini(&c);
    }
}

// The table above is no tautology: these are what they say they are.
Test(ec_check, table_has_good_and_bad_points)
{
    static const int good[CASES] = {1, 1, [6] = 1, [12] = 1};
    for (size_t i = 0; i < EC_RIG_OURS; i++) {
        struct curve_rig c;
        struct point points[CASES];
        curve_rig_init(&c, &ec_rig_curves[i]);
        EVP_PKEY *ours = ec_rig_generate(rig.ours, c.curve->name);
        make_points(&c, points);
        for (size_t p = 0; p < CASES; p++)
            cr_assert_eq(by_encoded_key(rig.ours, ours, c.curve->name, &points[p]).derived, good[p], "%s",
                         points[p].what);
        EVP_PKEY_free(ours);
        curve_rig_fini(&c);
    }
}

// ---- pairs

static EVP_PKEY *pair(OSSL_LIB_CTX *libctx, const char *curve, const BIGNUM *secret, const uint8_t *octets,
                      size_t bytes)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0);
    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, octets, bytes);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, secret);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(libctx, "EC", NULL);
    cr_assert(EVP_PKEY_fromdata_init(context) > 0);
    if (EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

static int (*const checks[])(EVP_PKEY_CTX *) = {EVP_PKEY_check,
                                                EVP_PKEY_pairwise_check,
                                                EVP_PKEY_private_check,
                                                EVP_PKEY_public_check,
                                                EVP_PKEY_public_check_quick,
                                                EVP_PKEY_param_check,
                                                EVP_PKEY_param_check_quick};
enum { CHECKS = sizeof checks / sizeof checks[0] };

static void assert_same_checks(EVP_PKEY *ours, EVP_PKEY *stock, const char *curve, const char *what)
{
    cr_assert_eq(ours != NULL, stock != NULL, "%s, %s", curve, what);
    if (ours == NULL)
        return;
    for (size_t i = 0; i < CHECKS; i++) {
        EVP_PKEY_CTX *ours_context = EVP_PKEY_CTX_new_from_pkey(rig.ours, ours, NULL);
        EVP_PKEY_CTX *stock_context = EVP_PKEY_CTX_new_from_pkey(rig.stock, stock, NULL);
        cr_assert_eq(checks[i](ours_context) == 1, checks[i](stock_context) == 1, "%s, %s, check %zu", curve, what, i);
        EVP_PKEY_CTX_free(ours_context);
        EVP_PKEY_CTX_free(stock_context);
    }
    ERR_clear_error();
}

Test(ec_check, verdict_on_pairs_is_that_of_stock)
{
    for (size_t i = 0; i < EC_RIG_CURVES; i++) {
        const char *curve = ec_rig_curves[i].name;
        uint8_t octets[EC_RIG_MAX_OCTETS];
        BIGNUM *secret = NULL, *order = NULL, *more = BN_new();
        EVP_PKEY *origin = ec_rig_generate(rig.stock, curve);
        size_t bytes = ec_rig_octets(origin, octets);
        cr_assert(EVP_PKEY_get_bn_param(origin, OSSL_PKEY_PARAM_PRIV_KEY, &secret) &&
                  EVP_PKEY_get_bn_param(origin, OSSL_PKEY_PARAM_EC_ORDER, &order));
        const struct {
            const char *what;
            int word; // added to the private key; -1: the order instead, -2: zero instead
        } cases[] = {{"right", 0}, {"not a pair", 1}, {"private key is the order", -1}, {"private key is zero", -2}};
        for (size_t k = 0; k < 4; k++) {
            BN_copy(more, cases[k].word == -1 ? order : secret);
            if (cases[k].word > 0)
                BN_is_one(more) ? BN_add_word(more, 1) : BN_sub_word(more, 1);
            else if (cases[k].word == -2)
                BN_zero(more);
            EVP_PKEY *ours = pair(rig.ours, curve, more, octets, bytes),
                     *stock = pair(rig.stock, curve, more, octets, bytes);
            assert_same_checks(ours, stock, curve, cases[k].what);
            EVP_PKEY_free(ours);
            EVP_PKEY_free(stock);
        }
        EVP_PKEY *ours = ec_rig_parameters(rig.ours, curve), *stock = ec_rig_parameters(rig.stock, curve);
        assert_same_checks(ours, stock, curve, "parameters alone");
        EVP_PKEY_free(ours);
        EVP_PKEY_free(stock);
        EVP_PKEY_free(origin);
        BN_free(secret);
        BN_free(order);
        BN_free(more);
    }
}
