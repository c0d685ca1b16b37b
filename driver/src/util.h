// SPDX-License-Identifier: Apache-2.0
// What every file of the driver needs: the clock, random bytes, wiping, waiting on descriptors.
#ifndef EPH_UTIL_H
#define EPH_UTIL_H

#include <ephemera/ephemera.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#define EPH_NS_PER_MS 1000000ull
#define EPH_NS_PER_S  1000000000ull

// CLOCK_MONOTONIC, the clock of every *_ns in this driver.
uint64_t eph_now_ns(void);
// poll(2) until deadline_ns (0 or past: only look), restarted after signals. Number of ready descriptors, 0 when time
// is up.
int eph_poll_until(struct pollfd *fds, nfds_t count, uint64_t deadline_ns);
// The compiler may not drop it. CT: time depends on bytes only.
void eph_wipe(void *data, size_t bytes);
EPH_MUST_CHECK enum eph_status eph_random(void *data, size_t bytes);
// close(2) when open; leaves -1 behind.
void eph_close_fd(int *fd);

#endif
