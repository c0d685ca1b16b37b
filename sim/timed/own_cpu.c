// SPDX-License-Identifier: Apache-2.0
#include "own_cpu.h"

#include <inttypes.h>
#include <stdio.h>

struct eph_own_cpu eph_own_cpu_read(void)
{
    struct eph_own_cpu cpu = {0};
    FILE *file = fopen("/proc/thread-self/schedstat", "re");
    if (file == NULL)
        return cpu;
    if (fscanf(file, "%" SCNu64 " %" SCNu64, &cpu.used_ns, &cpu.waited_ns) != 2)
        cpu = (struct eph_own_cpu){0};
    (void)fclose(file);
    return cpu;
}
