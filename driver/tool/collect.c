// SPDX-License-Identifier: Apache-2.0
#include "collect.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const char dead_name[] = "dead.eph";
static const char dead_temporary[] = "dead.eph.tmp";
static const char folding_name[] = "folding.eph"; // the file being added; left behind by a collector that died

static bool read_page(int fd, struct eph_stats_page *page)
{
    return pread(fd, page, sizeof *page, 0) == (ssize_t)sizeof *page && page->magic == EPH_STATS_MAGIC &&
           page->version == EPH_STATS_VERSION && page->bytes == sizeof *page;
}

static void add_counters(struct eph_stats_counters *sum, const struct eph_stats_counters *counters)
{
    _Static_assert(sizeof *sum % sizeof(uint64_t) == 0, "counters are 64-bit numbers without gaps");
    uint64_t breaker = sum->breaker;
    uint64_t *to = (uint64_t *)sum;
    const uint64_t *from = (const uint64_t *)counters;
    for (size_t i = 0; i < sizeof *sum / sizeof *to; i++)
        to[i] += from[i];
    sum->breaker = breaker; // a gauge, not summed
}

// Its process holds a lock while it lives; one that lost its lock by closing every descriptor is still found by its
// pid.
static bool is_dead(int fd, const struct eph_stats_page *page)
{
    return flock(fd, LOCK_EX | LOCK_NB) == 0 && kill((pid_t)page->pid, 0) != 0 && errno == ESRCH;
}

// Adds a dead process's counters to dead.eph, then removes its file. The rename shows first that the file may be
// removed; dead.eph remembers the file added last, so that dying before the removal adds nothing twice. False: dead.eph
// does not hold these counters.
static bool fold(int directory, const char *name, const struct eph_stats_page *page, struct eph_stats_page *dead)
{
    if (dead->folded_pid != page->pid || dead->folded_start_ms != page->start_ms) {
        struct eph_stats_page next = *dead;
        next.magic = EPH_STATS_MAGIC;
        next.version = EPH_STATS_VERSION;
        next.bytes = sizeof next;
        next.folded_pid = page->pid;
        next.folded_start_ms = page->start_ms;
        add_counters(&next.counters, &page->counters);
        if (strcmp(name, folding_name) != 0 && renameat(directory, name, directory, folding_name) != 0)
            return false;
        unlinkat(directory, dead_temporary, 0);
        int fd = openat(directory, dead_temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
        if (fd < 0)
            return false;
        bool written = write(fd, &next, sizeof next) == (ssize_t)sizeof next;
        written = close(fd) == 0 && written;
        if (!written || renameat(directory, dead_temporary, directory, dead_name) != 0) {
            unlinkat(directory, dead_temporary, 0);
            return false;
        }
        *dead = next;
    }
    unlinkat(directory, folding_name, 0);
    return true;
}

static void take(int directory, const char *name, struct eph_collected *collected, struct eph_stats_page *dead)
{
    struct eph_stats_page page;
    int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    if (read_page(fd, &page)) { // a file without its header is one whose process is just starting
        bool gone = is_dead(fd, &page);
        memcpy(collected->device, page.device, sizeof collected->device);
        memcpy(collected->note, page.note, sizeof collected->note);
        collected->device[sizeof collected->device - 1] = collected->note[sizeof collected->note - 1] = 0;
        if (gone) {
            page.counters.pool_keys = page.counters.async_paused = 0; // what the dead held is no more
        } else {
            collected->living++;
            if (page.counters.breaker > collected->counters.breaker)
                collected->counters.breaker = page.counters.breaker;
        }
        // Folded counters come with dead.eph, once, at the end.
        if (!gone || !fold(directory, name, &page, dead))
            add_counters(&collected->counters, &page.counters);
    }
    close(fd);
}

bool eph_collect(const char *directory, struct eph_collected *collected)
{
    memset(collected, 0, sizeof *collected);
    DIR *listing = opendir(directory);
    if (listing == NULL)
        return false;
    flock(dirfd(listing), LOCK_EX); // two collectors at once would count a folded file twice

    struct eph_stats_page dead;
    int fd = openat(dirfd(listing), dead_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || !read_page(fd, &dead))
        memset(&dead, 0, sizeof dead);
    if (fd >= 0)
        close(fd);

    take(dirfd(listing), folding_name, collected, &dead);
    struct dirent *entry;
    while ((entry = readdir(listing)) != NULL) {
        size_t bytes = strlen(entry->d_name);
        if (bytes > 4 && strcmp(entry->d_name + bytes - 4, ".eph") == 0 && strcmp(entry->d_name, dead_name) != 0 &&
            strcmp(entry->d_name, folding_name) != 0)
            take(dirfd(listing), entry->d_name, collected, &dead);
    }
    add_counters(&collected->counters, &dead.counters);
    closedir(listing);
    return true;
}
