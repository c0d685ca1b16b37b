// SPDX-License-Identifier: Apache-2.0
// The embedded simulation: libephemera-sim.so, loaded by the driver only when the device string is "sim" or
// "sim:BACKEND". It serves the vfio-user protocol on one end of a socketpair from a thread of its own: the very path
// that the ephemera-sim daemon serves on a UNIX socket, so the driver has one transport for both.
#ifndef EPHEMERA_SIM_PLUGIN_H
#define EPHEMERA_SIM_PLUGIN_H

#include <stdint.h>

#define EPH_SIM_ABI 1u

struct eph_sim_options {
    uint32_t abi;          // EPH_SIM_ABI
    uint32_t contexts;     // of an engine, model back end only; 0: as built (64)
    uint32_t engines;      // 0: as built (1)
    const char *faults;    // fault injector, NULL for none: see ephemera-sim --help
    const char *wave_path; // rtl back end: FST waveform file, NULL for none
};

// Serves one device function on fd until the peer closes it or eph_sim_stop. Takes ownership of fd, also on failure.
// backend: "rtl" or "model". options may be NULL. Returns a handle, or NULL with errno set (ENOTSUP: no such back end).
// Not async-signal-safe; may be called in several processes (the thread does not survive fork: the child starts its
// own).
typedef void *eph_sim_start_fn(int fd, const char *backend, const struct eph_sim_options *options);

// Stops serving, joins the thread, wipes and frees the device. Accepts NULL.
typedef void eph_sim_stop_fn(void *handle);

// The plugin exports:
eph_sim_start_fn eph_sim_start;
eph_sim_stop_fn eph_sim_stop;

#endif
