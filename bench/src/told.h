// SPDX-License-Identifier: Apache-2.0
// Waits for paused jobs the way an event-driven server with SSL_set_async_callback does: the callback notes which
// connection may go on, and wakes the loop when it sleeps.
#ifndef BENCH_TOLD_H
#define BENCH_TOLD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct told {
    _Atomic uint64_t *noted; // owned: a bit an id
    size_t words;
    atomic_bool asleep;
    int event_fd; // owned; -1 when not open
};
bool told_open(struct told *told, uint32_t ids);
void told_close(struct told *told);

void told_note(struct told *told, uint32_t id); // from any thread

bool told_any(struct told *told); // is there something to give?
// Ids noted since they were last given, which may be some that do not wait (any more); waits at most timeout_ns (0:
// only looks).
size_t told_ready(struct told *told, uint32_t *ids, size_t max, uint64_t timeout_ns);

#endif
