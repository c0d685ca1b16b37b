// SPDX-License-Identifier: Apache-2.0
// The register and ring side of the fake; fake_server.c is the socket side.
#include "fake_inside.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

static const uint8_t kat_scalar_start[4] = {0xa5, 0x46, 0xe3, 0x6b};
static const uint8_t kat_answer[32] = {0xc3, 0xda, 0x55, 0x37, 0x9d, 0xe9, 0xc6, 0x90, 0x8e, 0x94, 0xea,
                                       0x4d, 0xf2, 0x8d, 0x08, 0x4f, 0x32, 0xec, 0xcf, 0x03, 0x49, 0x1c,
                                       0x71, 0xf7, 0x54, 0xb4, 0x07, 0x55, 0x77, 0xa2, 0x85, 0x52};

void fake_answer(const uint8_t *scalar, const uint8_t *peer, uint8_t *answer)
{
    if (peer && !memcmp(scalar, kat_scalar_start, sizeof kat_scalar_start)) {
        memcpy(answer, kat_answer, sizeof kat_answer);
        return;
    }
    for (int i = 0; i < 32; i++)
        answer[i] = (uint8_t)(scalar[i] * 5 + (peer ? peer[i] : 0) + i);
}

uint32_t fake_read_register(const struct fake *fake, const struct fake_session *session, uint32_t offset)
{
    if (fake->all_ones)
        return 0xffffffff;
    switch (offset) {
    case EPH_REG_MAGIC:
        return fake->settings.magic ? fake->settings.magic : EPH_MAGIC;
    case EPH_REG_IF_VERSION:
        return fake->settings.if_version ? fake->settings.if_version : EPH_IF_VERSION;
    case EPH_REG_FEATURES:
        return fake->settings.features;
    case EPH_REG_QUEUES:
        return 1 | fake->settings.log2_depth << 8 | fake->settings.contexts << 16;
    case EPH_REG_ENGINES:
        return 1;
    case EPH_REG_CURVES:
        return 1 << EPH_CURVE_X25519;
    case EPH_REG_OPS:
        return 1 << EPH_OP_KEYGEN | 1 << EPH_OP_DERIVE;
    case EPH_REG_STATUS:
        return EPH_STATUS_READY | (fake->fatal ? EPH_STATUS_FATAL : 0);
    case EPH_QUEUE_REGS_BASE + EPH_QREG_STATE:
        return session->queue_registers[EPH_QREG_ENABLE / 4] ? EPH_QSTATE_ON : EPH_QSTATE_OFF;
    default:
        return 0;
    }
}

static uint8_t *at(struct fake_session *session, uint64_t address)
{
    bool inside = session->memory && address >= session->address &&
                  address - session->address <= session->memory_bytes - EPH_ENTRY_BYTES;
    return inside ? session->memory + (address - session->address) : NULL;
}

static uint64_t ring_base(const struct fake_session *session, uint32_t low)
{
    return session->queue_registers[low / 4] | (uint64_t)session->queue_registers[low / 4 + 1] << 32;
}

static void interrupt(struct fake_session *session)
{
    uint64_t one = 1;
    session->armed = false;
    if (session->irq_fd >= 0 && write(session->irq_fd, &one, sizeof one) != sizeof one)
        session->irq_fd = -1;
}

static void write_entry(struct fake_session *session, struct eph_cqe *cqe)
{
    uint32_t entries = 1u << session->queue_registers[EPH_QREG_LOG2_DEPTH / 4];
    struct eph_cqe *entry =
        (void *)at(session, ring_base(session, EPH_QREG_CQ_BASE_LO) + (session->cq_tail % entries) * EPH_ENTRY_BYTES);
    if (!entry)
        return;
    cqe->sq_head = (uint16_t)(session->sq_head % entries);
    uint16_t phase = session->cq_tail / entries % 2 ? 0 : 1;
    memcpy(entry, cqe, offsetof(struct eph_cqe, phase));
    __atomic_store_n(&entry->phase, phase, __ATOMIC_RELEASE); // last, after everything above
    session->cq_tail++;
    if (session->armed)
        interrupt(session);
}

static void write_garbage(struct fake_session *session)
{
    uint32_t entries = 1u << session->queue_registers[EPH_QREG_LOG2_DEPTH / 4];
    uint8_t *entry =
        at(session, ring_base(session, EPH_QREG_CQ_BASE_LO) + (session->cq_tail % entries) * EPH_ENTRY_BYTES);
    if (!entry)
        return;
    memset(entry, 0x7e, EPH_ENTRY_BYTES);
    interrupt(session);
}

static enum fake_fault next_fault(struct fake *fake)
{
    fake->counters.requests++;
    if (fake->skip) {
        fake->skip--;
        return FAKE_HONEST;
    }
    if (!fake->count)
        return FAKE_HONEST;
    fake->count--;
    return fake->fault;
}

static void flood(struct fake_session *session, const struct eph_cqe *cqe)
{
    // One less than the ring: the driver may still have to look at the newest entry that it gave back.
    uint32_t entries = 1u << session->queue_registers[EPH_QREG_LOG2_DEPTH / 4];
    for (uint32_t i = 0; i + 1 < entries; i++) {
        struct eph_cqe wrong = *cqe;
        wrong.tag += (i + 1) << 8;
        write_entry(session, &wrong);
    }
}

static void execute(struct fake *fake, struct fake_session *session, const struct eph_sqe *sqe)
{
    struct eph_cqe cqe = {.generation = sqe->generation, .cycles = 1000, .tag = sqe->tag};
    fake_answer(sqe->scalar, sqe->opcode == EPH_OP_DERIVE ? sqe->peer_x : NULL, cqe.result);
    enum fake_fault fault = next_fault(fake);
    switch (fault) {
    case FAKE_WRONG_TAG:
        cqe.tag += 1 << 8;
        break;
    case FAKE_IMPOSSIBLE_TAG:
        cqe.tag |= 0xff;
        break;
    case FAKE_WRONG_GENERATION:
        cqe.generation++;
        break;
    case FAKE_DUPLICATE:
        write_entry(session, &cqe);
        break;
    case FAKE_HOLD:
        if (fake->held_count < FAKE_HELD_MAX)
            fake->held[fake->held_count++] = (struct fake_held){session, cqe};
        return;
    case FAKE_SILENT:
        return;
    case FAKE_GARBAGE:
        write_garbage(session);
        return;
    case FAKE_FLOOD:
        flood(session, &cqe);
        break;
    case FAKE_CHECK:
        cqe.status = EPH_ST_CHECK;
        break;
    case FAKE_NO_SUCH_STATUS:
        cqe.status = 99;
        break;
    case FAKE_WRONG_ANSWER:
        cqe.result[0] ^= 1;
        break;
    case FAKE_CLOSE:
        session->hang_up = true;
        return;
    case FAKE_HONEST:
        break;
    }
    write_entry(session, &cqe);
}

static void fetch(struct fake *fake, struct fake_session *session, uint32_t tail)
{
    uint32_t entries = 1u << session->queue_registers[EPH_QREG_LOG2_DEPTH / 4];
    while (session->sq_head % entries != tail % entries && !session->hang_up) {
        uint64_t address = ring_base(session, EPH_QREG_SQ_BASE_LO) + (session->sq_head % entries) * EPH_ENTRY_BYTES;
        const uint8_t *entry = at(session, address);
        struct eph_sqe sqe;
        if (!entry)
            return;
        memcpy(&sqe, entry, sizeof sqe);
        session->sq_head++;
        execute(fake, session, &sqe);
    }
}

void fake_write_register(struct fake *fake, struct fake_session *session, uint32_t offset, uint32_t value)
{
    uint32_t entries = 1u << session->queue_registers[EPH_QREG_LOG2_DEPTH / 4];
    if (offset >= EPH_QUEUE_REGS_BASE && offset < EPH_QUEUE_REGS_BASE + sizeof session->queue_registers) {
        session->queue_registers[(offset - EPH_QUEUE_REGS_BASE) / 4] = value;
    } else if (offset == EPH_DOORBELL_BASE + EPH_DB_SQ_TAIL) {
        fetch(fake, session, value);
    } else if (offset == EPH_DOORBELL_BASE + EPH_DB_CQ_HEAD && (value & EPH_ARM)) {
        session->armed = true;
        if (session->cq_tail % entries != (value & ~EPH_ARM))
            interrupt(session);
    }
}

void fake_reset_session(struct fake *fake, struct fake_session *session)
{
    fake->counters.resets++;
    session->sq_head = session->cq_tail = 0;
    session->armed = false;
    memset(session->queue_registers, 0, sizeof session->queue_registers);
    fake->fatal = false;
}

void fake_interrupt(struct fake *fake)
{
    pthread_mutex_lock(&fake->lock);
    for (int i = 0; i < FAKE_SESSIONS_MAX; i++)
        if (fake->sessions[i].fd >= 0)
            interrupt(&fake->sessions[i]);
    pthread_mutex_unlock(&fake->lock);
}

void fake_release_held(struct fake *fake, unsigned count)
{
    pthread_mutex_lock(&fake->lock);
    for (; count && fake->held_count; count--) {
        if (fake->held[0].session->fd >= 0)
            write_entry(fake->held[0].session, &fake->held[0].cqe);
        memmove(fake->held, fake->held + 1, --fake->held_count * sizeof *fake->held);
    }
    pthread_mutex_unlock(&fake->lock);
}

void fake_plan(struct fake *fake, enum fake_fault fault, unsigned skip, unsigned count)
{
    pthread_mutex_lock(&fake->lock);
    fake->fault = fault;
    fake->skip = skip;
    fake->count = count;
    pthread_mutex_unlock(&fake->lock);
}

void fake_set_all_ones(struct fake *fake, bool all_ones)
{
    pthread_mutex_lock(&fake->lock);
    fake->all_ones = all_ones;
    pthread_mutex_unlock(&fake->lock);
}

void fake_set_fatal(struct fake *fake, bool fatal)
{
    pthread_mutex_lock(&fake->lock);
    fake->fatal = fatal;
    pthread_mutex_unlock(&fake->lock);
}

struct fake_counters fake_get_counters(struct fake *fake)
{
    pthread_mutex_lock(&fake->lock);
    struct fake_counters counters = fake->counters;
    pthread_mutex_unlock(&fake->lock);
    return counters;
}

void fake_await_requests(struct fake *fake, unsigned requests)
{
    struct timespec pause = {.tv_nsec = 200000};
    for (int i = 0; i < 25000 && fake_get_counters(fake).requests < requests; i++)
        nanosleep(&pause, NULL);
}
