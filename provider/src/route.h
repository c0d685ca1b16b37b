// SPDX-License-Identifier: Apache-2.0
// Whether an operation goes to the device or to software: the only place that knows.
#ifndef EPH_ROUTE_H
#define EPH_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct eph_ec_curve;
struct eph_ec_key;
struct eph_key;
struct eph_provider;

// Fills key->scalar with a fresh one. False: no randomness.
bool eph_route_scalar(struct eph_provider *provider, struct eph_key *key);

// Fills both halves of the key with a pair made ahead. False: there is none, make one.
bool eph_route_pooled(struct eph_provider *provider, struct eph_key *key);

// Fills key->public_u from key->scalar. False: even software failed.
bool eph_route_keygen(struct eph_provider *provider, struct eph_key *key);

// Writes 32 bytes. False: the peer's key has low order, or even software failed.
bool eph_route_derive(struct eph_provider *provider, struct eph_key *key, const uint8_t *peer_u, uint8_t *secret);

// EC. curve: NULL for one that is not ours, which is neither routed nor counted. generation, exchange: default's with
// what was asked for beyond curve and keys, or NULL. The first returns the default provider's object. NULL or false
// with default's errors in the queue.
void *eph_route_ec_keygen(struct eph_provider *provider, const struct eph_ec_curve *curve, void *generation);
bool eph_route_ec_derive(struct eph_provider *provider, struct eph_ec_key *own, struct eph_ec_key *peer, void *exchange,
                         uint8_t *secret, size_t *bytes);

#endif
