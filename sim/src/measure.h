// SPDX-License-Identifier: Apache-2.0
// How fast a back end simulates. Says nothing about hardware, and prints so.
#ifndef EPH_SIM_MEASURE_H
#define EPH_SIM_MEASURE_H

#include "backend.h"

#include <stdio.h>

// Returns 0, 1 (the device did not answer correctly) or an errno value of the back end's open.
int eph_measure(const char *backend, const struct eph_backend_options *options, FILE *out);

#endif
