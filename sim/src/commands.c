// SPDX-License-Identifier: Apache-2.0
// vfio-user commands (specification 0.1: QEMU docs/interop/vfio-user, section "vfio-user commands"). Structures are
// those of linux/vfio.h; every length is checked before use. No region can be mapped: a trapped doorbell is the faster
// one here.
#include "session.h"

#include <errno.h>
#include <linux/vfio.h>
#include <string.h>

static const char capabilities[] =
    "{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":1048576,\"pgsizes\":4096,"
    "\"max_dma_maps\":65535,\"write_multiple\":true}}";
_Static_assert((int)EPH_VU_MAX_FDS == 16 && (int)EPH_VU_MAX_DATA == 1048576 && (int)EPH_DMA_PAGE_BYTES == 4096 &&
                   (int)EPH_DMA_MAX_MAPS == 65535,
               "the capabilities above say so");

static int reply_with(struct eph_session *session, const void *data, size_t bytes)
{
    uint8_t *out = eph_session_reply_data(session, bytes);
    if (out == NULL)
        return ENOMEM;
    memcpy(out, data, bytes);
    return 0;
}

static int version(struct eph_session *session, const uint8_t *payload, size_t bytes)
{
    struct eph_vu_version request;
    if (bytes < sizeof request || session->versioned)
        return EINVAL;
    memcpy(&request, payload, sizeof request);
    if (bytes > sizeof request && payload[bytes - 1] != '\0')
        return EINVAL;
    eph_device_trace(session->function->device, "function %u: client speaks %u.%u %s", session->function->queue,
                     request.major, request.minor,
                     bytes > sizeof request ? (const char *)payload + sizeof request : "");
    if (request.major != 0)
        return EINVAL;
    struct eph_vu_version reply = {.major = 0, .minor = request.minor < 1 ? request.minor : 1};
    uint8_t *out = eph_session_reply_data(session, sizeof reply + sizeof capabilities);
    if (out == NULL)
        return ENOMEM;
    memcpy(out, &reply, sizeof reply);
    memcpy(out + sizeof reply, capabilities, sizeof capabilities);
    session->versioned = true;
    return 0;
}

static int dma_map(struct eph_session *session, const uint8_t *payload, size_t bytes)
{
    struct eph_vu_dma_map request;
    if (bytes < sizeof request)
        return EINVAL;
    memcpy(&request, payload, sizeof request);
    session->function->device->stats.dma_maps++;
    return eph_dma_map(&session->function->dma, &request, session->fd_count > 0 ? session->fds[0] : -1);
}

static int dma_unmap(struct eph_session *session, const uint8_t *payload, size_t bytes)
{
    struct eph_vu_dma_unmap request;
    if (bytes < sizeof request)
        return EINVAL;
    memcpy(&request, payload, sizeof request);
    session->function->device->stats.dma_unmaps++;
    int error = 0;
    if (request.flags == VFIO_DMA_UNMAP_FLAG_ALL)
        eph_dma_unmap_all(&session->function->dma);
    else if (request.flags == 0)
        error = eph_dma_unmap(&session->function->dma, request.address, request.bytes);
    else
        error = EINVAL; // dirty bitmaps: no migration here
    return error ? error : reply_with(session, &request, sizeof request);
}

static int get_info(struct eph_session *session)
{
    struct {
        uint32_t argsz, flags, regions, irqs;
    } info = {sizeof info, VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI, VFIO_PCI_NUM_REGIONS, VFIO_PCI_NUM_IRQS};
    return reply_with(session, &info, sizeof info);
}

static uint64_t region_bytes(uint32_t region)
{
    return region == VFIO_PCI_BAR0_REGION_INDEX     ? EPH_BAR0_BYTES
           : region == VFIO_PCI_BAR2_REGION_INDEX   ? EPH_BAR2_BYTES
           : region == VFIO_PCI_CONFIG_REGION_INDEX ? EPH_PCI_CONFIG_BYTES
                                                    : 0;
}

static int region_info(struct eph_session *session, const uint8_t *payload, size_t bytes)
{
    struct vfio_region_info info;
    if (bytes < offsetof(struct vfio_region_info, cap_offset))
        return EINVAL;
    memcpy(&info, payload, offsetof(struct vfio_region_info, cap_offset));
    if (info.index >= VFIO_PCI_NUM_REGIONS)
        return EINVAL;
    uint64_t size = region_bytes(info.index);
    uint32_t flags = size ? VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE : 0;
    info = (struct vfio_region_info){.argsz = sizeof info, .flags = flags, .index = info.index, .size = size};
    return reply_with(session, &info, sizeof info);
}

static int irq_info(struct eph_session *session, const uint8_t *payload, size_t bytes)
{
    struct vfio_irq_info info;
    if (bytes < sizeof info)
        return EINVAL;
    memcpy(&info, payload, sizeof info);
    if (info.index >= VFIO_PCI_NUM_IRQS)
        return EINVAL;
    info.argsz = sizeof info;
    info.flags = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
    info.count = info.index == VFIO_PCI_MSIX_IRQ_INDEX                                          ? EPH_MSIX_VECTORS
                 : info.index == VFIO_PCI_ERR_IRQ_INDEX || info.index == VFIO_PCI_REQ_IRQ_INDEX ? 1
                                                                                                : 0;
    return reply_with(session, &info, sizeof info);
}

static int set_irqs(struct eph_session *session, const uint8_t *payload, size_t bytes)
{
    struct vfio_irq_set request;
    if (bytes < sizeof request)
        return EINVAL;
    memcpy(&request, payload, sizeof request);
    return eph_irq_configure(&session->function->irqs, &request, payload + sizeof request, bytes - sizeof request,
                             session->fds, session->fd_count);
}

// BAR0 takes 32-bit aligned accesses only; a burst is so many of them. Others read all ones and write nothing, as on a
// bus.
static bool bar0_access(struct eph_function *function, uint64_t offset, uint32_t count)
{
    if (offset % 4 == 0 && count % 4 == 0)
        return true;
    function->device->stats.bad_accesses++;
    return false;
}

static void read_bar0(struct eph_function *function, uint64_t offset, uint8_t *out, uint32_t count)
{
    if (!bar0_access(function, offset, count)) {
        memset(out, 0xff, count);
        return;
    }
    for (uint32_t i = 0; i < count; i += 4) {
        uint32_t value = eph_function_read32(function, (uint32_t)offset + i);
        memcpy(out + i, &value, sizeof value);
    }
}

static void write_bar0(struct eph_function *function, uint64_t offset, const uint8_t *data, uint32_t count)
{
    if (!bar0_access(function, offset, count))
        return;
    for (uint32_t i = 0; i < count; i += 4) {
        uint32_t value;
        memcpy(&value, data + i, sizeof value);
        eph_function_write32(function, (uint32_t)offset + i, value);
    }
}

// BAR2: the MSI-X table is storage (as with VFIO, vectors are routed and masked by SET_IRQS), the pending bits are
// live.
static void read_bar2(struct eph_function *function, uint64_t offset, uint8_t *out, uint32_t count)
{
    uint32_t pending = eph_irq_pending(&function->irqs);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t at = offset + i;
        if (at < EPH_MSIX_TABLE_OFFSET + sizeof function->msix_table)
            out[i] = function->msix_table[at - EPH_MSIX_TABLE_OFFSET];
        else if (at >= EPH_MSIX_PBA_OFFSET && at < EPH_MSIX_PBA_OFFSET + sizeof pending)
            out[i] = (uint8_t)(pending >> 8 * (at - EPH_MSIX_PBA_OFFSET));
        else
            out[i] = 0;
    }
}

static void write_bar2(struct eph_function *function, uint64_t offset, const uint8_t *data, uint32_t count)
{
    for (uint32_t i = 0; i < count && offset + i < EPH_MSIX_TABLE_OFFSET + sizeof function->msix_table; i++)
        function->msix_table[offset + i - EPH_MSIX_TABLE_OFFSET] = data[i];
}

static bool inside(const struct eph_vu_region_access *access)
{
    uint64_t size = region_bytes(access->region);
    return access->count >= 1 && access->offset < size && access->count <= size - access->offset;
}

static int region_read(struct eph_session *session, const uint8_t *payload, size_t bytes)
{
    struct eph_function *function = session->function;
    struct eph_vu_region_access access;
    if (bytes < sizeof access)
        return EINVAL;
    memcpy(&access, payload, sizeof access);
    if (!inside(&access))
        return EINVAL;
    uint8_t *out = eph_session_reply_data(session, sizeof access + access.count);
    if (out == NULL)
        return ENOMEM;
    memcpy(out, &access, sizeof access);
    out += sizeof access;
    if (function->gone)
        memset(out, 0xff, access.count);
    else if (access.region == VFIO_PCI_BAR0_REGION_INDEX)
        read_bar0(function, access.offset, out, access.count);
    else if (access.region == VFIO_PCI_BAR2_REGION_INDEX)
        read_bar2(function, access.offset, out, access.count);
    else
        memcpy(out, function->pci.bytes + access.offset, access.count);
    return 0;
}

static void write_region(struct eph_function *function, const struct eph_vu_region_access *access, const uint8_t *data)
{
    if (function->gone)
        return;
    if (access->region == VFIO_PCI_BAR0_REGION_INDEX) {
        write_bar0(function, access->offset, data, access->count);
    } else if (access->region == VFIO_PCI_BAR2_REGION_INDEX) {
        write_bar2(function, access->offset, data, access->count);
    } else if (eph_pci_write(&function->pci, (uint32_t)access->offset, data, access->count)) {
        eph_pci_reset(&function->pci); // PCI Express 6.6.2: a function-level reset clears what software configured
        eph_function_reset(function);
    }
}

static int region_write(struct eph_session *session, const uint8_t *payload, size_t bytes)
{
    struct eph_vu_region_access access;
    if (bytes < sizeof access)
        return EINVAL;
    memcpy(&access, payload, sizeof access);
    if (!inside(&access) || access.count > bytes - sizeof access)
        return EINVAL;
    write_region(session->function, &access, payload + sizeof access);
    return reply_with(session, &access, sizeof access);
}

static int region_write_multi(struct eph_session *session, const uint8_t *payload, size_t bytes)
{
    struct one {
        struct eph_vu_region_access access;
        uint8_t data[8];
    } one;
    uint64_t count;
    if (bytes < sizeof count)
        return EINVAL;
    memcpy(&count, payload, sizeof count);
    if (count > (bytes - sizeof count) / sizeof one)
        return EINVAL;
    for (uint64_t i = 0; i < count; i++) {
        memcpy(&one, payload + sizeof count + i * sizeof one, sizeof one);
        if (!inside(&one.access) || one.access.count > sizeof one.data)
            return EINVAL;
        write_region(session->function, &one.access, one.data);
    }
    return reply_with(session, &count, sizeof count);
}

// As VFIO_DEVICE_RESET of a kernel: a function-level reset that keeps the configuration space, maps and interrupts.
static int device_reset(struct eph_session *session)
{
    if (session->function->gone)
        return ENODEV;
    eph_function_reset(session->function);
    return 0;
}

int eph_command_execute(struct eph_session *session, const struct eph_vu_header *header, uint8_t *payload, size_t bytes,
                        bool *fatal)
{
    if (header->command == EPH_VU_VERSION) {
        int error = version(session, payload, bytes);
        *fatal = error != 0;
        return error;
    }
    if (!session->versioned) {
        *fatal = true;
        return EINVAL;
    }
    switch (header->command) {
    case EPH_VU_DMA_MAP:
        return dma_map(session, payload, bytes);
    case EPH_VU_DMA_UNMAP:
        return dma_unmap(session, payload, bytes);
    case EPH_VU_DEVICE_GET_INFO:
        return get_info(session);
    case EPH_VU_DEVICE_GET_REGION_INFO:
        return region_info(session, payload, bytes);
    case EPH_VU_DEVICE_GET_IRQ_INFO:
        return irq_info(session, payload, bytes);
    case EPH_VU_DEVICE_SET_IRQS:
        return set_irqs(session, payload, bytes);
    case EPH_VU_REGION_READ:
        return region_read(session, payload, bytes);
    case EPH_VU_REGION_WRITE:
        return region_write(session, payload, bytes);
    case EPH_VU_REGION_WRITE_MULTI:
        return region_write_multi(session, payload, bytes);
    case EPH_VU_DEVICE_RESET:
        return device_reset(session);
    default: // REGION_IO_FDS, DMA_READ and WRITE (server to client), FEATURE: none of them has a use here
        return ENOTSUP;
    }
}
