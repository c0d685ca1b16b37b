// SPDX-License-Identifier: Apache-2.0
// One simulated card: a back end with 16 hardware queues, shown to software as 16 independent PCIe functions of one
// queue each. function.c maps a client's view to its hardware queue; here is what the card does to all of them: DMA,
// interrupts, faults.
#ifndef EPH_SIM_DEVICE_H
#define EPH_SIM_DEVICE_H

#include "backend.h"
#include "dma.h"
#include "faults.h"
#include "irq.h"
#include "pci.h"

#include <ephemera/wire.h>
#include <stdarg.h>

struct eph_function {
    struct eph_device *device; // borrowed
    unsigned queue;            // hardware queue, fixed
    bool attached;             // a client owns it
    bool resetting;            // its hardware queue drains; its DMA and interrupts are discarded
    bool hung, fatal, gone;    // injected faults
    struct eph_pci_config pci;
    struct eph_dma_table dma;
    struct eph_irq_set irqs;
    uint8_t msix_table[16 * EPH_MSIX_VECTORS];
    uint32_t vector;     // as the client wrote it; the hardware's is queue + 1, so that clients may choose alike
    uint32_t error_code; // first error of this function since its reset
    uint64_t error_address;
    uint32_t refused_code; // last DMA that was refused, EPH_ERR_NONE if none
    uint64_t refused_address;
    enum eph_number suspect;  // what the last doorbell or ENABLE could be guilty of
    uint32_t cycles_high;     // latched by this function's read of CYCLES_LO
    bool irq_waiting;         // interrupt held back behind a late completion
    struct eph_cqe duplicate; // the next completion is replaced by this one
    bool duplicate_armed;
};

struct eph_device_stats {
    uint64_t attached, refused_clients, messages, protocol_errors;
    uint64_t reads, writes, bad_accesses;
    uint64_t dma_maps, dma_unmaps, dma_refused, discarded;
    uint64_t completions, interrupts, function_resets, card_resets;
    uint64_t spin_ns; // wall time of the server's turns that found nothing to do and did not sleep
};

struct eph_late_completion {
    uint64_t due_ns; // CLOCK_MONOTONIC
    unsigned queue;
    uint64_t address;
    struct eph_cqe cqe;
};

struct eph_device {
    const struct eph_backend *backend; // borrowed
    void *instance;                    // owned
    bool verbose;
    bool quiet;         // no log at all (embedded without faults)
    bool abandoned;     // inherited by fork: only to be freed
    bool errors_raised; // the card signalled vector 0 or a DMA was refused: look whose queue stopped
    bool latch_used;    // the card's ERR_* registers (first error since its reset) were given to their function already
    struct eph_fault_plan faults;
    struct eph_late_completion late[EPH_MAX_QUEUES << EPH_MAX_LOG2_DEPTH];
    size_t late_count;
    struct eph_function functions[EPH_MAX_QUEUES];
    struct eph_device_stats stats;
};

struct eph_device_options {
    struct eph_backend_options backend;
    const char *faults;
    bool verbose, quiet;
};

// Heap. NULL with errno set and, when it is the user's fault, one line in message.
struct eph_device *eph_device_new(const char *backend, const struct eph_device_options *options, char *message,
                                  size_t message_bytes);
void eph_device_free(struct eph_device *device);

// Lets the card work for a few milliseconds; true while there is more to do.
bool eph_device_run(struct eph_device *device);
// Before a sleep: true when there is work after all.
bool eph_device_sleep(struct eph_device *device);
// Nanoseconds until eph_device_run has something to do again without a new message: UINT64_MAX for never.
uint64_t eph_device_idle_ns(const struct eph_device *device);

__attribute__((format(printf, 2, 3))) void eph_device_log(const struct eph_device *device, const char *format, ...);
__attribute__((format(printf, 2, 3))) void eph_device_trace(const struct eph_device *device, const char *format, ...);
void eph_device_print_stats(const struct eph_device *device);
void eph_device_log_doubt(const struct eph_device *device); // at the end: if its times were not what they should be

// ---- one function

// NULL: all taken. A function whose former queue still drains is handed out with resetting set.
struct eph_function *eph_function_attach(struct eph_device *device);
void eph_function_detach(
    struct eph_function *function); // drops maps and interrupts at once, frees the queue when drained
// FLR or CTRL.RESET: disables and empties this function's queue, no other's. It has ended when resetting is false
// again.
void eph_function_reset(struct eph_function *function);
bool eph_function_settle(struct eph_function *function); // true: no reset in progress (any more)
// The whole card, for a queue that does not drain although the card is idle.
void eph_device_reset_card(struct eph_device *device);

uint32_t eph_function_read32(struct eph_function *function, uint32_t offset); // BAR0
void eph_function_write32(struct eph_function *function, uint32_t offset, uint32_t value);
void eph_function_error(struct eph_function *function); // if its queue stopped: latch the cause, raise vector 0

#endif
