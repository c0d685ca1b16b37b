// SPDX-License-Identifier: Apache-2.0
#include "served.h"

#include <ephemera/stats.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Calls visit for each statistics file; returns how many.
static size_t each_file(const char *directory, void (*visit)(const char *path, void *context), void *context)
{
    char path[PATH_MAX];
    size_t files = 0;
    DIR *folder = opendir(directory);
    struct dirent *entry;
    while (folder && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.' ||
            snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name) >= (int)sizeof(path))
            continue;
        visit(path, context);
        files++;
    }
    if (folder)
        closedir(folder);
    return files;
}

struct sums {
    struct eph_stats_page page; // the file under way
    uint64_t served[EPH_STATS_SERVED_COUNT];
    uint64_t device_keygens;
    uint64_t fallbacks[EPH_CAUSE_COUNT];
    size_t pages;
};

static void add_file(const char *path, void *context)
{
    struct sums *sums = context;
    FILE *file = fopen(path, "rb");
    bool good = file && fread(&sums->page, sizeof(sums->page), 1, file) == 1 && sums->page.magic == EPH_STATS_MAGIC &&
                sums->page.version == EPH_STATS_VERSION && sums->page.bytes == sizeof(sums->page);
    if (file)
        fclose(file);
    if (!good)
        return;
    sums->pages++;
    for (unsigned series = 0; series < EPH_STATS_SERIES; series++)
        sums->served[series % EPH_STATS_SERVED_COUNT] += sums->page.counters.operations[series];
    for (unsigned curve = 1; curve < EPH_CURVE_COUNT; curve++)
        sums->device_keygens +=
            sums->page.counters.operations[eph_stats_series(curve, EPH_OP_KEYGEN, EPH_STATS_SERVED_DEVICE)];
    for (unsigned cause = 0; cause < EPH_CAUSE_COUNT; cause++)
        sums->fallbacks[cause] += sums->page.counters.fallbacks[cause];
}

bool served_read(const char *directory, struct served *served)
{
    struct sums *sums = calloc(1, sizeof(*sums));
    if (!sums)
        return false;
    each_file(directory, add_file, sums);
    bool good = sums->pages > 0;
    if (good) {
        *served = (struct served){.operations = json_object(), .fallbacks = json_object()};
        served->device = (double)sums->served[EPH_STATS_SERVED_DEVICE];
        for (unsigned who = 0; who < EPH_STATS_SERVED_COUNT; who++)
            json_object_set_new(served->operations, eph_stats_served_name[who],
                                json_integer((json_int_t)sums->served[who]));
        for (unsigned cause = 0; cause < EPH_CAUSE_COUNT; cause++) {
            served->fallback_count += (double)sums->fallbacks[cause];
            if (sums->fallbacks[cause] > 0)
                json_object_set_new(served->fallbacks, eph_stats_cause_name[cause],
                                    json_integer((json_int_t)sums->fallbacks[cause]));
        }
    }
    free(sums);
    return good;
}

struct served_counts served_counts(const char *directory)
{
    struct served_counts counts = {0};
    struct sums *sums = calloc(1, sizeof(*sums));
    if (!sums)
        return counts;
    each_file(directory, add_file, sums);
    counts = (struct served_counts){sums->served[EPH_STATS_SERVED_DEVICE], sums->served[EPH_STATS_SERVED_SOFTWARE],
                                    sums->served[EPH_STATS_SERVED_POOL], sums->device_keygens};
    free(sums);
    return counts;
}

void served_add(struct served_counts *sum, const struct served_counts *before, const struct served_counts *after)
{
    sum->device += after->device - before->device;
    sum->software += after->software - before->software;
    sum->pool += after->pool - before->pool;
    sum->device_keygens += after->device_keygens - before->device_keygens;
}

const char *served_by(const struct served_counts *counts)
{
    int kinds = (counts->device > 0) + (counts->software > 0) + (counts->pool > 0);
    if (kinds == 0)
        return "stock OpenSSL";
    if (kinds > 1)
        return "mixed";
    return counts->device > 0 ? "device" : counts->pool > 0 ? "pool" : "software";
}

static void remove_file(const char *path, void *context)
{
    (void)context;
    unlink(path);
}

void served_remove(const char *directory)
{
    each_file(directory, remove_file, NULL);
    rmdir(directory);
}
