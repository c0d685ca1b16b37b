// SPDX-License-Identifier: Apache-2.0
// The socket side of the fake device: attach protocol and vfio-user, well-behaved unless told otherwise.
#include "fake_inside.h"

#include <ephemera/vfio_user.h>
#include <errno.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// One message; at most one descriptor comes with it. Blocks until all of it is there. False: end of the connection.
static bool receive(int fd, void *data, size_t bytes, int *passed_fd)
{
    for (size_t got = 0; got < bytes;) {
        _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(int))];
        struct iovec part = {(uint8_t *)data + got, bytes - got};
        struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        if (header && header->cmsg_type == SCM_RIGHTS)
            memcpy(passed_fd, CMSG_DATA(header), sizeof *passed_fd);
        got += (size_t)n;
    }
    return true;
}

static bool rings_are_wiped(const struct fake_session *session)
{
    for (size_t i = 0; i < session->memory_bytes; i++)
        if (session->memory[i] && i % EPH_ENTRY_BYTES != offsetof(struct eph_cqe, phase))
            return false;
    return true;
}

static void end_session(struct fake *fake, struct fake_session *session)
{
    if (session->fd >= 0)
        close(session->fd);
    if (session->irq_fd >= 0)
        close(session->irq_fd);
    if (session->memory) {
        fake->counters.rings_wiped = rings_are_wiped(session);
        munmap(session->memory, session->memory_bytes);
    }
    for (unsigned i = 0; i < fake->held_count;)
        if (fake->held[i].session == session)
            fake->held[i] = fake->held[--fake->held_count];
        else
            i++;
    *session = (struct fake_session){.fd = -1, .irq_fd = -1};
}

static bool reply(const struct fake *fake, const struct fake_session *session, const struct eph_vu_header *request,
                  const void *payload, size_t bytes)
{
    if (request->flags & EPH_VU_NO_REPLY)
        return true;
    uint8_t message[256] = {0};
    bool spoil = request->command != EPH_VU_VERSION;
    if (spoil && fake->settings.truncate_replies)
        bytes = 0;
    struct eph_vu_header header = {.id = request->id,
                                   .command = request->command,
                                   .bytes = (uint32_t)(sizeof header + bytes),
                                   .flags = EPH_VU_REPLY};
    if (spoil && fake->settings.oversize_replies)
        header.bytes = 1u << 30;
    if (spoil && fake->settings.error_replies) {
        header.flags |= EPH_VU_ERROR;
        header.error = EINVAL;
    }
    memcpy(message, &header, sizeof header);
    if (bytes)
        memcpy(message + sizeof header, payload, bytes);
    return send(session->fd, message, sizeof header + bytes, MSG_NOSIGNAL) == (ssize_t)(sizeof header + bytes);
}

static void map_memory(struct fake_session *session, const uint8_t *payload, int passed_fd)
{
    struct eph_vu_dma_map map;
    memcpy(&map, payload, sizeof map);
    void *memory = mmap(NULL, map.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, passed_fd, (off_t)map.offset);
    if (memory == MAP_FAILED)
        return;
    session->memory = memory;
    session->memory_bytes = map.bytes;
    session->address = map.address;
}

static bool access_region(struct fake *fake, struct fake_session *session, const struct eph_vu_header *header,
                          const uint8_t *payload)
{
    struct {
        struct eph_vu_region_access access;
        uint32_t value;
    } data = {0};
    bool write = header->command == EPH_VU_REGION_WRITE;
    memcpy(&data.access, payload, sizeof data.access);
    if (write)
        memcpy(&data.value, payload + sizeof data.access, data.access.count > 4 ? 4 : data.access.count);
    if (data.access.region == VFIO_PCI_CONFIG_REGION_INDEX)
        fake->counters.master_enabled |= write && (data.value & 4);
    else if (write)
        fake_write_register(fake, session, (uint32_t)data.access.offset, data.value);
    else
        data.value = fake_read_register(fake, session, (uint32_t)data.access.offset);
    return reply(fake, session, header, &data, sizeof data.access + (write ? 0 : 4));
}

static bool execute(struct fake *fake, struct fake_session *session, const struct eph_vu_header *header,
                    const uint8_t *payload, int *passed_fd)
{
    const struct vfio_device_info device = {.argsz = 16,
                                            .flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET,
                                            .num_regions = VFIO_PCI_NUM_REGIONS,
                                            .num_irqs = VFIO_PCI_NUM_IRQS};
    const struct vfio_region_info region = {.argsz = sizeof region, .flags = 3, .size = EPH_BAR0_BYTES};
    const struct vfio_irq_info irq = {
        .argsz = sizeof irq, .flags = VFIO_IRQ_INFO_EVENTFD, .index = 2, .count = EPH_MSIX_VECTORS};
    const struct eph_vu_version version = {0, 1};
    switch (header->command) {
    case EPH_VU_VERSION:
        return reply(fake, session, header, &version, sizeof version);
    case EPH_VU_DEVICE_GET_INFO:
        return reply(fake, session, header, &device, 16);
    case EPH_VU_DEVICE_GET_REGION_INFO:
        return reply(fake, session, header, &region, sizeof region);
    case EPH_VU_DEVICE_GET_IRQ_INFO:
        return reply(fake, session, header, &irq, sizeof irq);
    case EPH_VU_DEVICE_SET_IRQS:
        if (session->irq_fd >= 0)
            close(session->irq_fd);
        session->irq_fd = *passed_fd;
        *passed_fd = -1;
        return reply(fake, session, header, NULL, 0);
    case EPH_VU_DMA_MAP:
        map_memory(session, payload, *passed_fd);
        return reply(fake, session, header, NULL, 0);
    case EPH_VU_DEVICE_RESET:
        fake_reset_session(fake, session);
        return reply(fake, session, header, NULL, 0);
    case EPH_VU_REGION_READ:
    case EPH_VU_REGION_WRITE:
        return access_region(fake, session, header, payload);
    default:
        return false;
    }
}

static bool serve_one(struct fake *fake, struct fake_session *session)
{
    struct eph_vu_header header;
    uint8_t payload[512];
    int passed_fd = -1;
    bool alive = receive(session->fd, &header, sizeof header, &passed_fd) && header.bytes >= sizeof header &&
                 header.bytes - sizeof header <= sizeof payload &&
                 receive(session->fd, payload, header.bytes - sizeof header, &passed_fd) &&
                 execute(fake, session, &header, payload, &passed_fd) && !session->hang_up;
    if (passed_fd >= 0)
        close(passed_fd);
    return alive;
}

static bool serve_attach(struct fake *fake, int control_fd)
{
    struct eph_attach_request request;
    int passed_fd = -1;
    if (!receive(control_fd, &request, sizeof request, &passed_fd) || passed_fd < 0)
        return false;
    struct eph_attach_reply answer = {.magic = EPH_ATTACH_MAGIC, .error = fake->settings.refuse_attach ? EBUSY : 0};
    struct fake_session *session = NULL;
    for (int i = 0; i < FAKE_SESSIONS_MAX && !session; i++)
        if (fake->sessions[i].fd < 0)
            session = &fake->sessions[i];
    bool wrong = request.magic != EPH_ATTACH_MAGIC || request.version != 1;
    if (answer.error || !session || wrong) {
        close(passed_fd);
    } else {
        session->fd = passed_fd;
        fake->counters.attached++;
    }
    return !wrong && send(control_fd, &answer, sizeof answer, MSG_NOSIGNAL) == sizeof answer;
}

static void serve_round(struct fake *fake, const struct pollfd *ready)
{
    for (int i = 0; i < FAKE_SESSIONS_MAX && !fake->mute; i++)
        if (ready[i].fd >= 0 && ready[i].fd == fake->sessions[i].fd && ready[i].revents &&
            !serve_one(fake, &fake->sessions[i]))
            end_session(fake, &fake->sessions[i]);
    ready += FAKE_SESSIONS_MAX;
    for (int i = 0; i < FAKE_CONTROLS_MAX; i++)
        if (ready[i].fd >= 0 && ready[i].revents && !serve_attach(fake, fake->controls[i])) {
            close(fake->controls[i]);
            fake->controls[i] = -1;
        }
    if (!ready[FAKE_CONTROLS_MAX].revents)
        return;
    for (int i = 0; i < FAKE_CONTROLS_MAX; i++)
        if (fake->controls[i] < 0) {
            fake->controls[i] = accept4(fake->listen_fd, NULL, NULL, SOCK_CLOEXEC);
            return;
        }
}

static void *serve(void *context)
{
    struct fake *fake = context;
    enum { FDS = FAKE_SESSIONS_MAX + FAKE_CONTROLS_MAX + 2 };
    pthread_mutex_lock(&fake->lock);
    while (!fake->stop) {
        struct pollfd fds[FDS];
        for (int i = 0; i < FAKE_SESSIONS_MAX; i++)
            fds[i] = (struct pollfd){.fd = fake->mute ? -1 : fake->sessions[i].fd, .events = POLLIN};
        for (int i = 0; i < FAKE_CONTROLS_MAX; i++)
            fds[FAKE_SESSIONS_MAX + i] = (struct pollfd){.fd = fake->controls[i], .events = POLLIN};
        fds[FDS - 2] = (struct pollfd){.fd = fake->listen_fd, .events = POLLIN};
        fds[FDS - 1] = (struct pollfd){.fd = fake->wake_fd, .events = POLLIN};
        pthread_mutex_unlock(&fake->lock);
        poll(fds, FDS, -1);
        pthread_mutex_lock(&fake->lock);
        eventfd_t ignored;
        if (fds[FDS - 1].revents && eventfd_read(fake->wake_fd, &ignored))
            break;
        serve_round(fake, fds);
    }
    pthread_mutex_unlock(&fake->lock);
    return NULL;
}

static void fill_defaults(struct fake *fake)
{
    if (!fake->settings.log2_depth)
        fake->settings.log2_depth = 3;
    if (!fake->settings.contexts)
        fake->settings.contexts = 64;
    fake->all_ones = fake->settings.all_ones;
    fake->mute = fake->settings.mute;
    for (int i = 0; i < FAKE_SESSIONS_MAX; i++)
        fake->sessions[i] = (struct fake_session){.fd = -1, .irq_fd = -1};
    for (int i = 0; i < FAKE_CONTROLS_MAX; i++)
        fake->controls[i] = -1;
}

struct fake *fake_start(const struct fake_settings *settings)
{
    static unsigned number;
    struct fake *fake = calloc(1, sizeof *fake);
    if (!fake)
        abort();
    if (settings)
        fake->settings = *settings;
    fill_defaults(fake);
    pthread_mutex_init(&fake->lock, NULL);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *directory = getenv("TMPDIR");
    snprintf(fake->path, sizeof fake->path, "%.60s/eph-fake-%d-%u", directory ? directory : P_tmpdir, getpid(),
             number++);
    snprintf(fake->uri, sizeof fake->uri, "socket:%.80s", fake->path);
    snprintf(address.sun_path, sizeof address.sun_path, "%.90s%s", fake->path, EPH_ATTACH_SUFFIX);
    unlink(address.sun_path);
    fake->wake_fd = eventfd(0, EFD_CLOEXEC);
    fake->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (bind(fake->listen_fd, (struct sockaddr *)&address, sizeof address) || listen(fake->listen_fd, 8) ||
        pthread_create(&fake->thread, NULL, serve, fake)) {
        perror(address.sun_path);
        abort();
    }
    return fake;
}

void fake_stop(struct fake *fake)
{
    pthread_mutex_lock(&fake->lock);
    fake->stop = true;
    pthread_mutex_unlock(&fake->lock);
    eventfd_write(fake->wake_fd, 1);
    pthread_join(fake->thread, NULL);
    for (int i = 0; i < FAKE_SESSIONS_MAX; i++)
        end_session(fake, &fake->sessions[i]);
    for (int i = 0; i < FAKE_CONTROLS_MAX; i++)
        if (fake->controls[i] >= 0)
            close(fake->controls[i]);
    close(fake->listen_fd);
    close(fake->wake_fd);
    char path[128];
    snprintf(path, sizeof path, "%s%s", fake->path, EPH_ATTACH_SUFFIX);
    unlink(path);
    free(fake);
}

const char *fake_uri(const struct fake *fake)
{
    return fake->uri;
}

void fake_set_mute(struct fake *fake, bool mute)
{
    pthread_mutex_lock(&fake->lock);
    fake->mute = mute;
    pthread_mutex_unlock(&fake->lock);
    eventfd_write(fake->wake_fd, 1);
}

void fake_hang_up(struct fake *fake)
{
    pthread_mutex_lock(&fake->lock);
    for (int i = 0; i < FAKE_SESSIONS_MAX; i++)
        end_session(fake, &fake->sessions[i]);
    pthread_mutex_unlock(&fake->lock);
    eventfd_write(fake->wake_fd, 1);
}
