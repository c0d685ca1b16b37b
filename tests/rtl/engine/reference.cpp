// SPDX-License-Identifier: Apache-2.0
#include "reference.h"

#include <cstdlib>
#include <cstring>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>

namespace eph
{
namespace
{

// An element of 2^255 - 19; slow and plain.
class Element
{
  public:
    explicit Element(unsigned long value = 0) : bn_(BN_new()) { BN_set_word(bn_, value); }
    explicit Element(const uint8_t bytes[32]) : bn_(BN_lebin2bn(bytes, 32, nullptr))
    {
        BN_nnmod(bn_, bn_, prime(), context());
    }
    Element(const Element &other) : bn_(BN_dup(other.bn_)) {}
    Element &operator=(const Element &other)
    {
        BN_copy(bn_, other.bn_);
        return *this;
    }
    ~Element() { BN_free(bn_); }

    friend Element operator+(const Element &a, const Element &b)
    {
        Element r;
        BN_mod_add(r.bn_, a.bn_, b.bn_, prime(), context());
        return r;
    }
    friend Element operator-(const Element &a, const Element &b)
    {
        Element r;
        BN_mod_sub(r.bn_, a.bn_, b.bn_, prime(), context());
        return r;
    }
    friend Element operator*(const Element &a, const Element &b)
    {
        Element r;
        BN_mod_mul(r.bn_, a.bn_, b.bn_, prime(), context());
        return r;
    }
    friend bool operator==(const Element &a, const Element &b) { return BN_cmp(a.bn_, b.bn_) == 0; }
    bool zero() const { return BN_is_zero(bn_); }
    Element inverse() const
    {
        Element r;
        BN_mod_inverse(r.bn_, bn_, prime(), context());
        return r;
    }

    static const BIGNUM *prime()
    {
        static BIGNUM *p = [] {
            BIGNUM *n = nullptr;
            BN_hex2bn(&n, "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed");
            return n;
        }();
        return p;
    }

  private:
    static BN_CTX *context()
    {
        static BN_CTX *ctx = BN_CTX_new();
        return ctx;
    }
    BIGNUM *bn_;
};

void must(bool ok)
{
    if (!ok)
        abort();
}

bool below_prime(const uint8_t bytes[32])
{
    BIGNUM *value = BN_lebin2bn(bytes, 32, nullptr);
    bool below = BN_cmp(value, Element::prime()) < 0;
    BN_free(value);
    return below;
}

} // namespace

void reference_derive(const uint8_t scalar[32], const uint8_t peer[32], uint8_t u[32])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, scalar, 32);
    EVP_PKEY *other = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, peer, 32);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, nullptr);
    size_t length = 32;
    must(key && other && ctx && EVP_PKEY_derive_init(ctx) > 0 && EVP_PKEY_derive_set_peer(ctx, other) > 0);
    if (EVP_PKEY_derive(ctx, u, &length) <= 0)
        memset(u, 0, 32); // low-order peer
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(other);
    EVP_PKEY_free(key);
}

void reference_keygen(const uint8_t scalar[32], uint8_t u[32])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, scalar, 32);
    size_t length = 32;
    must(key && EVP_PKEY_get_raw_public_key(key, u, &length) > 0);
    EVP_PKEY_free(key);
}

std::string check_derive_fields(const uint8_t scalar[32], const uint8_t peer[32], const uint8_t *fields)
{
    for (int i = 0; i < 4; i++)
        if (!below_prime(fields + 32 * i))
            return "result " + std::to_string(i) + " not below p";
    uint8_t k[32], point[32];
    memcpy(k, scalar, 32);
    memcpy(point, peer, 32);
    k[0] &= 248;
    k[31] = (k[31] & 127) | 64;
    point[31] &= 127;

    // RFC 7748 section 5, variable names of its pseudo code
    Element x1(point), x2(1ul), z2(0ul), x3(x1), z3(1ul);
    for (int t = 254; t >= 0; t--) {
        bool swap = k[t / 8] >> (t % 8) & 1;
        Element &xa = swap ? x3 : x2, &za = swap ? z3 : z2, &xb = swap ? x2 : x3, &zb = swap ? z2 : z3;
        Element a = xa + za, b = xa - za, c = xb + zb, d = xb - zb;
        Element aa = a * a, bb = b * b, e = aa - bb, da = d * a, cb = c * b;
        Element sum = da + cb, difference = da - cb;
        xb = sum * sum;
        zb = x1 * difference * difference;
        xa = aa * bb;
        za = e * (aa + Element(121665ul) * e);
    }
    Element u(fields), hz2(fields + 32), hx3(fields + 64), hz3(fields + 96);
    if (hz2.zero() || !(u * z2 == x2))
        return "u or z2 wrong";
    if (hx3.zero() && hz3.zero())
        return "x3, z3 both zero";
    if (!(hx3 * z3 == hz3 * x3))
        return "x3, z3 are not (k+1) * peer";
    return "";
}

std::string check_keygen_fields(const uint8_t *fields)
{
    for (int i = 0; i < 5; i++)
        if (!below_prime(fields + 32 * i))
            return "result " + std::to_string(i) + " not below p";
    Element u(fields), x(fields + 32), y(fields + 64), z(fields + 96), t(fields + 128);
    Element d = Element(0ul) - Element(121665ul) * Element(121666ul).inverse();
    if (z.zero())
        return "Z is zero";
    if (!(x * y == t * z))
        return "T is not XY/Z";
    if (!((y * y - x * x) * (z * z) == z * z * z * z + d * x * x * y * y))
        return "X, Y, Z are not on the curve";
    if (!(u * (z - y) == z + y))
        return "u is not (Z+Y)/(Z-Y)";
    return "";
}

namespace
{

const EC_GROUP *p256()
{
    static EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    return group;
}

} // namespace

void reference_p256_point(uint8_t x[32], uint8_t y[32])
{
    EC_POINT *point = EC_POINT_new(p256());
    BIGNUM *k = BN_lebin2bn(x, 31, nullptr), *px = BN_new(), *py = BN_new(); // whatever x holds is the seed
    must(EC_POINT_mul(p256(), point, k, nullptr, nullptr, nullptr) &&
         EC_POINT_get_affine_coordinates(p256(), point, px, py, nullptr));
    must(BN_bn2lebinpad(px, x, 32) == 32 && BN_bn2lebinpad(py, y, 32) == 32);
    BN_free(py);
    BN_free(px);
    BN_free(k);
    EC_POINT_free(point);
}

bool reference_p256_derive(const uint8_t scalar[32], const uint8_t px[32], const uint8_t py[32], uint8_t x[32])
{
    EC_POINT *point = EC_POINT_new(p256());
    BIGNUM *k = BN_lebin2bn(scalar, 32, nullptr), *bx = BN_lebin2bn(px, 32, nullptr),
           *by = BN_lebin2bn(py, 32, nullptr);
    bool on_curve = EC_POINT_set_affine_coordinates(p256(), point, bx, by, nullptr) == 1;
    if (on_curve) {
        must(EC_POINT_mul(p256(), point, nullptr, point, k, nullptr) &&
             EC_POINT_get_affine_coordinates(p256(), point, bx, by, nullptr));
        must(BN_bn2lebinpad(bx, x, 32) == 32);
    }
    BN_free(by);
    BN_free(bx);
    BN_free(k);
    EC_POINT_free(point);
    return on_curve;
}

} // namespace eph
