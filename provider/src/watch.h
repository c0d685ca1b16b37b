// SPDX-License-Identifier: Apache-2.0
// One thread a process, started by its first paused job, that lands completions when nobody else does. A busy
// application calls us often, and each call lands what is ready: then the thread asks for no interrupt and only looks
// now and then, as a network driver does under load (NAPI). An idle application sleeps until it is told, so then the
// thread waits for the device's interrupt. Waking a thread costs several times what landing a completion does.
#ifndef EPH_WATCH_H
#define EPH_WATCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "cost.h"

struct eph_process;

struct eph_watch {
    struct eph_process *process; // borrowed
    pthread_mutex_t lock;        // of starting the thread
    pthread_t thread;
    atomic_bool started;
    atomic_bool stop;
    int wake_fd;          // owned; eventfd: look again
    atomic_ulong rests;   // times it went to sleep
    struct eph_cost cost; // host CPU of one landing here
};

void eph_watch_init(struct eph_watch *watch, struct eph_process *process);
void eph_watch_fini(struct eph_watch *watch, bool ours); // ends the thread
bool eph_watch_start(struct eph_watch *watch);           // no-op when it runs; false: no descriptor or no thread

#endif
