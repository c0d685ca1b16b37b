// SPDX-License-Identifier: Apache-2.0
// One ephemera-sim beside the test, on the model back end with injected faults unless said otherwise.
#ifndef EPH_TEST_PROVIDER_DAEMON_H
#define EPH_TEST_PROVIDER_DAEMON_H

#include "rig.h"

// faults: "" for none. Returns when it listens.
void daemon_start(const char *faults);
void daemon_start_timed(const char *profile); // back end timed instead; path of what it describes
void daemon_stop(int signal);                 // and waits; does nothing when there is none
void daemon_signal(int signal);

// rig_open on the daemon with further lines of the provider's section.
void daemon_rig(struct rig *rig, const char *more);

#endif
