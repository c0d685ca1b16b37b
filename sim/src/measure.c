// SPDX-License-Identifier: Apache-2.0
#include "measure.h"

#include <ephemera/wire.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOG2_DEPTH = 6, DEPTH = 1 << LOG2_DEPTH, BATCH = DEPTH - 1, CQ_OFFSET = DEPTH * EPH_ENTRY_BYTES };
enum { MEMORY_BYTES = 2 * CQ_OFFSET };

struct bench {
    const struct eph_backend *backend;
    void *device;
    uint8_t memory[MEMORY_BYTES]; // bus addresses 0.. : submission ring, completion ring
    uint32_t submitted, completed;
};

static bool inside(uint64_t address, size_t bytes)
{
    return address <= MEMORY_BYTES && bytes <= MEMORY_BYTES - address;
}

static bool dma_read(void *context, unsigned queue, uint64_t address, void *buffer, size_t bytes)
{
    (void)queue;
    if (inside(address, bytes))
        memcpy(buffer, ((struct bench *)context)->memory + address, bytes);
    return inside(address, bytes);
}

static bool dma_write(void *context, unsigned queue, uint64_t address, const void *buffer, size_t bytes)
{
    (void)queue;
    struct bench *bench = context;
    if (inside(address, bytes))
        memcpy(bench->memory + address, buffer, bytes);
    bench->completed++;
    return inside(address, bytes);
}

static void interrupt(void *context, unsigned vector)
{
    (void)context;
    (void)vector;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void write_queue(struct bench *bench, uint32_t reg, uint32_t value)
{
    bench->backend->write32(bench->device, EPH_QUEUE_REGS_BASE + reg, value);
}

static void submit(struct bench *bench, enum eph_opcode opcode)
{
    struct eph_sqe sqe = {.opcode = (uint8_t)opcode, .curve = EPH_CURVE_X25519, .tag = bench->submitted, .blind = {1}};
    for (unsigned i = 0; i < EPH_CURVE_BYTES_X25519; i++)
        sqe.scalar[i] = (uint8_t)(0x5a + 7 * i + bench->submitted);
    if (opcode == EPH_OP_DERIVE)
        sqe.peer_x[0] = 9; // the base point: then a derive computes the public key as well
    memcpy(bench->memory + bench->submitted % DEPTH * EPH_ENTRY_BYTES, &sqe, sizeof sqe);
    bench->submitted++;
}

struct timing {
    double seconds;
    uint64_t clock_cycles; // simulated, while it lasted
    uint32_t cycles;       // as the last completion reports
    bool good;
};

// Lets the device work; false: it has stopped. One that waits for a moment is polled.
static bool working(struct bench *bench)
{
    if (bench->backend->run(bench->device))
        return true;
    return bench->backend->idle_ns != NULL && bench->backend->idle_ns(bench->device) != UINT64_MAX;
}

// Runs n equal requests from the first doorbell to the last completion.
static struct timing run(struct bench *bench, enum eph_opcode opcode, uint32_t n)
{
    struct timing timing = {.good = true};
    uint32_t first = bench->submitted;
    for (uint32_t i = 0; i < n; i++)
        submit(bench, opcode);
    double start = seconds();
    uint64_t start_cycles = bench->backend->cycles(bench->device);
    bench->backend->write32(bench->device, EPH_DOORBELL_BASE + EPH_DB_SQ_TAIL, bench->submitted % DEPTH);
    while (bench->completed < bench->submitted && working(bench))
        continue;
    timing.seconds = seconds() - start;
    timing.clock_cycles = bench->backend->cycles(bench->device) - start_cycles;
    timing.good = bench->completed == bench->submitted;
    for (uint32_t i = first; i < bench->submitted && timing.good; i++) {
        struct eph_cqe cqe;
        memcpy(&cqe, bench->memory + CQ_OFFSET + i % DEPTH * EPH_ENTRY_BYTES, sizeof cqe);
        timing.cycles = cqe.cycles;
        timing.good = cqe.status == EPH_ST_OK;
    }
    bench->backend->write32(bench->device, EPH_DOORBELL_BASE + EPH_DB_CQ_HEAD, bench->completed % DEPTH);
    return timing;
}

static void print(FILE *out, const char *what, const struct timing *timing, uint32_t n)
{
    (void)fprintf(out, "SIMULATED %-22s wall %8.3f ms, %u cycles each", what, timing->seconds * 1e3 / n,
                  timing->cycles);
    (void)fprintf(out, ", simulated clock %.3f M cycles/s\n", (double)timing->clock_cycles / timing->seconds / 1e6);
}

int eph_measure(const char *backend, const struct eph_backend_options *options, FILE *out)
{
    struct bench *bench = calloc(1, sizeof *bench);
    if (bench == NULL)
        return ENOMEM;
    struct eph_host host = {bench, dma_read, dma_write, interrupt};
    bench->backend = eph_backend_find(backend);
    if (bench->backend != NULL)
        bench->device = bench->backend->open(options, &host);
    if (bench->device == NULL) {
        int error = errno;
        free(bench);
        return error;
    }
    write_queue(bench, EPH_QREG_CQ_BASE_LO, CQ_OFFSET);
    write_queue(bench, EPH_QREG_LOG2_DEPTH, LOG2_DEPTH);
    write_queue(bench, EPH_QREG_VECTOR, 1);
    write_queue(bench, EPH_QREG_ENABLE, 1);
    struct timing keygen = run(bench, EPH_OP_KEYGEN, 1);
    struct timing derive = run(bench, EPH_OP_DERIVE, 1);
    struct timing keygens = run(bench, EPH_OP_KEYGEN, BATCH);
    struct timing derives = run(bench, EPH_OP_DERIVE, BATCH);
    print(out, "one x25519 keygen", &keygen, 1);
    print(out, "one x25519 derive", &derive, 1);
    print(out, "63 keygens in flight", &keygens, BATCH);
    print(out, "63 derives in flight", &derives, BATCH);
    (void)fprintf(out, "SIMULATED wall times are those of the simulator on this machine, not of a device.\n");
    bool good = keygen.good && derive.good && keygens.good && derives.good;
    if (!good)
        (void)fprintf(out, "ephemera-sim: the device did not answer correctly\n");
    bench->backend->close(bench->device, true);
    free(bench);
    return good ? 0 : 1;
}
