// SPDX-License-Identifier: Apache-2.0
#include "raw_client.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_to(const char *path, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    cr_assert_lt(strlen(path), sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0, "%s: %s", path, strerror(errno));
    return fd;
}

void raw_connect(struct raw_client *client, const char *path)
{
    *client = (struct raw_client){.fd = connect_to(path, SOCK_STREAM), .memory_fd = -1};
}

int raw_attach_control(const char *path)
{
    char attach_path[128];
    (void)snprintf(attach_path, sizeof attach_path, "%s%s", path, EPH_ATTACH_SUFFIX);
    return connect_to(attach_path, SOCK_SEQPACKET);
}

static void send_with_fds(int socket, const void *data, size_t bytes, const int *fds, unsigned fd_count)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * 32)] = {0};
    struct iovec vector = {(void *)data, bytes};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (fd_count > 0) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        memcpy(CMSG_DATA(rights), fds, sizeof(int) * fd_count);
    }
    (void)sendmsg(socket, &message, MSG_NOSIGNAL); // a server that closed shows at the next receive
}

int raw_attach(int control, struct raw_client *client)
{
    int pair[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    *client = (struct raw_client){.fd = pair[0], .memory_fd = -1};
    struct eph_attach_request request = {EPH_ATTACH_MAGIC, 1};
    struct eph_attach_reply reply;
    send_with_fds(control, &request, sizeof request, &pair[1], 1);
    close(pair[1]);
    cr_assert_eq(recv(control, &reply, sizeof reply, 0), (ssize_t)sizeof reply);
    cr_assert_eq(reply.magic, (uint32_t)EPH_ATTACH_MAGIC);
    return reply.error;
}

void raw_close(struct raw_client *client)
{
    close(client->fd);
    if (client->memory != NULL)
        munmap(client->memory, RAW_MEMORY_BYTES);
    if (client->memory_fd >= 0)
        close(client->memory_fd);
    *client = (struct raw_client){.fd = -1, .memory_fd = -1};
}

void raw_send(struct raw_client *client, const void *message, size_t bytes, const int *fds, unsigned fd_count)
{
    send_with_fds(client->fd, message, bytes, fds, fd_count);
}

static void send_command(struct raw_client *client, enum eph_vu_command command, uint32_t flags, const void *payload,
                         size_t bytes, const int *fds, unsigned fd_count)
{
    struct {
        struct eph_vu_header header;
        uint8_t data[4096];
    } message = {{++client->id, (uint16_t)command, (uint32_t)(sizeof message.header + bytes), flags, 0}, {0}};
    cr_assert_leq(bytes, sizeof message.data);
    if (bytes > 0)
        memcpy(message.data, payload, bytes);
    raw_send(client, &message, sizeof message.header + bytes, fds, fd_count);
}

int raw_call(struct raw_client *client, enum eph_vu_command command, const void *payload, size_t bytes, const int *fds,
             unsigned fd_count, void *out, size_t out_bytes)
{
    send_command(client, command, EPH_VU_COMMAND, payload, bytes, fds, fd_count);
    struct eph_vu_header reply;
    static uint8_t data[1 << 18];
    if (recv(client->fd, &reply, sizeof reply, MSG_WAITALL) != (ssize_t)sizeof reply)
        return -EPIPE;
    cr_assert_eq(reply.id, client->id, "reply to another message");
    cr_assert_eq(reply.command, command);
    cr_assert_eq(reply.flags & EPH_VU_TYPE_MASK, (uint32_t)EPH_VU_REPLY);
    cr_assert_geq(reply.bytes, sizeof reply);
    size_t length = reply.bytes - sizeof reply;
    cr_assert_leq(length, sizeof data);
    if (length > 0)
        cr_assert_eq(recv(client->fd, data, length, MSG_WAITALL), (ssize_t)length);
    if (reply.flags & EPH_VU_ERROR)
        return -(int)reply.error;
    if (out != NULL)
        memcpy(out, data, length < out_bytes ? length : out_bytes);
    return (int)length;
}

int raw_version(struct raw_client *client)
{
    struct {
        struct eph_vu_version version;
        char json[64];
    } request = {{0, 1}, "{\"capabilities\":{\"max_msg_fds\":8}}"};
    return raw_call(client, EPH_VU_VERSION, &request, sizeof request.version + strlen(request.json) + 1, NULL, 0, NULL,
                    0);
}

struct access {
    struct eph_vu_region_access head;
    uint8_t data[2048];
};

int raw_read(struct raw_client *client, uint32_t region, uint64_t offset, void *data, uint32_t count)
{
    static uint8_t reply[(1 << 18) - 64];
    struct eph_vu_region_access request = {offset, region, count};
    int got = raw_call(client, EPH_VU_REGION_READ, &request, sizeof request, NULL, 0, reply, sizeof reply);
    if (got < 0)
        return got;
    cr_assert_eq((size_t)got, sizeof request + count, "short read reply");
    memcpy(data, reply + sizeof request, count);
    return 0;
}

int raw_write(struct raw_client *client, uint32_t region, uint64_t offset, const void *data, uint32_t count)
{
    struct access request = {{offset, region, count}, {0}};
    cr_assert_leq(count, sizeof request.data);
    memcpy(request.data, data, count);
    int got = raw_call(client, EPH_VU_REGION_WRITE, &request, sizeof request.head + count, NULL, 0, NULL, 0);
    return got < 0 ? got : 0;
}

uint32_t raw_read32(struct raw_client *client, uint32_t offset)
{
    uint32_t value;
    cr_assert_eq(raw_read(client, VFIO_PCI_BAR0_REGION_INDEX, offset, &value, sizeof value), 0);
    return value;
}

void raw_write32(struct raw_client *client, uint32_t offset, uint32_t value)
{
    cr_assert_eq(raw_write(client, VFIO_PCI_BAR0_REGION_INDEX, offset, &value, sizeof value), 0);
}

void raw_post32(struct raw_client *client, uint32_t offset, uint32_t value)
{
    struct access request = {{offset, VFIO_PCI_BAR0_REGION_INDEX, sizeof value}, {0}};
    memcpy(request.data, &value, sizeof value);
    send_command(client, EPH_VU_REGION_WRITE, EPH_VU_NO_REPLY, &request, sizeof request.head + sizeof value, NULL, 0);
}

void raw_bus_master(struct raw_client *client, bool on)
{
    uint16_t command = PCI_COMMAND_MEMORY | (on ? PCI_COMMAND_MASTER : 0);
    cr_assert_eq(raw_write(client, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &command, sizeof command), 0);
}

int raw_dma_map(struct raw_client *client, uint64_t address, uint64_t bytes, uint64_t offset, int fd, uint32_t flags)
{
    struct eph_vu_dma_map map = {sizeof map, flags, offset, address, bytes};
    int got = raw_call(client, EPH_VU_DMA_MAP, &map, sizeof map, &fd, fd >= 0 ? 1 : 0, NULL, 0);
    return got < 0 ? got : 0;
}

int raw_dma_unmap(struct raw_client *client, uint64_t address, uint64_t bytes)
{
    struct eph_vu_dma_unmap unmap = {sizeof unmap, 0, address, bytes};
    int got = raw_call(client, EPH_VU_DMA_UNMAP, &unmap, sizeof unmap, NULL, 0, NULL, 0);
    return got < 0 ? got : 0;
}

int raw_set_irq(struct raw_client *client, uint32_t vector, int eventfd)
{
    struct vfio_irq_set set = {.argsz = sizeof set,
                               .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
                               .index = VFIO_PCI_MSIX_IRQ_INDEX,
                               .start = vector,
                               .count = 1};
    int got = raw_call(client, EPH_VU_DEVICE_SET_IRQS, &set, sizeof set, &eventfd, eventfd >= 0 ? 1 : 0, NULL, 0);
    return got < 0 ? got : 0;
}

void raw_open_function(struct raw_client *client)
{
    cr_assert_gt(raw_version(client), 0);
    client->memory_fd = memfd_create("raw-client", MFD_CLOEXEC);
    cr_assert_geq(client->memory_fd, 0);
    cr_assert_eq(ftruncate(client->memory_fd, RAW_MEMORY_BYTES), 0);
    client->memory = mmap(NULL, RAW_MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, client->memory_fd, 0);
    cr_assert_neq(client->memory, MAP_FAILED);
    cr_assert_eq(raw_dma_map(client, RAW_ADDRESS, RAW_MEMORY_BYTES, 0, client->memory_fd,
                             EPH_VU_DMA_FLAG_READ | EPH_VU_DMA_FLAG_WRITE),
                 0);
    raw_bus_master(client, true);
}

bool raw_wait_event(int eventfd, int timeout_ms, uint64_t *count)
{
    struct pollfd entry = {eventfd, POLLIN, 0};
    return poll(&entry, 1, timeout_ms) == 1 && read(eventfd, count, sizeof *count) == sizeof *count;
}
