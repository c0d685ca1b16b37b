// SPDX-License-Identifier: Apache-2.0
#include "company.h"
#include "clock.h"

#include <sys/resource.h>

enum { PART_JOBS = 4 };
#define RETRY_NS UINT64_C(250000000) // a trial of eight jobs then costs a thousandth of the time at most

void eph_company_init(struct eph_company *company)
{
    pthread_mutex_init(&company->lock, NULL);
}

void eph_company_fini(struct eph_company *company)
{
    pthread_mutex_destroy(&company->lock);
}

bool eph_company_expected(const struct eph_company *company)
{
    return !atomic_load_explicit(&company->alone, memory_order_relaxed) ||
           eph_clock_ns(CLOCK_MONOTONIC_COARSE) >= atomic_load_explicit(&company->retry_ns, memory_order_relaxed);
}

// How often the application's threads have gone to sleep. Unlike a share of CPU time this tells on a crowded machine,
// too, whether it had something to do.
static unsigned long application_sleeps(unsigned long own_sleeps)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (unsigned long)usage.ru_nvcsw - own_sleeps;
}

static void judge(struct eph_company *company, bool alone)
{
    if (alone)
        atomic_store_explicit(&company->retry_ns, eph_clock_ns(CLOCK_MONOTONIC_COARSE) + RETRY_NS,
                              memory_order_relaxed);
    atomic_store_explicit(&company->alone, alone, memory_order_relaxed);
}

// Jobs without company begin a second part of the trial, which counts sleeps: a system call.
static void end_part(struct eph_company *company, unsigned long own_sleeps)
{
    bool company_kept = company->others >= company->jobs, first_part = !company->counting;
    unsigned long sleeps = company_kept ? 0 : application_sleeps(own_sleeps);
    if (company_kept || !first_part)
        judge(company, !company_kept && sleeps - company->sleeps >= company->jobs / 2);
    company->counting = !company_kept && first_part;
    company->sleeps = sleeps;
    company->jobs = company->others = 0;
}

void eph_company_note(struct eph_company *company, unsigned others, unsigned long own_sleeps)
{
    if (pthread_mutex_trylock(&company->lock) != 0)
        return;
    company->others += others;
    if (++company->jobs == PART_JOBS)
        end_part(company, own_sleeps);
    pthread_mutex_unlock(&company->lock);
}
