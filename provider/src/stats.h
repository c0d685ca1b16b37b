// SPDX-License-Identifier: Apache-2.0
// Counters of this process: a mapped file when `stats` names a directory, a text file otherwise, memory alone when
// there is neither. The layout and the text are those of <ephemera/stats.h>.
#ifndef EPH_PROVIDER_STATS_H
#define EPH_PROVIDER_STATS_H

#include <ephemera/stats.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

struct eph_provider;
struct eph_process;

// A descriptor that survives careless applications: one that closed it and got the number back for a file of its own is
// noticed.
struct eph_fd {
    int fd; // owned; -1: none
    dev_t device;
    ino_t inode;
};

// Where statistics go; opened at init, since paths mean something else after a chroot.
struct eph_stats_sink {
    struct eph_fd directory; // `stats` itself, or the directory of a text file
    char file[256];          // name of the text file in it; "" when `stats` is a directory
};

// One process's counters.
struct eph_stats {
    struct eph_stats_page *page; // mapped; owned
    struct eph_fd file;          // the mapped file (locked), or the text file
    bool text;
    atomic_bool writing;                // a thread is writing the text
    _Atomic uint64_t next_text_seconds; // not before this CLOCK_MONOTONIC time
};

// False: `stats` can not be used.
bool eph_stats_sink_open(struct eph_stats_sink *sink, const char *path);
void eph_stats_sink_close(struct eph_stats_sink *sink);

// False only without memory. A file that can not be made is one log line; counting goes on in memory.
bool eph_stats_init(struct eph_stats *stats, const struct eph_stats_sink *sink, const char *device, bool child);
void eph_stats_fini(struct eph_stats *stats, bool ours); // ours: this process made them; writes the text a last time

void eph_stats_operation(struct eph_stats *stats, unsigned curve, unsigned opcode, enum eph_stats_served served,
                         uint64_t ns);
void eph_stats_fallback(struct eph_stats *stats, enum eph_stats_cause cause);
void eph_stats_policy(struct eph_stats *stats, enum eph_stats_policy reason);
void eph_stats_cycles(struct eph_stats *stats, uint32_t cycles);
void eph_stats_breaker(struct eph_stats *stats, unsigned state);
bool eph_stats_breaker_closed(const struct eph_stats *stats);
// The key pool.
void eph_stats_pool_hit(struct eph_stats *stats, uint64_t age_ns);
void eph_stats_pool_miss(struct eph_stats *stats);
void eph_stats_pool_made(struct eph_stats *stats);
void eph_stats_pool_expired(struct eph_stats *stats);
void eph_stats_pool_discarded(struct eph_stats *stats);
void eph_stats_pool_refused(struct eph_stats *stats);
void eph_stats_pool_keys(struct eph_stats *stats, unsigned keys); // gauge
// Paused jobs: a gauge, and how each pause ended.
void eph_stats_async_pause(struct eph_stats *stats);
void eph_stats_async_end(struct eph_stats *stats, bool abandoned);
void eph_stats_note(struct eph_stats *stats, const char *note);

#endif
