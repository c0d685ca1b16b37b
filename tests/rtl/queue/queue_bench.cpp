// SPDX-License-Identifier: Apache-2.0
// queue_bench [BEHAVIOUR...]: runs the named behaviours of the queue front end, or all, each on a freshly reset device.
#include <cstring>

#include "bench.h"

int main(int argc, char **argv)
{
    unsigned ran = 0, failed = 0, seed = 0;
    for (const eph::Behaviour *list : {eph::kTraffic, eph::kControl, eph::kFaults}) {
        for (const eph::Behaviour *b = list; b->name; b++) {
            bool wanted = argc == 1;
            for (int i = 1; i < argc; i++)
                wanted |= strcmp(argv[i], b->name) == 0;
            if (!wanted)
                continue;
            ran++;
            try {
                eph::QueueRig rig(seed);
                b->run(rig);
                printf("%-40s ok, %llu cycles\n", b->name, (unsigned long long)rig.cycle());
            } catch (const eph::Failure &failure) {
                printf("%-40s FAILED: %s\n", b->name, failure.what());
                failed++;
            }
        }
    }
    if (ran == 0)
        printf("no such behaviour\n");
    return ran == 0 || failed != 0;
}
