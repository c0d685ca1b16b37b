// SPDX-License-Identifier: Apache-2.0
// Handshakes between a server and a client in memory, in one thread, many in flight, each side's CPU taken apart.
//
// Server CPU = thread CPU of every call into the server's SSL (and, while jobs are paused, of waiting for their
// descriptors) + CPU of all other threads of this process during the slice (the client and the harness have only this
// one thread). The clock's own cost is taken off. Every handshake that was started is finished and counted, so nothing
// is cut at the edges of a slice.
#ifndef BENCH_HANDSHAKE_H
#define BENCH_HANDSHAKE_H

#include "probe.h"
#include "stats.h"
#include "tls_pair.h"

struct handshake_load {
    unsigned in_flight;         // closed loop: this many at any time; open loop: at most this many, the rest waits
    double seconds;             // of starting handshakes; each finished
    double arrivals_per_second; // 0: closed loop; else Poisson arrivals at this mean rate
    uint64_t seed;              // of the arrivals
    bool phases;                // time the phases; only for servers without SSL_MODE_ASYNC
    bool resume;                // from pair->session
};

struct handshake_result {
    uint64_t done;
    uint64_t server_cpu_ns, client_cpu_ns, wall_ns;
    uint64_t helper_cpu_ns; // of server_cpu_ns: all other threads of the process
    uint64_t pauses;        // times that a job was found waiting for the device
    struct probe probe;
    struct samples
        latency_us;    // from the start (open loop: the scheduled arrival) to the server's end; owned by the caller
    char failure[256]; // empty, or the first handshake that failed and why
};

// False when a handshake failed: result->failure says why. The latencies are appended. Stops early when *stop becomes
// true.
bool handshake_run(struct tls_pair *pair, const struct handshake_load *load, struct handshake_result *result);

// One full handshake: checks that it works and uses the suite's group, and keeps a session for resumption when asked.
// NULL, or the reason in reason.
const char *handshake_prime(struct tls_pair *pair, const struct suite *suite, bool keep_session, char reason[256]);

#endif
