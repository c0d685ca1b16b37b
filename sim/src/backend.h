// SPDX-License-Identifier: Apache-2.0
// A back end is the device behind the PCI function: registers in, DMA and interrupts out. It knows hardware queues,
// never clients. One thread calls everything here; a back end never sleeps, and starts no thread
// unless options ask for workers.
#ifndef EPH_SIM_BACKEND_H
#define EPH_SIM_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// What the device sees of its host. The functions are called from inside read32, write32 and run, and must not call
// them.
struct eph_host {
    void *context;
    // Copy between the device and the memory of the client that owns this queue; false: refused, the bus answers with
    // an error.
    bool (*dma_read)(void *context, unsigned queue, uint64_t address, void *buffer, size_t bytes);
    bool (*dma_write)(void *context, unsigned queue, uint64_t address, const void *buffer, size_t bytes);
    // MSI-X vector of the whole device: 0 errors, 1..16 as the VECTOR registers say.
    void (*interrupt)(void *context, unsigned vector);
};

struct eph_backend_options {
    uint32_t contexts;                 // of an engine; 0: as built
    uint32_t engines;                  // 0: as built
    const char *wave_path;             // FST waveform, NULL for none
    const struct eph_profile *profile; // back end timed: the device to imitate (borrowed during open), else NULL
    uint32_t workers;                  // back end timed: threads beside the caller's
};

struct eph_backend {
    const char *name;
    const char *summary; // one line for --help
    // Heap. NULL with errno set.
    void *(*open)(const struct eph_backend_options *options, const struct eph_host *host);
    // Frees; accepts NULL. orderly: wipes first. Not orderly: a copy inherited by fork, caught at any moment, not to be
    // run.
    void (*close)(void *device, bool orderly);
    uint32_t (*read32)(void *device, uint32_t offset); // BAR0 offset, multiple of 4, below EPH_BAR0_BYTES
    void (*write32)(void *device, uint32_t offset, uint32_t value);
    bool (*run)(void *device); // works for at most a few milliseconds of wall time; true while there is more to do
    uint64_t (*cycles)(void *device); // clock cycles simulated since open
    // NULL for a back end that answers as fast as it can. Else, after run returned false: nanoseconds until run has
    // something to do without a new register access; UINT64_MAX for never.
    uint64_t (*idle_ns)(void *device);
    // For a back end that looks for work by itself in run: nobody will call run for a while. True: there is work now.
    // NULL: never does.
    bool (*sleep)(void *device);
    void (*print_stats)(void *device); // "name value" lines of its own on standard output; NULL: none
    // At the end. True: wall times taken with this device are not those that it stands for, and text says why in one
    // line. NULL: its wall times never say anything.
    bool (*doubt)(void *device, char *text, size_t text_bytes);
};

// "model", "rtl" or "timed"; NULL with errno EINVAL (no such name) or ENOTSUP (not in this build or program).
const struct eph_backend *eph_backend_find(const char *name);
// Makes "timed" known to eph_backend_find; before the first device, by a program that links it.
void eph_backend_register(const struct eph_backend *timed);

extern const struct eph_backend eph_backend_model;
extern const struct eph_backend eph_backend_rtl; // only in builds with EPH_RTL_SIM

#ifdef __cplusplus
}
#endif

#endif
