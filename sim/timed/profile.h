// SPDX-License-Identifier: Apache-2.0
// The device that the timed back end imitates, read from a small text file: "key = value" lines, # starts a comment.
#ifndef EPH_TIMED_PROFILE_H
#define EPH_TIMED_PROFILE_H

#include <ephemera/wire.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct eph_profile {
    uint32_t engines, contexts, clock_khz;
    // Of one request from its start to its end, as the completion reports: all contexts of the engine take turns in
    // them, so this latency is that of a lone request as well. 0: no such program.
    uint32_t derive_cycles, keygen_cycles; // X25519
    uint64_t pcie_round_trip_ns;           // added to every request
    bool infinite_rate;                    // a request takes no time but the round trip
};

// False: message holds one line, "FILE:LINE: what is wrong".
bool eph_profile_read(struct eph_profile *profile, const char *path, char *message, size_t message_bytes);

#endif
