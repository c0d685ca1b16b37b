// SPDX-License-Identifier: Apache-2.0
// Whether an operation goes to the device or to software: the only place that knows.
#ifndef EPH_ROUTE_H
#define EPH_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

struct eph_key;
struct eph_provider;

// Fills key->public_u from key->scalar. False: even software failed.
bool eph_route_keygen(struct eph_provider *provider, struct eph_key *key);

// Writes 32 bytes. False: the peer's key has low order, or even software failed.
bool eph_route_derive(struct eph_provider *provider, struct eph_key *key, const uint8_t *peer_u, uint8_t *secret);

#endif
