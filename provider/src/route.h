// SPDX-License-Identifier: Apache-2.0
// Whether an operation goes to the device or to software: the only place that knows.
#ifndef EPH_ROUTE_H
#define EPH_ROUTE_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct eph_ec_curve;
struct eph_ec_key;
struct eph_key;
struct eph_provider;

// Fills both halves of the key with a pair made ahead. False: there is none, make one.
bool eph_route_pooled(struct eph_provider *provider, struct eph_key *key);

// Fills key->public_u from key->scalar. False: even software failed.
bool eph_route_keygen(struct eph_provider *provider, struct eph_key *key);

// Writes 32 bytes. False: the peer's key has low order, or even software failed.
bool eph_route_derive(struct eph_provider *provider, struct eph_key *key, const uint8_t *peer_u, uint8_t *secret);

// EC. curve: NULL for one that is not ours, which is neither routed nor counted. generator and derivation: what was
// asked for beyond the curve (software_ec.h; the latter has the peer), or NULL. NULL or false with the default
// provider's errors in the queue.
EVP_PKEY *eph_route_ec_keygen(struct eph_provider *provider, const struct eph_ec_curve *curve, EVP_PKEY_CTX *generator);
bool eph_route_ec_derive(struct eph_provider *provider, struct eph_ec_key *own, struct eph_ec_key *peer,
                         EVP_PKEY_CTX *derivation, uint8_t *secret, size_t *bytes);

#endif
