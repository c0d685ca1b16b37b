// SPDX-License-Identifier: Apache-2.0
// Where does the server's time go? libssl calls libcrypto through its dynamic symbol table, so a function of the same
// name that this program defines is called instead (the ordinary rule of ELF linking, no LD_PRELOAD); each passes on to
// libcrypto and takes the time on the way. Nothing between libssl and the key exchange is added or left out, which a
// measuring provider would do (another dispatch, other keys); the price is that a libssl linked statically into the
// program could not be observed: probe_works says so.
//
// Only the outermost call counts: what a provider does inside belongs to the phase that called it. The same place lets
// the bench imitate an infinitely fast device: keygen returns one constant pair and derive a constant, at no cost.
// Never in a product.
#ifndef BENCH_PROBE_H
#define BENCH_PROBE_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

enum phase {
    PHASE_KEYGEN,    // EVP_PKEY_keygen
    PHASE_CHECK,     // import of the peer's share and its validation
    PHASE_DERIVE,    // EVP_PKEY_derive
    PHASE_RELEASE,   // EVP_PKEY_free: wiping and freeing both shares
    PHASE_KEM,       // EVP_PKEY_encapsulate (hybrids: ML-KEM and ECDHE together)
    PHASE_SIGNATURE, // EVP_DigestSign
    PHASE_COUNT
};
extern const char *const probe_phase_names[PHASE_COUNT];

struct probe {
    uint64_t cpu_ns[PHASE_COUNT]; // of the calling thread; helper threads are not in it
    uint64_t calls[PHASE_COUNT];
};

// A device of no cost and no latency, shared by both ends of a handshake.
struct ideal_device {
    EVP_PKEY *server_key; // owned; made by the first keygen
    size_t secret_bytes;
};
void ideal_device_fini(struct ideal_device *device);

// From here on, calls of this thread are timed into probe (NULL: not timed) and served by device (NULL: really
// computed). is_server: the constant key is only for the server, whose cost is measured. Not across an ASYNC_pause_job.
void probe_begin(struct probe *probe, struct ideal_device *device, bool is_server);
void probe_end(void);

#endif
