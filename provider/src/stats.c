// SPDX-License-Identifier: Apache-2.0
#include "stats.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// ---- descriptors

static struct eph_fd fd_take(int fd)
{
    struct eph_fd taken = {.fd = fd};
    struct stat status;
    if (fd >= 0 && fstat(fd, &status) == 0) {
        taken.device = status.st_dev;
        taken.inode = status.st_ino;
    }
    return taken;
}

static bool fd_ours(const struct eph_fd *held)
{
    struct stat status;
    return held->fd >= 0 && fstat(held->fd, &status) == 0 && status.st_dev == held->device &&
           status.st_ino == held->inode;
}

static void fd_close(struct eph_fd *held)
{
    if (fd_ours(held))
        close(held->fd);
    held->fd = -1;
}

// ---- where they go

bool eph_stats_sink_open(struct eph_stats_sink *sink, const char *path)
{
    sink->file[0] = 0;
    sink->directory = fd_take(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (sink->directory.fd >= 0)
        return true;

    char parent[1024];
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    size_t parent_bytes = slash != NULL ? (size_t)(slash - path) + 1 : 0;
    if (name[0] == 0 || strlen(name) >= sizeof sink->file - 12 ||
        parent_bytes >= sizeof parent) // 12: ".PID" of children
        return false;
    memcpy(parent, path, parent_bytes);
    parent[parent_bytes] = 0;
    sink->directory = fd_take(open(parent_bytes > 0 ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    strcpy(sink->file, name);
    return sink->directory.fd >= 0;
}

void eph_stats_sink_close(struct eph_stats_sink *sink)
{
    fd_close(&sink->directory);
}

static uint64_t realtime_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t monotonic_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec;
}

// PID-START.eph, mapped and locked. NULL with errno set when it can not be.
static struct eph_stats_page *map_file(struct eph_stats *stats, const struct eph_stats_sink *sink, uint64_t *start_ms)
{
    char name[64];
    int fd = -1;
    *start_ms = realtime_ms();
    for (int attempt = 0; attempt < 8 && fd < 0; attempt++, *start_ms += fd < 0) {
        snprintf(name, sizeof name, "%ld-%" PRIu64 ".eph", (long)getpid(), *start_ms);
        fd = openat(sink->directory.fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
        if (fd < 0 && errno != EEXIST)
            return NULL;
    }
    if (fd < 0)
        return NULL;
    stats->file = fd_take(fd);
    void *page = MAP_FAILED;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && ftruncate(fd, sizeof(struct eph_stats_page)) == 0)
        page = mmap(NULL, sizeof(struct eph_stats_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page != MAP_FAILED)
        return page;
    int saved = errno;
    fd_close(&stats->file);
    errno = saved;
    return NULL;
}

// The text file; a forked child has one of its own, NAME.PID, since two processes can not share it.
static void open_text(struct eph_stats *stats, const struct eph_stats_sink *sink, bool child)
{
    char name[sizeof sink->file + 16];
    if (child)
        snprintf(name, sizeof name, "%s.%ld", sink->file, (long)getpid());
    else
        snprintf(name, sizeof name, "%s", sink->file);
    stats->file = fd_take(openat(sink->directory.fd, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640));
    stats->text = stats->file.fd >= 0;
}

bool eph_stats_init(struct eph_stats *stats, const struct eph_stats_sink *sink, const char *device, bool child)
{
    uint64_t start_ms = realtime_ms();
    stats->file.fd = -1;
    stats->page = NULL;
    if (fd_ours(&sink->directory)) {
        errno = 0;
        if (sink->file[0] != 0)
            open_text(stats, sink, child);
        else
            stats->page = map_file(stats, sink, &start_ms);
        if (stats->file.fd < 0)
            eph_log("statistics are kept in memory only: %s", strerror(errno));
    }
    if (stats->page == NULL) {
        void *page = mmap(NULL, sizeof *stats->page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED)
            return false;
        stats->page = page;
    }
    stats->page->version = EPH_STATS_VERSION;
    stats->page->bytes = sizeof *stats->page;
    stats->page->pid = (uint64_t)getpid();
    stats->page->start_ms = start_ms;
    snprintf(stats->page->device, sizeof stats->page->device, "%s", device);
    // Release: who sees the magic number sees the header. Readers map the file with plain loads after an acquire of it.
    atomic_store_explicit((_Atomic uint64_t *)&stats->page->magic, EPH_STATS_MAGIC, memory_order_release);
    return true;
}

static void write_text(struct eph_stats *stats)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *memory = open_memstream(&text, &bytes);
    if (memory == NULL)
        return;
    eph_stats_print(memory, &stats->page->counters);
    if (fclose(memory) == 0 && fd_ours(&stats->file) && pwrite(stats->file.fd, text, bytes, 0) == (ssize_t)bytes &&
        ftruncate(stats->file.fd, (off_t)bytes) != 0)
        stats->text = false; // not a regular file: once is enough
    free(text);
}

// At most once a second, by one thread.
static void write_text_when_due(struct eph_stats *stats)
{
    if (!stats->text)
        return;
    uint64_t now = monotonic_seconds();
    if (now < atomic_load_explicit(&stats->next_text_seconds, memory_order_relaxed))
        return;
    if (atomic_exchange_explicit(&stats->writing, true, memory_order_acquire))
        return;
    atomic_store_explicit(&stats->next_text_seconds, now + 1, memory_order_relaxed);
    write_text(stats);
    atomic_store_explicit(&stats->writing, false, memory_order_release);
}

void eph_stats_fini(struct eph_stats *stats, bool ours)
{
    if (stats->page == NULL)
        return;
    if (ours && stats->text)
        write_text(stats);
    munmap(stats->page, sizeof *stats->page);
    stats->page = NULL;
    fd_close(&stats->file);
}

// ---- counting

static void add(uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit((_Atomic uint64_t *)counter, n, memory_order_relaxed);
}

void eph_stats_operation(struct eph_stats *stats, unsigned curve, unsigned opcode, enum eph_stats_served served,
                         uint64_t ns)
{
    struct eph_stats_counters *counters = &stats->page->counters;
    unsigned series = eph_stats_series(curve, opcode, served);
    add(&counters->latency[series][eph_stats_bucket(ns)], 1);
    add(&counters->latency_sum_ns[series], ns);
    add(&counters->operations[series], 1);
    write_text_when_due(stats);
}

void eph_stats_fallback(struct eph_stats *stats, enum eph_stats_cause cause)
{
    add(&stats->page->counters.fallbacks[cause], 1);
}

void eph_stats_policy(struct eph_stats *stats, enum eph_stats_policy reason)
{
    add(&stats->page->counters.policy[reason], 1);
}

void eph_stats_cycles(struct eph_stats *stats, uint32_t cycles)
{
    add(&stats->page->counters.device_cycles, cycles);
}

void eph_stats_breaker(struct eph_stats *stats, unsigned state)
{
    atomic_store_explicit((_Atomic uint64_t *)&stats->page->counters.breaker, state, memory_order_relaxed);
}

bool eph_stats_breaker_closed(const struct eph_stats *stats)
{
    return atomic_load_explicit((_Atomic uint64_t *)&stats->page->counters.breaker, memory_order_relaxed) == 0;
}

void eph_stats_pool_hit(struct eph_stats *stats, uint64_t age_ns)
{
    struct eph_stats_pool *pool = &stats->page->counters.pool;
    add(&pool->hits, 1);
    add(&pool->age[eph_stats_age_bucket(age_ns)], 1);
    add(&pool->age_sum_ns, age_ns);
}

void eph_stats_pool_miss(struct eph_stats *stats)
{
    add(&stats->page->counters.pool.misses, 1);
}

void eph_stats_pool_made(struct eph_stats *stats)
{
    add(&stats->page->counters.pool.made, 1);
}

void eph_stats_pool_expired(struct eph_stats *stats)
{
    add(&stats->page->counters.pool.expired, 1);
}

void eph_stats_pool_discarded(struct eph_stats *stats)
{
    add(&stats->page->counters.pool.discarded, 1);
}

void eph_stats_pool_refused(struct eph_stats *stats)
{
    add(&stats->page->counters.pool.refused, 1);
}

void eph_stats_pool_keys(struct eph_stats *stats, unsigned keys)
{
    atomic_store_explicit((_Atomic uint64_t *)&stats->page->counters.pool_keys, keys, memory_order_relaxed);
}

void eph_stats_async_pause(struct eph_stats *stats)
{
    add(&stats->page->counters.async_paused, 1);
}

void eph_stats_async_end(struct eph_stats *stats, bool abandoned)
{
    struct eph_stats_counters *counters = &stats->page->counters;
    add(&counters->async_paused, UINT64_MAX); // one less
    add(abandoned ? &counters->async_abandoned : &counters->async_resumed, 1);
}

void eph_stats_note(struct eph_stats *stats, const char *note)
{
    snprintf(stats->page->note, sizeof stats->page->note, "%s", note);
}
