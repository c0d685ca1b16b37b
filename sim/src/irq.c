// SPDX-License-Identifier: Apache-2.0
#include "irq.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static void replace(int *slot, int fd)
{
    if (*slot >= 0)
        close(*slot);
    *slot = fd;
}

void eph_irq_init(struct eph_irq_set *irqs)
{
    memset(irqs, 0, sizeof *irqs);
    for (unsigned v = 0; v < EPH_MSIX_VECTORS; v++)
        irqs->fd[v] = -1;
    irqs->error_fd = irqs->request_fd = -1;
}

void eph_irq_fini(struct eph_irq_set *irqs)
{
    for (unsigned v = 0; v < EPH_MSIX_VECTORS; v++)
        replace(&irqs->fd[v], -1);
    replace(&irqs->error_fd, -1);
    replace(&irqs->request_fd, -1);
    eph_irq_init(irqs);
}

bool eph_irq_raise(struct eph_irq_set *irqs, unsigned vector)
{
    if (vector >= EPH_MSIX_VECTORS)
        return false;
    if (irqs->masked[vector]) {
        irqs->pending[vector] = true;
        return false;
    }
    // The descriptor came from the client: whatever it is and however full its counter, it must not block the server.
    struct pollfd writable = {.fd = irqs->fd[vector], .events = POLLOUT};
    if (writable.fd < 0 || poll(&writable, 1, 0) != 1 || !(writable.revents & POLLOUT))
        return false;
    uint64_t one = 1;
    return write(writable.fd, &one, sizeof one) == sizeof one;
}

uint32_t eph_irq_pending(const struct eph_irq_set *irqs)
{
    uint32_t bits = 0;
    for (unsigned v = 0; v < EPH_MSIX_VECTORS; v++)
        bits |= (uint32_t)irqs->pending[v] << v;
    return bits;
}

static int take(int *fds, unsigned fd_count, unsigned i)
{
    if (i >= fd_count)
        return -1; // an eventfd set without a descriptor detaches the vector
    int fd = fds[i];
    fds[i] = -1;
    return fd;
}

static void set_mask(struct eph_irq_set *irqs, unsigned vector, bool masked)
{
    irqs->masked[vector] = masked;
    if (!masked && irqs->pending[vector]) {
        irqs->pending[vector] = false;
        (void)eph_irq_raise(irqs, vector); // nobody listening any more is the client's choice
    }
}

static int configure_msix(struct eph_irq_set *irqs, const struct vfio_irq_set *request, const uint8_t *data, int *fds,
                          unsigned fd_count)
{
    uint32_t kind = request->flags & VFIO_IRQ_SET_DATA_TYPE_MASK,
             action = request->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;
    if (kind == VFIO_IRQ_SET_DATA_NONE && action == VFIO_IRQ_SET_ACTION_TRIGGER && request->count == 0) {
        for (unsigned v = 0; v < EPH_MSIX_VECTORS; v++)
            replace(&irqs->fd[v], -1);
        return 0;
    }
    for (uint32_t i = 0; i < request->count; i++) {
        unsigned vector = request->start + i;
        if (kind == VFIO_IRQ_SET_DATA_BOOL && data[i] == 0)
            continue;
        if (kind == VFIO_IRQ_SET_DATA_EVENTFD)
            replace(&irqs->fd[vector], take(fds, fd_count, i));
        else if (action == VFIO_IRQ_SET_ACTION_TRIGGER)
            (void)eph_irq_raise(irqs, vector); // loop-back test of the client
        else
            set_mask(irqs, vector, action == VFIO_IRQ_SET_ACTION_MASK);
    }
    return 0;
}

static bool one_bit(uint32_t bits)
{
    return bits != 0 && (bits & (bits - 1)) == 0;
}

int eph_irq_configure(struct eph_irq_set *irqs, const struct vfio_irq_set *request, const uint8_t *data,
                      size_t data_bytes, int *fds, unsigned fd_count)
{
    uint32_t kind = request->flags & VFIO_IRQ_SET_DATA_TYPE_MASK,
             action = request->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;
    if (!one_bit(kind) || !one_bit(action) || (kind | action) != request->flags)
        return EINVAL;
    if (kind == VFIO_IRQ_SET_DATA_EVENTFD && action != VFIO_IRQ_SET_ACTION_TRIGGER)
        return EINVAL;
    uint32_t vectors = request->index == VFIO_PCI_MSIX_IRQ_INDEX ? EPH_MSIX_VECTORS
                       : request->index == VFIO_PCI_ERR_IRQ_INDEX || request->index == VFIO_PCI_REQ_IRQ_INDEX ? 1
                                                                                                              : 0;
    if (request->index >= VFIO_PCI_NUM_IRQS || request->start > vectors || request->count > vectors - request->start)
        return EINVAL;
    if (kind == VFIO_IRQ_SET_DATA_BOOL && data_bytes < request->count)
        return EINVAL;
    if (request->index == VFIO_PCI_MSIX_IRQ_INDEX)
        return configure_msix(irqs, request, data, fds, fd_count);
    if (vectors == 1 && kind != VFIO_IRQ_SET_DATA_BOOL) {
        int *slot = request->index == VFIO_PCI_ERR_IRQ_INDEX ? &irqs->error_fd : &irqs->request_fd;
        replace(slot, kind == VFIO_IRQ_SET_DATA_EVENTFD ? take(fds, fd_count, 0) : -1);
    }
    return 0;
}
