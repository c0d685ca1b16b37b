// SPDX-License-Identifier: Apache-2.0
#include "device.h"
#include "clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static void log_line(const char *format, va_list arguments)
{
    char line[512];
    (void)vsnprintf(line, sizeof line, format, arguments);
    (void)fprintf(stderr, "ephemera-sim: %s\n", line);
}

void eph_device_log(const struct eph_device *device, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!device->quiet)
        log_line(format, arguments);
    va_end(arguments);
}

void eph_device_trace(const struct eph_device *device, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (device->verbose)
        log_line(format, arguments);
    va_end(arguments);
}

// ---- what the back end calls

static bool refuse(struct eph_function *function, enum eph_number code, uint64_t address, const char *why)
{
    struct eph_device *device = function->device;
    device->stats.dma_refused++;
    device->errors_raised = true;
    function->refused_code = code;
    function->refused_address = address;
    eph_device_log(device, "function %u: DMA %s at 0x%llx refused: %s", function->queue,
                   code == EPH_ERR_AXI_READ ? "read" : "write", (unsigned long long)address, why);
    return false;
}

static bool dma_allowed(struct eph_function *function, enum eph_number code, uint64_t address)
{
    if (eph_pci_bus_master(&function->pci))
        return true;
    return refuse(function, code, address, "bus mastering is off in the PCI command register");
}

static bool dma_read(void *context, unsigned queue, uint64_t address, void *buffer, size_t bytes)
{
    struct eph_device *device = context;
    struct eph_function *function = &device->functions[queue];
    if (!function->attached || function->resetting) { // its client is gone or starts anew: feed the drain with zeros
        memset(buffer, 0, bytes);
        return true;
    }
    if (!dma_allowed(function, EPH_ERR_AXI_READ, address))
        return false;
    if (!eph_dma_read(&function->dma, address, buffer, bytes))
        return refuse(function, EPH_ERR_AXI_READ, address,
                      "not mapped by the client, or its file has become too short");
    return true;
}

static void hold(struct eph_device *device, unsigned queue, uint64_t address, const struct eph_cqe *cqe)
{
    if (device->late_count < sizeof device->late / sizeof *device->late)
        device->late[device->late_count++] =
            (struct eph_late_completion){eph_clock_ns() + device->faults.late_ns, queue, address, *cqe};
}

// Faults that concern the whole card strike every function: that is what a card that died looks like.
static void strike(struct eph_device *device, enum eph_fault fault)
{
    for (unsigned q = 0; q < EPH_MAX_QUEUES; q++) {
        struct eph_function *function = &device->functions[q];
        if (!function->attached)
            continue;
        function->hung = true;
        function->fatal = fault == EPH_FAULT_FATAL;
        function->gone = fault == EPH_FAULT_ALL_ONES;
        if (function->fatal) {
            function->error_code = EPH_ERR_WATCHDOG;
            (void)eph_irq_raise(&function->irqs, 0);
        }
    }
}

static bool deliver(struct eph_function *function, uint64_t address, const struct eph_cqe *cqe)
{
    if (!eph_dma_write(&function->dma, address, cqe, sizeof *cqe))
        return refuse(function, EPH_ERR_AXI_WRITE, address,
                      "not mapped by the client, or its file has become too short");
    return true;
}

static bool deliver_with_faults(struct eph_function *function, uint64_t address, struct eph_cqe *cqe)
{
    struct eph_device *device = function->device;
    if (function->duplicate_armed) {
        uint16_t phase = cqe->phase;
        *cqe = function->duplicate;
        cqe->phase = phase;
        function->duplicate_armed = false;
    }
    enum eph_fault fault = eph_fault_next(&device->faults);
    if (fault != EPH_FAULT_NONE)
        eph_device_log(device, "SIMULATED fault: %s (function %u, tag %u)", eph_fault_text(fault), function->queue,
                       cqe->tag);
    eph_fault_apply(&device->faults, fault, cqe);
    switch (fault) {
    case EPH_FAULT_LOST:
        return true;
    case EPH_FAULT_LATE:
        hold(device, function->queue, address, cqe);
        return true;
    case EPH_FAULT_HANG:
    case EPH_FAULT_FATAL:
    case EPH_FAULT_ALL_ONES:
        strike(device, fault);
        return true;
    case EPH_FAULT_DUPLICATE:
        function->duplicate = *cqe;
        function->duplicate_armed = true;
        return deliver(function, address, cqe);
    default:
        return deliver(function, address, cqe);
    }
}

static bool dma_write(void *context, unsigned queue, uint64_t address, const void *buffer, size_t bytes)
{
    struct eph_device *device = context;
    struct eph_function *function = &device->functions[queue];
    if (!function->attached || function->resetting || function->hung) {
        device->stats.discarded++;
        return true;
    }
    if (!dma_allowed(function, EPH_ERR_AXI_WRITE, address))
        return false;
    if (bytes == sizeof((struct eph_shadow *)0)->awake)
        return eph_dma_write(&function->dma, address, buffer, bytes) ||
               refuse(function, EPH_ERR_AXI_WRITE, address,
                      "not mapped by the client, or its file has become too short");
    if (bytes != sizeof(struct eph_cqe))
        return refuse(function, EPH_ERR_AXI_WRITE, address, "not a completion");
    struct eph_cqe cqe;
    memcpy(&cqe, buffer, sizeof cqe);
    cqe.qid = 0; // a function has one queue, whatever its number inside the card
    device->stats.completions++;
    bool good = deliver_with_faults(function, address, &cqe);
    explicit_bzero(&cqe, sizeof cqe);
    return good;
}

static bool has_late(const struct eph_device *device, unsigned queue)
{
    for (size_t i = 0; i < device->late_count; i++)
        if (device->late[i].queue == queue)
            return true;
    return false;
}

static void interrupt(void *context, unsigned vector)
{
    struct eph_device *device = context;
    if (vector == 0 || vector > EPH_MAX_QUEUES) {
        device->errors_raised = true;
        return;
    }
    struct eph_function *function = &device->functions[vector - 1];
    if (!function->attached || function->resetting || function->hung)
        return;
    if (has_late(device, function->queue))
        function->irq_waiting = true;
    else if (eph_irq_raise(&function->irqs, function->vector))
        device->stats.interrupts++;
}

// ---- life

struct eph_device *eph_device_new(const char *backend, const struct eph_device_options *options, char *message,
                                  size_t message_bytes)
{
    message[0] = '\0';
    struct eph_device *device = calloc(1, sizeof *device);
    if (device == NULL)
        return NULL;
    if (!eph_fault_parse(&device->faults, options->faults, message, message_bytes)) {
        free(device);
        errno = EINVAL;
        return NULL;
    }
    device->verbose = options->verbose;
    device->quiet = options->quiet && !eph_fault_active(&device->faults);
    for (unsigned q = 0; q < EPH_MAX_QUEUES; q++) {
        device->functions[q] = (struct eph_function){.device = device, .queue = q};
        eph_pci_init(&device->functions[q].pci, q);
        eph_irq_init(&device->functions[q].irqs);
    }
    struct eph_host host = {device, dma_read, dma_write, interrupt};
    device->backend = eph_backend_find(backend);
    if (device->backend != NULL)
        device->instance = device->backend->open(&options->backend, &host);
    if (device->instance == NULL) {
        int error = errno;
        free(device);
        errno = error;
        return NULL;
    }
    return device;
}

void eph_device_free(struct eph_device *device)
{
    if (device == NULL)
        return;
    for (unsigned q = 0; q < EPH_MAX_QUEUES; q++) {
        eph_dma_fini(&device->functions[q].dma);
        eph_irq_fini(&device->functions[q].irqs);
    }
    device->backend->close(device->instance, !device->abandoned);
    explicit_bzero(device, sizeof *device);
    free(device);
}

// ---- work

static void release_late(struct eph_device *device)
{
    if (device->late_count == 0)
        return;
    uint64_t now = eph_clock_ns();
    size_t kept = 0;
    for (size_t i = 0; i < device->late_count; i++) {
        struct eph_late_completion *late = &device->late[i];
        struct eph_function *function = &device->functions[late->queue];
        bool alive = function->attached && !function->resetting && !function->hung;
        if (alive && late->due_ns > now)
            device->late[kept++] = *late;
        else if (alive)
            (void)deliver(function, late->address, &late->cqe); // unmapped meanwhile: refused and counted there
    }
    explicit_bzero(&device->late[kept], (device->late_count - kept) * sizeof *device->late);
    device->late_count = kept;
    for (unsigned q = 0; q < EPH_MAX_QUEUES; q++) {
        struct eph_function *function = &device->functions[q];
        if (!function->irq_waiting || has_late(device, q))
            continue;
        function->irq_waiting = false;
        interrupt(device, q + 1);
    }
}

// Nanoseconds until the card has something to do by itself.
static uint64_t card_idle_ns(const struct eph_device *device)
{
    return device->backend->idle_ns != NULL ? device->backend->idle_ns(device->instance) : UINT64_MAX;
}

bool eph_device_run(struct eph_device *device)
{
    bool more = device->backend->run(device->instance);
    release_late(device);
    if (device->errors_raised) {
        device->errors_raised = false;
        for (unsigned q = 0; q < EPH_MAX_QUEUES; q++)
            eph_function_error(&device->functions[q]);
    }
    bool stuck = false;
    for (unsigned q = 0; q < EPH_MAX_QUEUES; q++)
        stuck |= !eph_function_settle(&device->functions[q]);
    if (!more && card_idle_ns(device) != UINT64_MAX)
        return false; // it waits for an answer that is not due yet: a drain may end with it
    if (stuck && !more) {
        eph_device_log(device, "an idle card does not end a reset: resetting all of it");
        eph_device_reset_card(device);
    }
    return more || stuck;
}

bool eph_device_sleep(struct eph_device *device)
{
    return device->backend->sleep != NULL && device->backend->sleep(device->instance);
}

uint64_t eph_device_idle_ns(const struct eph_device *device)
{
    uint64_t earliest = card_idle_ns(device), now = eph_clock_ns();
    for (size_t i = 0; i < device->late_count; i++) {
        uint64_t due = device->late[i].due_ns;
        uint64_t left = due > now ? due - now : 0;
        if (left < earliest)
            earliest = left;
    }
    return earliest;
}

static uint64_t microseconds(const struct timeval *time)
{
    return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

void eph_device_print_stats(const struct eph_device *device)
{
    const struct eph_device_stats *stats = &device->stats;
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"clients_attached", stats->attached},
        {"clients_refused", stats->refused_clients},
        {"messages", stats->messages},
        {"protocol_errors", stats->protocol_errors},
        {"register_reads", stats->reads},
        {"register_writes", stats->writes},
        {"bad_accesses", stats->bad_accesses},
        {"dma_maps", stats->dma_maps},
        {"dma_unmaps", stats->dma_unmaps},
        {"dma_refused", stats->dma_refused},
        {"completions", stats->completions},
        {"completions_discarded", stats->discarded},
        {"interrupts", stats->interrupts},
        {"function_resets", stats->function_resets},
        {"card_resets", stats->card_resets},
        {"cycles_simulated", device->backend->cycles(device->instance)},
        {"cpu_us", microseconds(&usage.ru_utime) + microseconds(&usage.ru_stime)}, // of this process, all threads
        {"spin_us", stats->spin_ns / 1000},                                        // of them: awake, with nothing to do
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        (void)printf("%s %llu\n", rows[i].name, (unsigned long long)rows[i].value);
    if (device->backend->print_stats != NULL)
        device->backend->print_stats(device->instance);
    for (unsigned f = EPH_FAULT_LOST; f < EPH_FAULT_COUNT; f++)
        if (device->faults.injected[f] != 0)
            (void)printf("SIMULATED_fault{kind=\"%s\"} %llu\n", eph_fault_text(f),
                         (unsigned long long)device->faults.injected[f]);
}

void eph_device_log_doubt(const struct eph_device *device)
{
    char text[256];
    if (device->backend->doubt != NULL && device->backend->doubt(device->instance, text, sizeof text))
        eph_device_log(device, "%s", text);
}
