// SPDX-License-Identifier: Apache-2.0
#include "dma.h"
#include "guard.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

void eph_dma_init(struct eph_dma_table *table)
{
    *table = (struct eph_dma_table){0};
}

static void release(struct eph_dma_range *range)
{
    if (range->host != NULL)
        munmap(range->host, range->last - range->first + 1);
}

void eph_dma_unmap_all(struct eph_dma_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        release(&table->ranges[i]);
    table->count = 0;
}

void eph_dma_forget(struct eph_dma_table *table)
{
    table->count = 0;
}

void eph_dma_fini(struct eph_dma_table *table)
{
    eph_dma_unmap_all(table);
    free(table->ranges);
    *table = (struct eph_dma_table){0};
}

// Index of the first range that ends at or after address.
static size_t lower_bound(const struct eph_dma_table *table, uint64_t address)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->ranges[middle].last < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// Only regular files (memfd, shm, hugetlbfs) that are long enough are taken. A client may shorten its file later: see
// guard.h.
static int map_file(const struct eph_vu_dma_map *request, int fd, uint8_t **host)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return errno;
    uint64_t file_bytes = (uint64_t)status.st_size;
    if (!S_ISREG(status.st_mode) || request->offset > file_bytes || request->bytes > file_bytes - request->offset)
        return EINVAL;
    int protection = PROT_READ | (request->flags & EPH_VU_DMA_FLAG_WRITE ? PROT_WRITE : 0);
    void *mapping = mmap(NULL, request->bytes, protection, MAP_SHARED, fd, (off_t)request->offset);
    if (mapping == MAP_FAILED)
        return errno;
    // After a fork of the host process (plugin) the child must not keep the client's memory alive.
    (void)madvise(mapping, request->bytes, MADV_DONTFORK);
    *host = mapping;
    return 0;
}

static int reserve_one(struct eph_dma_table *table)
{
    if (table->count < table->capacity)
        return 0;
    if (table->count >= EPH_DMA_MAX_MAPS)
        return ENOSPC;
    size_t capacity = table->capacity == 0 ? 16 : 2 * table->capacity;
    struct eph_dma_range *ranges = realloc(table->ranges, capacity * sizeof *ranges);
    if (ranges == NULL)
        return ENOMEM;
    table->ranges = ranges;
    table->capacity = capacity;
    return 0;
}

int eph_dma_map(struct eph_dma_table *table, const struct eph_vu_dma_map *request, int fd)
{
    uint64_t last = request->address + (request->bytes - 1);
    if (request->bytes == 0 || last < request->address ||
        (request->address | request->bytes | request->offset) % EPH_DMA_PAGE_BYTES != 0)
        return EINVAL;
    if (request->flags & ~(uint32_t)(EPH_VU_DMA_FLAG_READ | EPH_VU_DMA_FLAG_WRITE))
        return EINVAL;
    size_t at = lower_bound(table, request->address);
    if (at < table->count && table->ranges[at].first <= last)
        return EEXIST;
    struct eph_dma_range range = {request->address, last, NULL, request->flags};
    int error = reserve_one(table);
    if (error == 0 && fd >= 0)
        error = map_file(request, fd, &range.host);
    if (error != 0)
        return error;
    memmove(&table->ranges[at + 1], &table->ranges[at], (table->count - at) * sizeof range);
    table->ranges[at] = range;
    table->count++;
    return 0;
}

int eph_dma_unmap(struct eph_dma_table *table, uint64_t address, uint64_t bytes)
{
    if (bytes == 0)
        return EINVAL;
    uint64_t last = address + (bytes - 1);
    if (last < address)
        last = UINT64_MAX;
    size_t begin = lower_bound(table, address), end = begin;
    while (end < table->count && table->ranges[end].first <= last) {
        if (table->ranges[end].first < address || table->ranges[end].last > last)
            return EINVAL;
        end++;
    }
    if (begin == end)
        return 0;
    for (size_t i = begin; i < end; i++)
        release(&table->ranges[i]);
    memmove(&table->ranges[begin], &table->ranges[end], (table->count - end) * sizeof *table->ranges);
    table->count -= end - begin;
    return 0;
}

// Host address of `address` and how many of `bytes` lie in the same map; NULL when not reachable with these rights.
static uint8_t *reach(const struct eph_dma_table *table, uint64_t address, size_t bytes, uint32_t right, size_t *chunk)
{
    size_t at = lower_bound(table, address);
    if (at == table->count)
        return NULL;
    const struct eph_dma_range *range = &table->ranges[at];
    if (address < range->first || range->host == NULL || !(range->flags & right))
        return NULL;
    uint64_t left = range->last - address; // less one
    *chunk = left < bytes - 1 ? (size_t)left + 1 : bytes;
    return range->host + (address - range->first);
}

static bool reachable(const struct eph_dma_table *table, uint64_t address, size_t bytes, uint32_t right)
{
    size_t chunk = 0;
    for (; bytes > 0; address += chunk, bytes -= chunk)
        if (reach(table, address, bytes, right, &chunk) == NULL)
            return false;
    return true;
}

bool eph_dma_read(const struct eph_dma_table *table, uint64_t address, void *buffer, size_t bytes)
{
    if (!reachable(table, address, bytes, EPH_VU_DMA_FLAG_READ))
        return false;
    // Pairs with the client's release store of its doorbell, which reached us through a socket: no more than an
    // ordering fence.
    atomic_thread_fence(memory_order_acquire);
    uint8_t *to = buffer;
    for (size_t chunk = 0; bytes > 0; address += chunk, to += chunk, bytes -= chunk) {
        const uint8_t *host = reach(table, address, bytes, EPH_VU_DMA_FLAG_READ, &chunk);
        if (!eph_guard_copy(to, host, chunk))
            return false;
    }
    return true;
}

bool eph_dma_write(const struct eph_dma_table *table, uint64_t address, const void *buffer, size_t bytes)
{
    if (!reachable(table, address, bytes, EPH_VU_DMA_FLAG_WRITE))
        return false;
    const uint8_t *from = buffer;
    bool ordered = bytes >= 8 && (address + bytes) % 8 == 0;
    size_t plain = ordered ? bytes - 8 : bytes, chunk = 0;
    for (; plain > 0; address += chunk, from += chunk, plain -= chunk) {
        uint8_t *host = reach(table, address, plain, EPH_VU_DMA_FLAG_WRITE, &chunk);
        if (!eph_guard_copy(host, from, chunk))
            return false;
    }
    if (ordered) {
        uint64_t value;
        memcpy(&value, from, sizeof value);
        // Orders the copies above before this store; pairs with the client's acquire load of the phase.
        uint8_t *last = reach(table, address, 8, EPH_VU_DMA_FLAG_WRITE, &chunk);
        return eph_guard_store64((uint64_t *)(void *)last, value);
    }
    return true;
}
