// SPDX-License-Identifier: Apache-2.0
#include "moderation.h"

#define MS            UINT64_C(1000000)
#define SHORT_REST_NS (MS / 20) // when answers follow each other
#define MANY_REST_NS  (2 * MS) // at most, when several answers share a wake-up, and when we try whether others land them
#define LONG_REST_NS  (8 * MS) // at most, when others land them; twice that where they land practically all

enum {
    MANY = 16,  // eight answers in half of the latency
    ENOUGH = 4, // answers that tell who lands them
    // Interrupts between two tries: whoever follows each at once never sees that the application would have come by.
    TRY_AFTER = 8,
    TRY_AFTER_MOST = 64, // when none succeeds
};

void eph_moderation_init(struct eph_moderation *moderation, uint64_t now_ns)
{
    *moderation = (struct eph_moderation){.try_after = TRY_AFTER, .since_ns = now_ns};
}

static uint64_t between(uint64_t least, uint64_t value, uint64_t most)
{
    return value < least ? least : value < most ? value : most;
}

static void trust(struct eph_moderation *moderation, uint64_t rest_ns)
{
    moderation->trust_ns = rest_ns;
    moderation->passed = moderation->own = 0;
}

// Do without interrupts for as long as a few answers take, and see who lands them.
static void try_trust(struct eph_moderation *moderation, uint64_t now_ns)
{
    uint64_t answer_ns = (now_ns - moderation->since_ns) / (moderation->interrupts + 1);
    trust(moderation, between(SHORT_REST_NS, ENOUGH * answer_ns, MANY_REST_NS));
    moderation->interrupts = 0;
    moderation->since_ns = now_ns;
}

static uint64_t longer_ns(const struct eph_moderation *moderation)
{
    uint64_t most_ns = moderation->passed >= 16 * moderation->own ? 2 * LONG_REST_NS : LONG_REST_NS;
    return between(0, 2 * moderation->trust_ns, most_ns);
}

static void distrust(struct eph_moderation *moderation, uint64_t now_ns)
{
    // Earned over many looks, it is not lost by one: an application that has just fallen idle will be back.
    if (moderation->trust_ns > MANY_REST_NS) {
        trust(moderation, moderation->trust_ns / 4);
        return;
    }
    moderation->try_after = (unsigned)between(0, 2 * moderation->try_after, TRY_AFTER_MOST);
    moderation->since_ns = now_ns;
    trust(moderation, 0);
}

// Rests grow while four of five answers are landed by others, and end when half of them are not.
static void judge_passers(struct eph_moderation *moderation, const struct eph_moderation_look *look)
{
    moderation->passed += look->in_passing;
    moderation->own += look->landed;
    if (moderation->passed + moderation->own < ENOUGH)
        return;
    if (moderation->passed > moderation->own) {
        moderation->try_after = TRY_AFTER;
        trust(moderation, moderation->passed >= 4 * moderation->own ? longer_ns(moderation) : moderation->trust_ns);
        return;
    }
    distrust(moderation, look->now_ns);
}

// Where several answers are due in half of the latency that they have anyway, they share one wake-up of the thread and
// of the application. (A timer's wake-up costs twice an interrupt's, so a few do not.) When none came, or nothing is on
// its way, the next interrupt tells.
uint64_t eph_moderation_rest_ns(struct eph_moderation *moderation, const struct eph_moderation_look *look)
{
    unsigned moved = look->landed + look->in_passing;
    if (moderation->trust_ns != 0) {
        judge_passers(moderation, look);
        return look->flying == 0 && moved == 0 ? 0 : moderation->trust_ns;
    }
    if (look->flying >= MANY)
        return look->landed > 0 ? between(SHORT_REST_NS, look->latency_ns / 2, MANY_REST_NS) : 0;
    if (moved > 0 && ++moderation->interrupts >= moderation->try_after)
        try_trust(moderation, look->now_ns);
    return moderation->trust_ns;
}
