// SPDX-License-Identifier: Apache-2.0
// The devices of a run. Nobody has such a card, so the bench starts daemons that answer like a described one
// (ephemera-sim --backend timed) in processes of their own, whose CPU is never the server's. A device that the user
// names takes the place of the fast one.
#ifndef BENCH_DEVICES_H
#define BENCH_DEVICES_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

enum device_id {
    DEVICE_NONE,
    DEVICE_FAST,     // many engines: what a good card would be
    DEVICE_SLOW,     // one small engine
    DEVICE_DEAD,     // a fast one that hangs for good after its first operations: devices_hang
    DEVICE_INFINITE, // computes in no time, so that nothing but the host's cost is left
    DEVICE_COUNT
};

struct device {
    const char *name, *profile; // profile: file in sim/profiles, or NULL
    char uri[112];              // device string of the driver; empty when there is none
    char label[80];             // what rows say: "fast: what-if-300k, timed"
    char skipped[128];          // why it is not there; empty when it is
    bool user;                  // named by the user
    bool simulated;             // started here: no hardware is behind it
    bool embedded;              // computes inside this process: its CPU would be counted as the server's
    pid_t pid;                  // of its daemon; 0: none
    double cpu_seconds;         // of its daemon, when it was stopped
};

struct devices {
    struct device list[DEVICE_COUNT];
    char folder[64]; // private, temporary: sockets, and what the daemons print; empty when there is none
};

struct device_wishes {
    const char *uri; // of the user's own device instead of the fast one, or NULL
    bool none;       // start nothing
    bool wanted[DEVICE_COUNT];
};

// Starts what is wanted and waits until each serves. What cannot be started says so in skipped. Daemons die with this
// process, however it ends, and do not see a Ctrl-C of the terminal.
void devices_open(struct devices *devices, const struct device_wishes *wishes);

// From now on the device answers nothing, neither doorbell nor register: its process is stopped, its sockets stay open.
void devices_hang(struct device *device);

// devices_stop_hung ends only the hung one, so that whoever still holds it open need not wait for it; devices_stop all.
void devices_stop_hung(struct devices *devices);
void devices_stop(struct devices *devices);

// The rows of the report's section "devices"; after devices_stop, since a daemon prints its counters when it ends.
json_t *devices_json(const struct devices *devices);
void devices_close(struct devices *devices); // stops what still runs and removes the folder

#endif
