// SPDX-License-Identifier: Apache-2.0
#include "process.h"
#include "provider.h"

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

static struct eph_process *create(struct eph_provider *provider, pid_t pid, struct eph_process *older)
{
    struct eph_process *process = calloc(1, sizeof *process);
    if (process == NULL)
        return NULL;
    process->pid = pid;
    process->older = older;
    if (!eph_stats_init(&process->stats, &provider->stats_sink, provider->config.device,
                        pid != provider->initial_pid)) {
        free(process);
        return NULL;
    }
    eph_attachment_init(&process->attachment);
    eph_flights_init(&process->flights);
    eph_pool_init(&process->pool, process);
    eph_async_init(&process->async, process);
    return process;
}

struct eph_process *eph_process_current(struct eph_provider *provider)
{
    pid_t pid = getpid();
    for (;;) {
        // Acquire: see what the creator wrote before its release below.
        struct eph_process *process = atomic_load_explicit(&provider->process, memory_order_acquire);
        if (process != NULL && process->pid == pid)
            return process;
        // One thread creates; a claim by another pid was inherited through fork and means nothing here.
        pid_t creator = atomic_load_explicit(&provider->creator, memory_order_relaxed);
        if (creator != pid && atomic_compare_exchange_strong(&provider->creator, &creator, pid)) {
            process = create(provider, pid, atomic_load_explicit(&provider->process, memory_order_acquire));
            if (process == NULL)
                atomic_store(&provider->creator, 0);
            else
                atomic_store_explicit(&provider->process, process, memory_order_release);
            return process;
        }
        sched_yield(); // the creator needs microseconds: one open and one mmap
    }
}

void eph_process_free_all(struct eph_provider *provider)
{
    struct eph_process *process = atomic_exchange(&provider->process, NULL);
    while (process != NULL) {
        struct eph_process *older = process->older;
        bool ours = process->pid == getpid();
        eph_async_fini(&process->async, ours);
        if (ours)
            eph_flights_end(&process->flights, EPH_E_GONE);
        eph_attachment_fini(&process->attachment, ours);
        eph_pool_fini(&process->pool, ours);
        if (ours)
            eph_flights_fini(&process->flights);
        eph_stats_fini(&process->stats, ours);
        free(process);
        process = older;
    }
}
