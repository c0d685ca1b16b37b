// SPDX-License-Identifier: Apache-2.0
// Does a paused job leave the application something else to do? With one connection at a time the application only
// sleeps and is woken, which costs more CPU than the operation in software. So jobs are offloaded on trial, a few at a
// time; when they had no company (other paused jobs) and the application went to sleep over them, no more for a
// second.
#ifndef EPH_COMPANY_H
#define EPH_COMPANY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct eph_company {
    atomic_bool alone;         // the last trial failed: none before retry_ns
    _Atomic uint64_t retry_ns; // CLOCK_MONOTONIC
    pthread_mutex_t lock;      // of what follows; only ever tried: a job not counted does no harm
    unsigned jobs, others;     // of this part of a trial: submitted, and paused already when they were
    bool counting;             // sleeps, in its second part
    unsigned long sleeps;      // of the application, when that began
};

void eph_company_init(struct eph_company *company);
void eph_company_fini(struct eph_company *company);
bool eph_company_expected(const struct eph_company *company); // may a job be offloaded? Any thread
// One was, with so many others paused. own_sleeps: how often threads of ours in this process have gone to sleep, ever.
// Any thread.
void eph_company_note(struct eph_company *company, unsigned others, unsigned long own_sleeps);

#endif
