// SPDX-License-Identifier: Apache-2.0
#include "waiter.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_AT_ONCE = 64 };

bool waiter_open(struct waiter *waiter)
{
    waiter->epoll = epoll_create1(EPOLL_CLOEXEC);
    return waiter->epoll >= 0;
}

void waiter_close(struct waiter *waiter)
{
    if (waiter->epoll >= 0)
        close(waiter->epoll);
    waiter->epoll = -1;
}

bool waiter_watch(struct waiter *waiter, const OSSL_ASYNC_FD *descriptors, size_t count, uint32_t id)
{
    bool watched = false;
    for (size_t i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.u32 = id};
        int result = epoll_ctl(waiter->epoll, EPOLL_CTL_MOD, descriptors[i], &event);
        if (result != 0 && errno == ENOENT)
            result = epoll_ctl(waiter->epoll, EPOLL_CTL_ADD, descriptors[i], &event);
        watched |= result == 0;
    }
    return watched;
}

size_t waiter_ready(struct waiter *waiter, uint32_t *ids, size_t max, uint64_t timeout_ns)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    if (timeout_ns > 0) { // epoll_wait itself knows milliseconds only
        struct pollfd set = {.fd = waiter->epoll, .events = POLLIN};
        struct timespec timeout = {(time_t)(timeout_ns / 1000000000u), (long)(timeout_ns % 1000000000u)};
        if (ppoll(&set, 1, &timeout, NULL) <= 0)
            return 0;
    }
    int count = epoll_wait(waiter->epoll, events, (int)(max < EVENTS_AT_ONCE ? max : EVENTS_AT_ONCE), 0);
    for (int i = 0; i < count; i++)
        ids[i] = events[i].data.u32;
    return count > 0 ? (size_t)count : 0;
}
