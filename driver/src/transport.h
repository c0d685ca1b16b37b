// SPDX-License-Identifier: Apache-2.0
// How registers, memory and interrupts of one device function are reached. The queue knows no more of a bus than this.
// Serialised by the caller (the queue's mutex). Any call may answer EPH_E_GONE; from then on all do.
#ifndef EPH_TRANSPORT_H
#define EPH_TRANSPORT_H

#include <ephemera/ephemera.h>
#include <stdbool.h>

struct eph_transport;

struct eph_transport_ops {
    const char *name; // "vfio-user"
    // BAR0, offset a multiple of 4. Blocks until deadline_ns at most (EPH_E_TIMEOUT).
    enum eph_status (*read32)(struct eph_transport *transport, uint32_t offset, uint32_t *value, uint64_t deadline_ns);
    // Posted: returning says nothing about the device. Writes stay in order, before and after reads.
    enum eph_status (*write32)(struct eph_transport *transport, uint32_t offset, uint32_t value);
    // PCI command register: memory decode always on, bus mastering as asked.
    enum eph_status (*set_master)(struct eph_transport *transport, bool master, uint64_t deadline_ns);
    // Lets the device read and write `bytes` of memory_fd at bus address `address`. memory_fd stays the caller's.
    enum eph_status (*map_dma)(struct eph_transport *transport, int memory_fd, uint64_t address, uint64_t bytes,
                               uint64_t deadline_ns);
    // MSI-X vector -> event_fd, which stays the caller's.
    enum eph_status (*set_irq)(struct eph_transport *transport, uint32_t vector, int event_fd, uint64_t deadline_ns);
    // Function-level reset in two halves, so that nobody has to wait for it. finish: EPH_E_AGAIN while the device is at
    // it. Bus mastering and interrupts have to be set up again after it.
    enum eph_status (*reset_start)(struct eph_transport *transport);
    enum eph_status (*reset_finish)(struct eph_transport *transport);
    void (*close)(struct eph_transport *transport); // frees; accepts a transport whose other side is gone
};

struct eph_transport {
    const struct eph_transport_ops *ops;
    int death_fd; // borrowed: reports POLLHUP when the device is gone; -1: none
};

// Speaks vfio-user on socket_fd (owned from now on, also on failure): version, device, region and interrupt checks.
EPH_MUST_CHECK enum eph_status eph_vfio_user_open(struct eph_transport **transport, int socket_fd,
                                                  uint64_t deadline_ns);

#endif
