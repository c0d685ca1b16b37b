// SPDX-License-Identifier: Apache-2.0
#include "told.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { WORD_BITS = 64 };
static const uint64_t SECOND_NS = 1000000000;

bool told_open(struct told *told, uint32_t ids)
{
    told->words = (ids + WORD_BITS - 1) / WORD_BITS;
    told->noted = calloc(told->words, sizeof(*told->noted));
    told->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    atomic_init(&told->asleep, false);
    return told->noted && told->event_fd >= 0;
}

void told_close(struct told *told)
{
    free(told->noted);
    told->noted = NULL;
    if (told->event_fd >= 0)
        close(told->event_fd);
    told->event_fd = -1;
}

// Sequentially consistent like the loop's side: either it sees the bit before it sleeps, or we see that it sleeps.
void told_note(struct told *told, uint32_t id)
{
    atomic_fetch_or(&told->noted[id / WORD_BITS], UINT64_C(1) << id % WORD_BITS);
    if (atomic_load(&told->asleep))
        eventfd_write(told->event_fd, 1);
}

static size_t take(struct told *told, uint32_t *ids, size_t max)
{
    size_t count = 0;
    for (size_t w = 0; w < told->words && count + WORD_BITS <= max; w++)
        for (uint64_t bits = atomic_exchange(&told->noted[w], 0); bits; bits &= bits - 1)
            ids[count++] = (uint32_t)(w * WORD_BITS) + (uint32_t)__builtin_ctzll(bits);
    return count;
}

bool told_any(struct told *told)
{
    uint64_t bits = 0;
    for (size_t w = 0; w < told->words; w++)
        bits |= atomic_load(&told->noted[w]);
    return bits != 0;
}

size_t told_ready(struct told *told, uint32_t *ids, size_t max, uint64_t timeout_ns)
{
    size_t count = take(told, ids, max);
    if (count > 0 || timeout_ns == 0)
        return count;
    atomic_store(&told->asleep, true);
    if (!told_any(told)) {
        struct timespec timeout = {(time_t)(timeout_ns / SECOND_NS), (long)(timeout_ns % SECOND_NS)};
        eventfd_t wakes;
        if (ppoll(&(struct pollfd){.fd = told->event_fd, .events = POLLIN}, 1, &timeout, NULL) > 0)
            eventfd_read(told->event_fd, &wakes);
    }
    atomic_store(&told->asleep, false);
    return take(told, ids, max);
}
