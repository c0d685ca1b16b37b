// SPDX-License-Identifier: Apache-2.0
// What is measured for which suite, so that the whole run ends in time and yet says what it must.
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

#include "settings.h"
#include "suites.h"
#include "variants.h"

enum { LOAD_MAX = 8 };

struct load_kind {
    unsigned in_flight;           // closed loop; open loop: the cap
    unsigned utilisation_percent; // 0: closed loop
};

enum depth {
    DEPTH_QUICK,      // --quick
    DEPTH_USUAL,      // 1 and 64 in flight
    DEPTH_EVERYTHING, // all loads: the suites that most servers negotiate, and those that the user named
    DEPTH_RESUMED,    // one resumed handshake after the other
};
enum depth plan_depth(const struct settings *settings, const struct suite *suite);

// list: of plan_load_names, NULL for those that the depth says. The first is one in flight, the base of all shares.
size_t plan_loads(enum depth depth, const struct suite *suite, const char *list, struct load_kind loads[LOAD_MAX]);
bool plan_load_known(const char *name);
extern const char plan_load_names[];
// served: the device computes for the suite's group.
bool plan_has(enum variant_id id, const struct suite *suite, enum depth depth, const struct load_kind *load,
              bool served);
// Are the phases of this point timed too, in slices of their own?
bool plan_phases(enum variant_id id, enum depth depth, const struct load_kind *load);

#endif
