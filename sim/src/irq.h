// SPDX-License-Identifier: Apache-2.0
// Interrupts of one function: MSI-X vectors as eventfds of the client.
#ifndef EPH_SIM_IRQ_H
#define EPH_SIM_IRQ_H

#include <ephemera/wire.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stddef.h>

struct eph_irq_set {
    int fd[EPH_MSIX_VECTORS]; // owned, -1: none
    bool masked[EPH_MSIX_VECTORS];
    bool pending[EPH_MSIX_VECTORS]; // raised while masked
    int error_fd, request_fd;       // VFIO_PCI_ERR_IRQ_INDEX, VFIO_PCI_REQ_IRQ_INDEX; never raised here
};

void eph_irq_init(struct eph_irq_set *irqs);
void eph_irq_fini(struct eph_irq_set *irqs); // closes all

// VFIO_DEVICE_SET_IRQS. data: what follows the structure. Taken descriptors are set to -1 in fds. Returns 0 or an errno
// value.
int eph_irq_configure(struct eph_irq_set *irqs, const struct vfio_irq_set *request, const uint8_t *data,
                      size_t data_bytes, int *fds, unsigned fd_count);
// Never blocks. False: nobody listens (no eventfd, masked, or its counter is full).
bool eph_irq_raise(struct eph_irq_set *irqs, unsigned vector);
uint32_t eph_irq_pending(const struct eph_irq_set *irqs); // the pending bit array, bit v: vector v

#endif
