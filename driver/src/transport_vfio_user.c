// SPDX-License-Identifier: Apache-2.0
// Client side of vfio-user 0.1 over a stream socket. Every call has a deadline: a hung server costs its caller that,
// never more. Replies are matched by message id, so the late answer to a call that was given up is recognised and
// thrown away.
#include "transport.h"
#include "util.h"

#include <ephemera/vfio_user.h>
#include <endian.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { VU_BUFFER_BYTES = 4096 }; // largest reply accepted; ours are below 100 bytes but for the server's version text
// A posted write waits for room in the socket this long; a server that reads nothing for it is hung.
static const uint64_t vu_post_ns = 20 * EPH_NS_PER_MS;

struct vfio_user {
    struct eph_transport base;
    int fd; // owned
    bool dead;
    uint16_t last_id;
    uint16_t reset_id;     // of the reset under way
    size_t received_bytes; // of the message now in the buffer
    union {
        struct eph_vu_header header;
        uint8_t bytes[VU_BUFFER_BYTES];
    } in;
};

static enum eph_status vu_die(struct vfio_user *vu)
{
    vu->dead = true;
    return EPH_E_GONE;
}

static enum eph_status vu_status_of_errno(uint32_t error)
{
    switch (error) {
    case EACCES:
    case EPERM:
        return EPH_E_PERMISSION;
    case ENOTSUP:
    case ENOSYS:
        return EPH_E_UNSUPPORTED;
    case ENOMEM:
    case ENOSPC:
        return EPH_E_NO_MEMORY;
    default:
        return EPH_E_PROTOCOL;
    }
}

// A call: header, payload of two parts (second may be empty), at most one descriptor.
struct vu_call {
    uint16_t command;
    uint32_t flags;
    const void *payload;
    size_t payload_bytes;
    const void *more;
    size_t more_bytes;
    int fd; // -1: none
};

static void vu_attach_fd(struct msghdr *message, void *control, size_t control_bytes, int fd)
{
    memset(control, 0, control_bytes);
    message->msg_control = control;
    message->msg_controllen = control_bytes;
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
}

// Advances the vector past `bytes` that went out.
static void vu_advance(struct msghdr *message, size_t bytes)
{
    while (message->msg_iovlen && bytes >= message->msg_iov->iov_len) {
        bytes -= message->msg_iov->iov_len;
        message->msg_iov++;
        message->msg_iovlen--;
    }
    if (message->msg_iovlen) {
        message->msg_iov->iov_base = (uint8_t *)message->msg_iov->iov_base + bytes;
        message->msg_iov->iov_len -= bytes;
    }
}

static enum eph_status vu_send(struct vfio_user *vu, const struct vu_call *call, uint64_t deadline_ns)
{
    if (vu->dead)
        return EPH_E_GONE;
    struct eph_vu_header header = {
        .id = ++vu->last_id,
        .command = call->command,
        .bytes = (uint32_t)(sizeof header + call->payload_bytes + call->more_bytes),
        .flags = EPH_VU_COMMAND | call->flags,
    };
    struct iovec parts[3] = {
        {&header, sizeof header}, {(void *)call->payload, call->payload_bytes}, {(void *)call->more, call->more_bytes}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(int))];
    if (call->fd >= 0)
        vu_attach_fd(&message, control, sizeof control, call->fd);
    bool begun = false;
    while (message.msg_iovlen) {
        ssize_t sent = sendmsg(vu->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            begun = true;
            message.msg_control = NULL; // the descriptor went with the first byte
            message.msg_controllen = 0;
            vu_advance(&message, (size_t)sent);
        } else if (errno == EAGAIN) {
            struct pollfd room = {.fd = vu->fd, .events = POLLOUT};
            if (!eph_poll_until(&room, 1, deadline_ns))
                return begun ? vu_die(vu) : EPH_E_TIMEOUT; // half a message can not be taken back
        } else if (errno != EINTR) {
            return vu_die(vu);
        }
    }
    return EPH_OK;
}

// Receives up to `bytes` of the current message; state survives a timeout.
static enum eph_status vu_receive_up_to(struct vfio_user *vu, size_t bytes, uint64_t deadline_ns)
{
    while (vu->received_bytes < bytes) {
        ssize_t got =
            recv(vu->fd, vu->in.bytes + vu->received_bytes, bytes - vu->received_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (got > 0) {
            vu->received_bytes += (size_t)got;
        } else if (got < 0 && errno == EAGAIN) {
            struct pollfd data = {.fd = vu->fd, .events = POLLIN};
            if (!eph_poll_until(&data, 1, deadline_ns))
                return EPH_E_TIMEOUT;
        } else if (got == 0 || errno != EINTR) {
            return vu_die(vu);
        }
    }
    return EPH_OK;
}

// Receives until the reply to `id` is in the buffer. Its payload must have at least payload_bytes.
static enum eph_status vu_receive(struct vfio_user *vu, uint16_t id, uint16_t command, size_t payload_bytes,
                                  uint64_t deadline_ns)
{
    if (vu->dead)
        return EPH_E_GONE;
    for (;;) {
        enum eph_status status = vu_receive_up_to(vu, sizeof vu->in.header, deadline_ns);
        if (status != EPH_OK)
            return status;
        const struct eph_vu_header *header = &vu->in.header;
        if (header->bytes < sizeof *header || header->bytes > sizeof vu->in) {
            vu_die(vu); // the stream has lost its frames
            return EPH_E_PROTOCOL;
        }
        status = vu_receive_up_to(vu, header->bytes, deadline_ns);
        if (status != EPH_OK)
            return status;
        vu->received_bytes = 0;
        if (header->id != id || (header->flags & EPH_VU_TYPE_MASK) != EPH_VU_REPLY)
            continue;
        if (header->flags & EPH_VU_ERROR)
            return vu_status_of_errno(header->error);
        if (header->command != command || header->bytes < sizeof *header + payload_bytes)
            return EPH_E_PROTOCOL;
        return EPH_OK;
    }
}

// Call and reply. The first reply_bytes of the reply's payload are copied to `reply`.
static enum eph_status vu_call(struct vfio_user *vu, const struct vu_call *call, void *reply, size_t reply_bytes,
                               uint64_t deadline_ns)
{
    enum eph_status status = vu_send(vu, call, deadline_ns);
    if (status == EPH_OK)
        status = vu_receive(vu, vu->last_id, call->command, reply_bytes, deadline_ns);
    if (status == EPH_OK && reply_bytes)
        memcpy(reply, vu->in.bytes + sizeof vu->in.header, reply_bytes);
    return status;
}

static enum eph_status vu_read32(struct eph_transport *transport, uint32_t offset, uint32_t *value,
                                 uint64_t deadline_ns)
{
    struct vfio_user *vu = (struct vfio_user *)transport;
    struct eph_vu_region_access access = {.offset = offset, .region = VFIO_PCI_BAR0_REGION_INDEX, .count = 4};
    struct vu_call call = {.command = EPH_VU_REGION_READ, .payload = &access, .payload_bytes = sizeof access, .fd = -1};
    struct {
        struct eph_vu_region_access access;
        uint8_t data[4];
    } reply;
    enum eph_status status = vu_call(vu, &call, &reply, sizeof reply.access + sizeof reply.data, deadline_ns);
    if (status != EPH_OK)
        return status;
    if (reply.access.count != 4)
        return EPH_E_PROTOCOL;
    *value =
        reply.data[0] | (uint32_t)reply.data[1] << 8 | (uint32_t)reply.data[2] << 16 | (uint32_t)reply.data[3] << 24;
    return EPH_OK;
}

// Doorbells come here: one plain send, unless the socket is full.
static enum eph_status vu_write32(struct eph_transport *transport, uint32_t offset, uint32_t value)
{
    struct vfio_user *vu = (struct vfio_user *)transport;
    struct eph_vu_region_access access = {.offset = offset, .region = VFIO_PCI_BAR0_REGION_INDEX, .count = 4};
    uint32_t data = htole32(value);
    struct vu_call call = {.command = EPH_VU_REGION_WRITE,
                           .flags = EPH_VU_NO_REPLY,
                           .payload = &access,
                           .payload_bytes = sizeof access,
                           .more = &data,
                           .more_bytes = sizeof data,
                           .fd = -1};
    uint8_t message[sizeof(struct eph_vu_header) + sizeof access + sizeof data];
    struct eph_vu_header header = {.id = (uint16_t)(vu->last_id + 1),
                                   .command = call.command,
                                   .bytes = sizeof message,
                                   .flags = EPH_VU_COMMAND | call.flags};
    memcpy(message, &header, sizeof header);
    memcpy(message + sizeof header, &access, sizeof access);
    memcpy(message + sizeof header + sizeof access, &data, sizeof data);
    ssize_t sent = vu->dead ? -1 : send(vu->fd, message, sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0)
        return vu_send(vu, &call, eph_now_ns() + vu_post_ns); // waits for room, or finds out what is wrong
    vu->last_id++;
    return (size_t)sent == sizeof message ? EPH_OK : vu_die(vu); // a part of so short a message never happens
}

static enum eph_status vu_set_master(struct eph_transport *transport, bool master, uint64_t deadline_ns)
{
    struct vfio_user *vu = (struct vfio_user *)transport;
    struct eph_vu_region_access access = {.offset = PCI_COMMAND, .region = VFIO_PCI_CONFIG_REGION_INDEX, .count = 2};
    uint8_t data[2] = {(uint8_t)(PCI_COMMAND_MEMORY | (master ? PCI_COMMAND_MASTER : 0)), 0};
    struct vu_call call = {.command = EPH_VU_REGION_WRITE,
                           .payload = &access,
                           .payload_bytes = sizeof access,
                           .more = data,
                           .more_bytes = sizeof data,
                           .fd = -1};
    return vu_call(vu, &call, NULL, 0, deadline_ns);
}

static enum eph_status vu_map_dma(struct eph_transport *transport, int memory_fd, uint64_t address, uint64_t bytes,
                                  uint64_t deadline_ns)
{
    struct vfio_user *vu = (struct vfio_user *)transport;
    struct eph_vu_dma_map map = {
        .argsz = sizeof map, .flags = EPH_VU_DMA_FLAG_READ | EPH_VU_DMA_FLAG_WRITE, .address = address, .bytes = bytes};
    struct vu_call call = {.command = EPH_VU_DMA_MAP, .payload = &map, .payload_bytes = sizeof map, .fd = memory_fd};
    return vu_call(vu, &call, NULL, 0, deadline_ns);
}

static enum eph_status vu_set_irq(struct eph_transport *transport, uint32_t vector, int event_fd, uint64_t deadline_ns)
{
    struct vfio_user *vu = (struct vfio_user *)transport;
    struct vfio_irq_set set = {.argsz = sizeof set,
                               .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
                               .index = VFIO_PCI_MSIX_IRQ_INDEX,
                               .start = vector,
                               .count = 1};
    struct vu_call call = {
        .command = EPH_VU_DEVICE_SET_IRQS, .payload = &set, .payload_bytes = sizeof set, .fd = event_fd};
    return vu_call(vu, &call, NULL, 0, deadline_ns);
}

static enum eph_status vu_reset_start(struct eph_transport *transport)
{
    struct vfio_user *vu = (struct vfio_user *)transport;
    struct vu_call call = {.command = EPH_VU_DEVICE_RESET, .fd = -1};
    enum eph_status status = vu_send(vu, &call, eph_now_ns() + vu_post_ns);
    vu->reset_id = vu->last_id;
    return status;
}

static enum eph_status vu_reset_finish(struct eph_transport *transport)
{
    struct vfio_user *vu = (struct vfio_user *)transport;
    enum eph_status status = vu_receive(vu, vu->reset_id, EPH_VU_DEVICE_RESET, 0, 0);
    return status == EPH_E_TIMEOUT ? EPH_E_AGAIN : status;
}

static void vu_close(struct eph_transport *transport)
{
    struct vfio_user *vu = (struct vfio_user *)transport;
    eph_close_fd(&vu->fd);
    free(vu);
}

static enum eph_status vu_negotiate(struct vfio_user *vu, uint64_t deadline_ns)
{
    static const char capabilities[] = "{\"capabilities\":{\"max_msg_fds\":1,\"max_data_xfer_size\":4096}}";
    struct eph_vu_version version = {.major = 0, .minor = 1};
    struct vu_call call = {.command = EPH_VU_VERSION,
                           .payload = &version,
                           .payload_bytes = sizeof version,
                           .more = capabilities,
                           .more_bytes = sizeof capabilities,
                           .fd = -1};
    enum eph_status status = vu_call(vu, &call, &version, sizeof version, deadline_ns);
    if (status != EPH_OK)
        return status;
    return version.major == 0 ? EPH_OK : EPH_E_PROTOCOL;
}

// The function must be a PCI device with our BAR0 and our interrupt vectors.
static enum eph_status vu_inspect(struct vfio_user *vu, uint64_t deadline_ns)
{
    struct vfio_device_info device = {.argsz = sizeof device};
    struct vu_call call = {.command = EPH_VU_DEVICE_GET_INFO, .payload = &device, .payload_bytes = 16, .fd = -1};
    enum eph_status status = vu_call(vu, &call, &device, 16, deadline_ns);
    if (status != EPH_OK)
        return status;
    if (!(device.flags & VFIO_DEVICE_FLAGS_PCI) || device.num_regions <= VFIO_PCI_CONFIG_REGION_INDEX ||
        device.num_irqs <= VFIO_PCI_MSIX_IRQ_INDEX)
        return EPH_E_PROTOCOL;
    struct vfio_region_info region = {.argsz = sizeof region, .index = VFIO_PCI_BAR0_REGION_INDEX};
    call = (struct vu_call){
        .command = EPH_VU_DEVICE_GET_REGION_INFO, .payload = &region, .payload_bytes = sizeof region, .fd = -1};
    status = vu_call(vu, &call, &region, sizeof region, deadline_ns);
    if (status != EPH_OK)
        return status;
    const uint32_t access = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
    if (region.size < EPH_BAR0_BYTES || (region.flags & access) != access)
        return EPH_E_PROTOCOL;
    struct vfio_irq_info irq = {.argsz = sizeof irq, .index = VFIO_PCI_MSIX_IRQ_INDEX};
    call =
        (struct vu_call){.command = EPH_VU_DEVICE_GET_IRQ_INFO, .payload = &irq, .payload_bytes = sizeof irq, .fd = -1};
    status = vu_call(vu, &call, &irq, sizeof irq, deadline_ns);
    if (status != EPH_OK)
        return status;
    return (irq.flags & VFIO_IRQ_INFO_EVENTFD) && irq.count >= 2 ? EPH_OK : EPH_E_PROTOCOL;
}

static const struct eph_transport_ops vfio_user_ops = {
    .name = "vfio-user",
    .read32 = vu_read32,
    .write32 = vu_write32,
    .set_master = vu_set_master,
    .map_dma = vu_map_dma,
    .set_irq = vu_set_irq,
    .reset_start = vu_reset_start,
    .reset_finish = vu_reset_finish,
    .close = vu_close,
};

enum eph_status eph_vfio_user_open(struct eph_transport **transport, int socket_fd, uint64_t deadline_ns)
{
    *transport = NULL;
    struct vfio_user *vu = calloc(1, sizeof *vu);
    if (!vu) {
        eph_close_fd(&socket_fd);
        return EPH_E_NO_MEMORY;
    }
    vu->base = (struct eph_transport){.ops = &vfio_user_ops, .death_fd = socket_fd};
    vu->fd = socket_fd;
    enum eph_status status = vu_negotiate(vu, deadline_ns);
    if (status == EPH_OK)
        status = vu_inspect(vu, deadline_ns);
    if (status != EPH_OK) {
        vu_close(&vu->base);
        return status;
    }
    *transport = &vu->base;
    return EPH_OK;
}
