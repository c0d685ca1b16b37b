// SPDX-License-Identifier: Apache-2.0
#include "util.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

uint64_t eph_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * EPH_NS_PER_S + (uint64_t)now.tv_nsec;
}

int eph_poll_until(struct pollfd *fds, nfds_t count, uint64_t deadline_ns)
{
    for (;;) {
        uint64_t now_ns = eph_now_ns();
        uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
        struct timespec left = {.tv_sec = (time_t)(left_ns / EPH_NS_PER_S), .tv_nsec = (long)(left_ns % EPH_NS_PER_S)};
        int ready = ppoll(fds, count, &left, NULL);
        if (ready >= 0)
            return ready;
        if (errno != EINTR)
            return 0;
    }
}

void eph_wipe(void *data, size_t bytes)
{
    explicit_bzero(data, bytes);
}

enum eph_status eph_random(void *data, size_t bytes)
{
    uint8_t *at = data;
    while (bytes) {
        ssize_t got = getrandom(at, bytes, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return EPH_E_UNSUPPORTED;
        at += got;
        bytes -= (size_t)got;
    }
    return EPH_OK;
}

void eph_close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}
