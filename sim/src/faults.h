// SPDX-License-Identifier: Apache-2.0
// Fault injector: what can go wrong between a completion leaving the device and its arrival in host memory.
// Deterministic: the same specification and order of completions give the same faults.
#ifndef EPH_SIM_FAULTS_H
#define EPH_SIM_FAULTS_H

#include <ephemera/wire.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum eph_fault {
    EPH_FAULT_NONE,
    EPH_FAULT_LOST,
    EPH_FAULT_LATE,
    EPH_FAULT_DUPLICATE,
    EPH_FAULT_CORRUPT,
    EPH_FAULT_CHECK,
    EPH_FAULT_WRONG_TAG,
    EPH_FAULT_WRONG_GENERATION,
    EPH_FAULT_HANG,
    EPH_FAULT_FATAL,
    EPH_FAULT_ALL_ONES,
    EPH_FAULT_COUNT
};

struct eph_fault_plan {
    uint32_t one_in[EPH_FAULT_COUNT]; // NAME=1/N: each completion with probability 1/N; 0: never
    uint64_t at[EPH_FAULT_COUNT];     // NAME@N: once, at the Nth completion of the device; 0: never
    uint64_t late_ns;
    uint64_t random; // state of the generator
    uint64_t completions;
    uint64_t injected[EPH_FAULT_COUNT];
};

extern const char eph_fault_help[]; // lines for --help

// specification: NULL or "" for none. False: message holds one line that says what is wrong.
bool eph_fault_parse(struct eph_fault_plan *plan, const char *specification, char *message, size_t message_bytes);
bool eph_fault_active(const struct eph_fault_plan *plan);
// Counts one completion and decides what happens to it.
enum eph_fault eph_fault_next(struct eph_fault_plan *plan);
// CORRUPT, CHECK, WRONG_TAG and WRONG_GENERATION change the completion; the others leave it.
void eph_fault_apply(struct eph_fault_plan *plan, enum eph_fault fault, struct eph_cqe *cqe);
const char *eph_fault_text(enum eph_fault fault);

#endif
