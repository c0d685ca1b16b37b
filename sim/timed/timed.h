// SPDX-License-Identifier: Apache-2.0
// The timed back end: the registers and queues of the model, true results, each visible when the device of a profile
// would have shown it. For measuring servers against a card that does not exist yet; so it belongs into a process of
// its own, whose CPU nobody bills to the server.
#ifndef EPH_TIMED_TIMED_H
#define EPH_TIMED_TIMED_H

#include <backend.h>

// Needs options->profile. Registered by the daemon alone (eph_backend_register).
extern const struct eph_backend eph_backend_timed;

#endif
