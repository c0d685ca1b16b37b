// SPDX-License-Identifier: Apache-2.0
// From a device handle to a queue in service, and back: attach, identify, share memory, program, known answer.
#include "queue.h"
#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

static const uint64_t ring_address = 0x10000000; // bus address of the shared memory; any would do
static const size_t page_bytes = 4096;
static const uint64_t setup_limit_ns = 2 * EPH_NS_PER_S;
// A derive on the Verilated device takes half a second on a core of its own, several on a machine full of them.
static const uint64_t simulation_answer_limit_ns = 10 * EPH_NS_PER_S;
static const uint64_t hardware_answer_limit_ns = EPH_NS_PER_S;
static const uint64_t hardware_deadline_ns = 10 * EPH_NS_PER_MS;
// Floors below which a simulation's deadline does not fall: its clock shares the CPU with everything else on the
// machine.
static const uint64_t rtl_deadline_floor_ns = EPH_NS_PER_S;
static const uint64_t simulation_deadline_floor_ns = 250 * EPH_NS_PER_MS;

static enum eph_status fail(const struct eph_queue *queue, const char *step, enum eph_status status)
{
    eph_device_log(queue->device, EPH_LOG_ERROR, "device=%s: %s: %s", queue->device->uri, step,
                   eph_status_text(status));
    return status;
}

static enum eph_status read_register(struct eph_queue *queue, uint32_t offset, uint32_t *value, uint64_t deadline_ns)
{
    enum eph_status status = queue->transport->ops->read32(queue->transport, offset, value, deadline_ns);
    return status == EPH_OK && *value == 0xffffffffu ? EPH_E_GONE : status; // no valid register reads all ones
}

// Before anything else: is it ours, and do we speak the same version?
static enum eph_status identify(struct eph_queue *queue, uint64_t deadline_ns)
{
    enum eph_status status = queue->transport->ops->set_master(queue->transport, false, deadline_ns);
    uint32_t magic, queues;
    struct eph_device_info *info = &queue->info;
    const struct {
        uint32_t offset, *value;
    } registers[] = {
        {EPH_REG_MAGIC, &magic},
        {EPH_REG_IF_VERSION, &info->if_version},
        {EPH_REG_BUILD_ID, &info->build_id},
        {EPH_REG_FEATURES, &info->features},
        {EPH_REG_QUEUES, &queues},
        {EPH_REG_ENGINES, &info->engines},
        {EPH_REG_CURVES, &info->curves},
        {EPH_REG_OPS, &info->operations},
        {EPH_REG_CLK_KHZ, &info->clock_khz},
    };
    for (size_t i = 0; status == EPH_OK && i < sizeof registers / sizeof *registers; i++) {
        status = read_register(queue, registers[i].offset, registers[i].value, deadline_ns);
        bool unknown = status == EPH_OK &&
                       ((i == 0 && magic != EPH_MAGIC) || (i == 1 && info->if_version >> 16 != EPH_IF_VERSION >> 16));
        if (unknown)
            status = EPH_E_PROTOCOL;
    }
    if (status != EPH_OK)
        return fail(queue, "identify", status);
    uint32_t log2_depth = queues >> 8 & 0xff, wanted = queue->device->options.log2_depth;
    info->contexts = queues >> 16;
    if (log2_depth < EPH_MIN_LOG2_DEPTH || log2_depth > EPH_MAX_LOG2_DEPTH || !(queues & 0xff) || !info->contexts ||
        info->contexts > 1024 || !info->engines || info->engines > EPH_MAX_ENGINES)
        return fail(queue, "impossible register values", EPH_E_PROTOCOL);
    queue->entries = 1u << (wanted && wanted < log2_depth ? wanted : log2_depth);
    info->queue_entries = queue->entries;
    memcpy(info->uri, queue->device->uri, sizeof info->uri);
    strncpy(info->transport, queue->transport->ops->name, sizeof info->transport - 1);
    return EPH_OK;
}

// A sealed memory file, so that a hostile device can not shrink it under us. The mapping never enters a child (which
// would write into its parent's rings) nor a core file.
static enum eph_status share_memory(struct eph_queue *queue, uint64_t deadline_ns)
{
    size_t ring_bytes = (queue->entries * (size_t)EPH_ENTRY_BYTES + page_bytes - 1) & ~(page_bytes - 1);
    size_t bytes = 2 * ring_bytes + page_bytes;
    int fd = memfd_create("ephemera-rings", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return fail(queue, "memfd_create", EPH_E_NO_MEMORY);
    enum eph_status status = EPH_E_NO_MEMORY;
    if (!ftruncate(fd, (off_t)bytes) && !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
        void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (memory != MAP_FAILED) {
            queue->memory = memory;
            queue->memory_bytes = bytes;
            queue->sq = memory;
            queue->cq = (struct eph_cqe *)(queue->memory + ring_bytes);
            if (queue->info.features & EPH_FEATURE_AWAKE)
                queue->shadow = (struct eph_shadow *)(queue->memory + bytes - page_bytes);
            status = EPH_OK;
        }
    }
    if (status == EPH_OK &&
        (madvise(queue->memory, bytes, MADV_DONTFORK) || madvise(queue->memory, bytes, MADV_DONTDUMP)))
        status = EPH_E_NO_MEMORY;
    if (status == EPH_OK) {
        (void)mlock(queue->memory, bytes); // best effort: RLIMIT_MEMLOCK may be tiny
        status = queue->transport->ops->map_dma(queue->transport, fd, ring_address, bytes, deadline_ns);
    }
    close(fd);
    return status == EPH_OK ? EPH_OK : fail(queue, "share memory", status);
}

static bool watch(const struct eph_queue *queue, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events};
    return fd < 0 || !epoll_ctl(queue->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static enum eph_status open_events(struct eph_queue *queue)
{
    queue->irq_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    queue->notify_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    queue->leader_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    queue->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (queue->irq_fd < 0 || queue->notify_fd < 0 || queue->leader_fd < 0 || queue->epoll_fd < 0 ||
        !watch(queue, queue->irq_fd, EPOLLIN) || !watch(queue, queue->notify_fd, EPOLLIN) ||
        !watch(queue, queue->transport->death_fd, 0))
        return fail(queue, "event descriptors", EPH_E_NO_MEMORY);
    return EPH_OK;
}

enum eph_status eph_queue_program(struct eph_queue *queue, uint64_t deadline_ns)
{
    const struct eph_transport_ops *ops = queue->transport->ops;
    enum eph_status status = ops->set_irq(queue->transport, EPH_QUEUE_VECTOR, queue->irq_fd, deadline_ns);
    if (status == EPH_OK)
        status = ops->set_master(queue->transport, true, deadline_ns);
    uint32_t base = EPH_QUEUE_REGS_BASE + EPH_QUEUE_ID * EPH_QUEUE_REGS_STRIDE;
    uint64_t cq_address = ring_address + (uint64_t)((uint8_t *)queue->cq - queue->memory);
    uint64_t shadow_address = ring_address + queue->memory_bytes - page_bytes;
    const uint32_t settings[][2] = {
        {EPH_QREG_SQ_BASE_LO, (uint32_t)ring_address},
        {EPH_QREG_SQ_BASE_HI, (uint32_t)(ring_address >> 32)},
        {EPH_QREG_CQ_BASE_LO, (uint32_t)cq_address},
        {EPH_QREG_CQ_BASE_HI, (uint32_t)(cq_address >> 32)},
        {EPH_QREG_SHADOW_BASE_LO, (uint32_t)shadow_address},
        {EPH_QREG_SHADOW_BASE_HI, (uint32_t)(shadow_address >> 32)},
        {EPH_QREG_LOG2_DEPTH, (uint32_t)__builtin_ctz(queue->entries)},
        {EPH_QREG_VECTOR, EPH_QUEUE_VECTOR},
        {EPH_QREG_ENABLE, queue->shadow ? 1 | EPH_SHADOWED : 1},
    };
    for (size_t i = 0; status == EPH_OK && i < sizeof settings / sizeof *settings; i++)
        status = ops->write32(queue->transport, base + settings[i][0], settings[i][1]);
    uint32_t state = 0;
    if (status == EPH_OK)
        status = read_register(queue, base + EPH_QREG_STATE, &state, deadline_ns);
    if (status == EPH_OK && state != EPH_QSTATE_ON)
        status = EPH_E_PROTOCOL;
    return status == EPH_OK ? EPH_OK : fail(queue, "enable queue", status);
}

static enum eph_status pass_known_answer(struct eph_queue *queue)
{
    bool simulated = queue->info.features & EPH_FEATURE_SIMULATED;
    uint64_t start_ns = eph_now_ns();
    uint64_t limit_ns = start_ns + (simulated ? simulation_answer_limit_ns : hardware_answer_limit_ns);
    struct eph_slot *slot;
    enum eph_status status = eph_known_answer_submit(queue, &slot, start_ns);
    if (status != EPH_OK)
        return fail(queue, "self-test", status);
    slot->waited = true;
    while (slot->state == EPH_SLOT_IN_FLIGHT && eph_now_ns() < limit_ns) {
        eph_queue_sleep(queue, slot, limit_ns);
        eph_queue_harvest(queue, eph_now_ns());
    }
    if (slot->state == EPH_SLOT_IN_FLIGHT)
        return fail(queue, "self-test", EPH_E_TIMEOUT);
    if (slot->completion.status != EPH_OK)
        return fail(queue, "self-test", slot->completion.status);
    bool right = eph_known_answer_is_right(slot);
    eph_slots_release(&queue->slots, slot);
    if (!right)
        return fail(queue, "self-test gave a wrong answer", EPH_E_PROTOCOL);
    uint64_t took_ns = eph_now_ns() - start_ns;
    queue->info.selftest_ns = took_ns;
    return EPH_OK;
}

static uint64_t choose_deadline_ns(const struct eph_queue *queue)
{
    const struct eph_device *device = queue->device;
    if (device->options.deadline_ns)
        return device->options.deadline_ns;
    if (!(queue->info.features & EPH_FEATURE_SIMULATED))
        return hardware_deadline_ns;
    bool embedded_rtl = device->kind == EPH_KIND_SIM && strcmp(device->argument, "model");
    uint64_t floor_ns = embedded_rtl ? rtl_deadline_floor_ns : simulation_deadline_floor_ns;
    uint64_t deadline_ns = 20 * queue->info.selftest_ns;
    return deadline_ns > floor_ns ? deadline_ns : floor_ns;
}

static enum eph_status open_transport(struct eph_queue *queue)
{
    struct eph_attachment attachment;
    enum eph_status status = eph_attach(queue->device, &attachment);
    if (status != EPH_OK)
        return status;
    queue->sim_handle = attachment.sim_handle;
    status = eph_vfio_user_open(&queue->transport, attachment.socket_fd, eph_now_ns() + setup_limit_ns);
    return status == EPH_OK ? EPH_OK : fail(queue, "vfio-user", eph_socket_explain(queue->device, status));
}

static enum eph_status bring_up(struct eph_queue *queue)
{
    enum eph_status status = open_transport(queue);
    uint64_t limit_ns = eph_now_ns() + setup_limit_ns;
    if (status == EPH_OK)
        status = identify(queue, limit_ns);
    if (status == EPH_OK)
        status = eph_slots_init(&queue->slots, queue->entries - 1, queue->info.engines * queue->info.contexts);
    if (status == EPH_OK)
        status = share_memory(queue, limit_ns);
    if (status == EPH_OK)
        status = open_events(queue);
    if (status == EPH_OK)
        status = eph_queue_program(queue, limit_ns);
    if (status == EPH_OK)
        status = pass_known_answer(queue);
    if (status == EPH_OK)
        queue->deadline_ns = choose_deadline_ns(queue);
    return status;
}

// Tells a forked child from us without a system call: getpid would be one for each request and each look.
static bool mark_owner(struct eph_queue *queue)
{
    uint8_t *mark = mmap(NULL, page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mark == MAP_FAILED)
        return false;
    *mark = 1;
    queue->owner_mark = mark;
    return !madvise(mark, page_bytes, MADV_WIPEONFORK);
}

static void unmark_owner(struct eph_queue *queue)
{
    if (queue->owner_mark)
        munmap((void *)queue->owner_mark, page_bytes);
    queue->owner_mark = NULL;
}

enum eph_status eph_queue_open(struct eph_device *device, struct eph_queue **queue)
{
    *queue = NULL;
    struct eph_queue *opened = calloc(1, sizeof *opened);
    if (!opened)
        return EPH_E_NO_MEMORY;
    opened->device = device;
    opened->irq_fd = opened->notify_fd = opened->leader_fd = opened->epoll_fd = -1;
    opened->deadline_ns = hardware_answer_limit_ns; // until the self-test has told the latency
    opened->expiry_ns = UINT64_MAX;
    if (!mark_owner(opened)) {
        unmark_owner(opened);
        free(opened);
        return EPH_E_NO_MEMORY;
    }
    pthread_mutex_init(&opened->lock, NULL);
    eph_health_init(opened);
    pthread_mutex_lock(&opened->lock);
    enum eph_status status = bring_up(opened);
    pthread_mutex_unlock(&opened->lock);
    if (status != EPH_OK) {
        eph_queue_close(opened);
        return status;
    }
    *queue = opened;
    return EPH_OK;
}

// The device must write no more before the rings are wiped: it says so by STATE off.
static void drain(struct eph_queue *queue)
{
    if (!queue->memory || queue->health.state == EPH_HEALTH_GONE)
        return;
    uint32_t base = EPH_QUEUE_REGS_BASE + EPH_QUEUE_ID * EPH_QUEUE_REGS_STRIDE, state;
    uint64_t limit_ns = eph_now_ns() + queue->deadline_ns;
    if (queue->transport->ops->write32(queue->transport, base + EPH_QREG_ENABLE, 0) != EPH_OK)
        return;
    while (read_register(queue, base + EPH_QREG_STATE, &state, limit_ns) == EPH_OK && state == EPH_QSTATE_DRAINING &&
           eph_now_ns() < limit_ns)
        eph_poll_until(NULL, 0, eph_now_ns() + EPH_NS_PER_MS);
}

static void close_ours(struct eph_queue *queue)
{
    if (queue->transport)
        drain(queue);
    if (queue->memory) {
        eph_wipe(queue->memory, queue->memory_bytes);
        munmap(queue->memory, queue->memory_bytes);
    }
    if (queue->slots.count)
        eph_slots_fini(&queue->slots);
    pthread_mutex_destroy(&queue->lock);
}

void eph_queue_close(struct eph_queue *queue)
{
    if (!queue)
        return;
    // In a child the mapping does not exist, the server thread is not there, and the mutex may be locked for ever.
    bool ours = eph_queue_is_ours(queue);
    if (ours)
        close_ours(queue);
    if (queue->transport)
        queue->transport->ops->close(queue->transport);
    if (ours && queue->sim_handle)
        queue->device->sim_stop(queue->sim_handle);
    eph_close_fd(&queue->irq_fd);
    eph_close_fd(&queue->notify_fd);
    eph_close_fd(&queue->leader_fd);
    eph_close_fd(&queue->epoll_fd);
    unmark_owner(queue);
    eph_wipe(queue, sizeof *queue); // results nobody fetched
    free(queue);
}
