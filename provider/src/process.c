// SPDX-License-Identifier: Apache-2.0
#include "process.h"
#include "provider.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MARK_BYTES = 1 }; // mmap makes a page of it

static const uint8_t *make_mark(void)
{
    uint8_t *mark = mmap(NULL, MARK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mark == MAP_FAILED)
        return NULL;
    *mark = 1;
    if (madvise(mark, MARK_BYTES, MADV_WIPEONFORK) == 0)
        return mark;
    munmap(mark, MARK_BYTES);
    return NULL;
}

static void free_process(struct eph_process *process)
{
    if (process->mark != NULL)
        munmap((void *)process->mark, MARK_BYTES);
    free(process);
}

static struct eph_process *create(struct eph_provider *provider, pid_t pid, struct eph_process *older)
{
    struct eph_process *process = calloc(1, sizeof *process);
    if (process == NULL)
        return NULL;
    process->older = older;
    process->mark = make_mark();
    if (process->mark == NULL || !eph_stats_init(&process->stats, &provider->stats_sink, provider->config.device,
                                                 pid != provider->initial_pid)) {
        free_process(process);
        return NULL;
    }
    eph_attachment_init(&process->attachment);
    eph_flights_init(&process->flights);
    eph_pool_init(&process->pool, process);
    eph_async_init(&process->async, process);
    eph_stock_init(&process->stock);
    return process;
}

struct eph_process *eph_process_current(struct eph_provider *provider)
{
    for (;;) {
        // Acquire: see what the creator wrote before its release below.
        struct eph_process *process = atomic_load_explicit(&provider->process, memory_order_acquire);
        if (process != NULL && eph_process_is_ours(process))
            return process;
        pid_t pid = getpid();
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
        bool ours = eph_process_is_ours(process);
        eph_async_fini(&process->async, ours);
        if (ours)
            eph_flights_end(&process->flights, EPH_E_GONE);
        eph_attachment_fini(&process->attachment, ours);
        eph_pool_fini(&process->pool, ours);
        eph_stock_fini(&process->stock, ours);
        if (ours)
            eph_flights_fini(&process->flights);
        eph_stats_fini(&process->stats, ours);
        free_process(process);
        process = older;
    }
}
