// SPDX-License-Identifier: Apache-2.0
// Copies from and to a mapped file that its owner may shorten at any moment: what is beyond the end then raises SIGBUS,
// and one client must not end the service of all.
#ifndef EPH_SIM_GUARD_H
#define EPH_SIM_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Takes over SIGBUS of this process: a guarded copy that raises it returns false. Without it (a library in somebody's
// process does not take signals over) SIGBUS does what it always does; the copies are the same. False: errno.
bool eph_guard_install(void);

// False: a part of it was not there; an unknown part was copied.
bool eph_guard_copy(void *to, const void *from, size_t bytes);
// Stores after all earlier copies of this thread have become visible (release).
bool eph_guard_store64(uint64_t *to, uint64_t value);

#endif
