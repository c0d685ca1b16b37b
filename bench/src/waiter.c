// SPDX-License-Identifier: Apache-2.0
#include "waiter.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_AT_ONCE = 256, MAX_CHANGES = 8 };
static const uint64_t MS_NS = 1000000;

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

bool waiter_update(struct waiter *waiter, struct watched *watched, waiter_changes *changes, void *source, uint32_t id)
{
    OSSL_ASYNC_FD added[MAX_CHANGES], deleted[MAX_CHANGES];
    size_t added_count = 0, deleted_count = 0;
    if (changes(source, NULL, &added_count, NULL, &deleted_count) != 1 || added_count > MAX_CHANGES ||
        deleted_count > MAX_CHANGES)
        return watched->count > 0;
    if (added_count + deleted_count == 0)
        return watched->count > 0;
    if (changes(source, added, &added_count, deleted, &deleted_count) != 1)
        return watched->count > 0;
    for (size_t i = 0; i < deleted_count; i++) { // closed already, as a rule; its number may come back below
        (void)epoll_ctl(waiter->epoll, EPOLL_CTL_DEL, deleted[i], NULL);
        watched->count -= watched->count > 0;
    }
    for (size_t i = 0; i < added_count; i++) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u32 = id};
        watched->count += epoll_ctl(waiter->epoll, EPOLL_CTL_ADD, added[i], &event) == 0;
    }
    return watched->count > 0;
}

size_t waiter_ready(struct waiter *waiter, uint32_t *ids, size_t max, uint64_t timeout_ns)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    if (timeout_ns > 0 && timeout_ns < MS_NS) { // epoll_wait itself knows milliseconds only
        struct pollfd set = {.fd = waiter->epoll, .events = POLLIN};
        struct timespec timeout = {0, (long)timeout_ns};
        if (ppoll(&set, 1, &timeout, NULL) <= 0)
            return 0;
    }
    int count = epoll_wait(waiter->epoll, events, (int)(max < EVENTS_AT_ONCE ? max : EVENTS_AT_ONCE),
                           (int)(timeout_ns / MS_NS));
    for (int i = 0; i < count; i++)
        ids[i] = events[i].data.u32;
    return count > 0 ? (size_t)count : 0;
}
