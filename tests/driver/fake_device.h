// SPDX-License-Identifier: Apache-2.0
// A device that lies on request: an attach socket and vfio-user server in a thread of the test, with just enough of a
// device behind it. It does no arithmetic: the answer to a request is fake_answer(scalar, peer), but for the driver's
// own known-answer test.
#ifndef FAKE_DEVICE_H
#define FAKE_DEVICE_H

#include <ephemera/ephemera.h>
#include <stdbool.h>

enum fake_fault {
    FAKE_HONEST,
    FAKE_WRONG_TAG,        // a tag of the same slot, but not of this use of it
    FAKE_IMPOSSIBLE_TAG,   // names no slot at all
    FAKE_WRONG_GENERATION, // right tag
    FAKE_DUPLICATE,        // the right completion twice
    FAKE_HOLD,             // nothing until fake_release_held
    FAKE_SILENT,           // nothing, ever
    FAKE_GARBAGE,          // noise in the entry, phase included
    FAKE_FLOOD,            // a ring full of wrong completions, then the right one
    FAKE_CHECK,            // status CHECK, with result bytes all the same
    FAKE_NO_SUCH_STATUS,
    FAKE_WRONG_ANSWER, // right in everything but the result
    FAKE_CLOSE,        // hangs up instead of answering
};

struct fake_settings {
    uint32_t magic, if_version; // 0: the right ones
    uint32_t log2_depth;        // 0: 3
    uint32_t contexts;          // 0: 64
    uint32_t features;          // 0: hardware, as far as the driver can see
    bool truncate_replies;      // every reply but VERSION lacks its payload
    bool oversize_replies;      // headers promise a gigabyte
    bool error_replies;         // every command but VERSION fails
    bool refuse_attach;         // EBUSY
    bool all_ones;              // registers, from the start
    bool mute;                  // accepts connections and reads nothing, from the start
};

struct fake;

struct fake *fake_start(const struct fake_settings *settings); // NULL settings: an honest device
void fake_stop(struct fake *fake);                             // hangs up on everybody
const char *fake_uri(const struct fake *fake);                 // "socket:PATH"

// After `skip` honest answers, the next `count` requests meet the fault. The known-answer test at attach is a request
// too.
void fake_plan(struct fake *fake, enum fake_fault fault, unsigned skip, unsigned count);
void fake_release_held(struct fake *fake, unsigned count); // oldest first
void fake_set_all_ones(struct fake *fake, bool all_ones);  // registers from now on
void fake_set_fatal(struct fake *fake, bool fatal);
void fake_set_mute(struct fake *fake, bool mute); // a hung server: reads nothing
void fake_interrupt(struct fake *fake);           // one to every client that nobody asked for
void fake_hang_up(struct fake *fake);             // closes all device connections, keeps listening

struct fake_counters {
    unsigned attached, requests, resets;
    bool master_enabled; // bus mastering was ever on
    bool rings_wiped;    // at the last hang-up by the client, its ring memory was all zero but for phases
};
struct fake_counters fake_get_counters(struct fake *fake);
// Doorbells are posted: waits until so many requests have arrived since the start (the known-answer test is the first).
void fake_await_requests(struct fake *fake, unsigned requests);

// 32 bytes. peer NULL: keygen.
void fake_answer(const uint8_t *scalar, const uint8_t *peer, uint8_t *answer);

#endif
