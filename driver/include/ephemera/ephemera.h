// SPDX-License-Identifier: Apache-2.0
// The driver's public interface: open a device, attach a queue to this process, submit requests, collect completions.
//
// Open early, attach late: eph_device_open needs the file system and the privileges of the start-up phase (it loads the
// plugin or connects the control socket) but starts no thread and maps no memory; eph_queue_open does the rest and
// works after chroot, setuid and in each forked child (the device handle is inherited, a queue is not).
//
// Threads: every function may be called from any thread; a queue is serialised by one mutex inside.
// Fork: a queue belongs to the process that opened it. In a child every call on it returns EPH_E_FORKED without
// touching shared memory; eph_queue_close then only frees the child's bookkeeping. Open a new queue on the same device.
// Secrets: scalars, blinds and results are wiped from driver memory as soon as the caller has its copy.
#ifndef EPHEMERA_EPHEMERA_H
#define EPHEMERA_EPHEMERA_H

#include <ephemera/wire.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define EPH_MUST_CHECK __attribute__((warn_unused_result))
#else
#define EPH_MUST_CHECK
#endif

enum eph_status {
    EPH_OK = 0,
    EPH_E_INVALID,     // argument or device string not understood
    EPH_E_UNSUPPORTED, // the device has no such operation or curve, or this build no such transport
    EPH_E_NO_DEVICE,   // nothing there: no socket, no plugin, no card
    EPH_E_PERMISSION,  // there, but not ours to use (also: peer of a socket is neither root nor ourselves)
    EPH_E_PROTOCOL,    // the other side does not speak our protocol or version
    EPH_E_NO_MEMORY,
    EPH_E_FULL,    // submission queue full: do it in software, do not spin
    EPH_E_TIMEOUT, // deadline passed; the slot is quarantined until its completion or a reset
    EPH_E_GONE,    // device removed, killed or fatal
    EPH_E_BROKEN,  // circuit breaker open: too many failures, retried with back-off
    EPH_E_FORKED,  // queue belongs to another process
    EPH_E_AGAIN,   // nothing yet
};

struct eph_device; // opaque, heap, inherited by children
struct eph_queue;  // opaque, heap, of one process

enum eph_log_level { EPH_LOG_ERROR, EPH_LOG_WARNING, EPH_LOG_INFO };

struct eph_options {
    uint32_t log2_depth;  // of the queue; 0: the device's maximum (64 entries)
    uint64_t deadline_ns; // of one request, from when the device could have started it; 0: 20x the self-test's latency
                          // on a simulation, 10 ms on hardware
    const char *sim_plugin; // absolute path of libephemera-sim.so; NULL: beside this module, or ../lib of it
    const char *sim_faults; // fault injector of the embedded simulation, NULL for none (tests)
    void (*log)(void *log_context, enum eph_log_level level,
                const char *message); // NULL: silent. One line, no newline.
    void *log_context;
};

// Forms of a device string, for messages: one line.
extern const char eph_device_forms[];

// uri: "sim" (embedded RTL simulation), "sim:model", "sim:rtl", "socket:PATH", "pci", "pci:BDF", "broker:PATH". options
// may be NULL; it and its strings are copied. On failure *device is NULL and, when log is set, one line says why and
// what to do.
EPH_MUST_CHECK enum eph_status eph_device_open(struct eph_device **device, const char *uri,
                                               const struct eph_options *options);
void eph_device_close(struct eph_device *device); // all queues of this process must be closed; accepts NULL

struct eph_device_info {
    char uri[256];
    char transport[16]; // "vfio-user", "vfio"
    uint32_t build_id;
    uint32_t if_version;
    uint32_t features; // bit 0 SIMULATED
    uint32_t engines;
    uint32_t contexts; // an engine
    uint32_t queue_entries;
    uint32_t curves; // bit c: enum eph_curve
    uint32_t operations;
    uint32_t clock_khz;
    uint64_t selftest_ns; // latency of the known-answer test at attach
};

// Attaches this process: connects, checks MAGIC and version before bus mastering, maps the rings
// (MADV_DONTFORK|MADV_DONTDUMP), enables the queue, runs one known-answer derive. Takes about 1 s on the RTL
// simulation, milliseconds elsewhere; a device that stays silent is given up after 1 s, a simulation after 10 s.
EPH_MUST_CHECK enum eph_status eph_queue_open(struct eph_device *device, struct eph_queue **queue);
void eph_queue_close(struct eph_queue *queue); // drains within the deadline, wipes the rings; accepts NULL
EPH_MUST_CHECK enum eph_status eph_device_info(struct eph_queue *queue, struct eph_device_info *info);

struct eph_request {
    enum eph_opcode opcode;
    enum eph_curve curve;
    const uint8_t *scalar; // borrowed during the call; EPH_CURVE_BYTES_* bytes, little-endian; secret
    const uint8_t *peer_x; // DERIVE: u or x, EPH_CURVE_BYTES_* bytes, little-endian; else NULL
    const uint8_t *peer_y; // DERIVE on Weierstrass curves, else NULL
    const uint8_t *blind;  // 32 random bytes, not all zero; secret
};

struct eph_completion {
    uint32_t tag;
    enum eph_status status;           // EPH_OK: the device answered; EPH_E_TIMEOUT, EPH_E_GONE: it did not
    enum eph_wire_status wire_status; // valid when status is EPH_OK
    uint32_t cycles;
    uint8_t result[EPH_CQE_RESULT_BYTES]; // secret; the caller wipes its copy
};

// All or none: either all n requests are queued and tags[] filled, or nothing is and the status says why.
// Tags are unique among requests in flight.
EPH_MUST_CHECK enum eph_status eph_submit(struct eph_queue *queue, const struct eph_request *requests, size_t n,
                                          uint32_t *tags);
// Collects up to max finished requests of this queue in any order, never those that eph_wait callers are waiting for.
// Returns their number; never blocks. Expired requests come back with EPH_E_TIMEOUT.
size_t eph_poll(struct eph_queue *queue, struct eph_completion *completions, size_t max);
// The same for threads that pass by while another one watches eph_queue_fd: leaves the event to that one, which makes
// it free of system calls.
size_t eph_poll_in_passing(struct eph_queue *queue, struct eph_completion *completions, size_t max);
// Waits for one tag until the request's deadline, or deadline_ns (CLOCK_MONOTONIC) when that is earlier and not 0.
EPH_MUST_CHECK enum eph_status eph_wait(struct eph_queue *queue, uint32_t tag, struct eph_completion *completion,
                                        uint64_t deadline_ns);
// The caller is no longer interested; the slot is quarantined until its completion or a reset, then wiped.
void eph_cancel(struct eph_queue *queue, uint32_t tag);
// Readable when completions may be waiting; valid until eph_queue_close. -1 when the transport has none.
int eph_queue_fd(struct eph_queue *queue);
// Interrupt moderation. quiet: as long as somebody calls eph_poll often anyway, no interrupt is asked for and
// eph_queue_fd stays silent (but for an interrupt asked for before, and the end of the device). Not quiet, as from the
// start: it tells of what has come meanwhile, and of everything from now on.
void eph_queue_quiet(struct eph_queue *queue, bool quiet);
// Expected latency in ns of one more request of this kind now (running estimate and queue length). UINT64_MAX while the
// device is out of service; asking moves it on towards service as submitting does.
uint64_t eph_queue_latency_ns(struct eph_queue *queue, enum eph_opcode opcode, enum eph_curve curve);

// submit + wait. For tools and blocking callers. EPH_OK only when the device answered within the deadline: look at
// wire_status then.
EPH_MUST_CHECK enum eph_status eph_exchange(struct eph_queue *queue, const struct eph_request *request,
                                            struct eph_completion *completion);

enum eph_breaker { EPH_BREAKER_CLOSED, EPH_BREAKER_OPEN, EPH_BREAKER_HALF_OPEN };

struct eph_queue_stats {
    uint64_t submitted, completed, timeouts, cancelled, late;
    uint64_t dropped_tag, dropped_generation, dropped_phase; // completions not trusted
    uint64_t resets, breaker_openings;
    uint64_t device_cycles;
    enum eph_breaker breaker;
};
void eph_queue_get_stats(struct eph_queue *queue, struct eph_queue_stats *stats);

const char *eph_status_text(enum eph_status status);
const char *eph_wire_status_text(enum eph_wire_status status);

// PCI functions of ours in this machine, by libpci. sysfs_path: NULL, or the root of another tree (tests).
struct eph_pci_entry {
    char bdf[16];
    uint16_t vendor, device;
    char driver[32]; // bound kernel driver, or ""
};
EPH_MUST_CHECK enum eph_status eph_pci_list(const char *sysfs_path, struct eph_pci_entry *entries, size_t max,
                                            size_t *count);

#endif
