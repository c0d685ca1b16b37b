// SPDX-License-Identifier: Apache-2.0
// When to do without interrupts, and for how long: the policy of watch.h. Each interrupt wakes our thread, and on a
// virtual machine a wake-up costs about as much CPU as several offloads; but a busy application comes by all the time
// and lands answers itself.
#ifndef EPH_MODERATION_H
#define EPH_MODERATION_H

#include <stdint.h>

// One thread's; zero it, but for since_ns and try_after.
struct eph_moderation {
    uint64_t trust_ns;    // not 0: the application lands nearly all answers when it passes by; so long can we rest
    unsigned passed, own; // who landed them since trust_ns was set
    unsigned interrupts;  // followed at once since since_ns
    unsigned try_after;   // so many of them
    uint64_t since_ns;
};

// What was found when the thread looked at its queue.
struct eph_moderation_look {
    uint64_t now_ns;
    uint64_t latency_ns; // of a request, as the driver estimates it
    unsigned flying;     // still on their way
    unsigned landed;     // by this look
    unsigned in_passing; // by others since the last one
};

void eph_moderation_init(struct eph_moderation *moderation, uint64_t now_ns);

// How long to do without interrupts now; 0: not at all, the next one tells.
uint64_t eph_moderation_rest_ns(struct eph_moderation *moderation, const struct eph_moderation_look *look);

#endif
