// SPDX-License-Identifier: Apache-2.0
// An EC key. Shared by reference count; its software object is made at first need by whichever thread comes first.
//
// Two forms. On a curve of ours with default attributes and no private half, curve and octets say everything, and a
// peer's key costs no object until it is derived with. Otherwise the object of the default provider is there from the
// start, owns the private half and answers whatever is asked.
#ifndef EPH_EC_KEY_H
#define EPH_EC_KEY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "ec_curve.h"

struct eph_provider;

struct eph_ec_key {
    struct eph_provider *provider; // borrowed; the core keeps it while keys live
    atomic_uint references;
    const struct eph_ec_curve *curve; // borrowed; NULL: a curve that is not ours, or no key yet
    bool plain;                       // every attribute (point format, encoding, ...) is the default's
    bool has_public, has_private;
    bool has_octets;                   // has_public, and octets hold it
    uint8_t octets[EPH_EC_MAX_OCTETS]; // uncompressed
    _Atomic(void *) software;          // owned; the default provider's object, NULL until needed
};

struct eph_ec_key *eph_ec_key_new(struct eph_provider *provider);
struct eph_ec_key *eph_ec_key_share(struct eph_ec_key *key);
void eph_ec_key_free(struct eph_ec_key *key); // accepts NULL

bool eph_ec_key_has_parameters(const struct eph_ec_key *key);

// The key as an object of the default provider; borrowed from the key. NULL: no parameters, or no memory.
void *eph_ec_key_software(struct eph_ec_key *key);

// Becomes what the object is, which it then owns (it may own it already). curve: the object's if the caller knows it,
// else NULL: asking takes longer than a check of the point. plain: its attributes are default's. Only for a key that no
// other thread uses.
void eph_ec_key_adopt(struct eph_ec_key *key, void *software, const struct eph_ec_curve *curve, bool plain);

// Takes an uncompressed point on the key's curve, length already right. 0 with the default provider's error in the
// queue when it is no valid public key. Only for a key that no other thread uses.
int eph_ec_key_set_octets(struct eph_ec_key *key, const uint8_t *octets);

// Checks octets, which the key has: 1, or 0 with that error.
int eph_ec_key_check(const struct eph_ec_key *key);

#endif
