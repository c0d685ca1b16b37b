// SPDX-License-Identifier: Apache-2.0
// The memory of one client that its device function may reach: a sorted table of IO virtual ranges.
#ifndef EPH_SIM_DMA_H
#define EPH_SIM_DMA_H

#include <ephemera/vfio_user.h>
#include <stdbool.h>
#include <stddef.h>

enum { EPH_DMA_MAX_MAPS = 65535, EPH_DMA_PAGE_BYTES = 4096 };

struct eph_dma_range {
    uint64_t first, last; // inclusive, so that the last page of the address space is expressible
    uint8_t *host;        // owned mapping; NULL: the map came without a file descriptor and can not be reached
    uint32_t flags;       // EPH_VU_DMA_FLAG_*: what the device may do
};

struct eph_dma_table {
    struct eph_dma_range *ranges; // owned, sorted, disjoint
    size_t count, capacity;
};

void eph_dma_init(struct eph_dma_table *table);
void eph_dma_fini(struct eph_dma_table *table); // unmaps everything
// In a forked child, which does not have the mappings (MADV_DONTFORK): their addresses may be somebody else's by now.
void eph_dma_forget(struct eph_dma_table *table);

// All three return 0 or an errno value. fd is borrowed; -1: none.
int eph_dma_map(struct eph_dma_table *table, const struct eph_vu_dma_map *request, int fd);
// Removes every range inside [address, address + bytes); the end may wrap past 2^64. EINVAL, and nothing removed, when
// the range would cut a map in two.
int eph_dma_unmap(struct eph_dma_table *table, uint64_t address, uint64_t bytes);
void eph_dma_unmap_all(struct eph_dma_table *table);

// Copies may cross from one map into the next. False: not all of it is mapped with that right, and nothing was copied;
// or the mapped file has become too short meanwhile, and some of it was.
bool eph_dma_read(const struct eph_dma_table *table, uint64_t address, void *buffer, size_t bytes);
// The last 8 bytes (when aligned) become visible after all others: a completion's phase comes last.
bool eph_dma_write(const struct eph_dma_table *table, uint64_t address, const void *buffer, size_t bytes);

#endif
