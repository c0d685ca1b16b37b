// SPDX-License-Identifier: Apache-2.0
// The provider's statistics as the benchmark reads them.
#include "served.h"

#include <ephemera/stats.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = P_tmpdir "/bench-served-XXXXXX";

static void make_folder(void)
{
    cr_assert_not_null(mkdtemp(folder));
}
static void remove_folder(void)
{
    served_remove(folder);
    cr_assert_neq(access(folder, F_OK), 0, "the folder is gone");
}

TestSuite(served, .init = make_folder, .fini = remove_folder);

static void write_page(const char *name, struct eph_stats_page *page, size_t bytes)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(page, bytes, 1, file), 1);
    fclose(file);
}

static struct eph_stats_page page_with(unsigned device, unsigned software, unsigned timeouts)
{
    struct eph_stats_page page = {.magic = EPH_STATS_MAGIC, .version = EPH_STATS_VERSION, .bytes = sizeof(page)};
    page.counters.operations[eph_stats_series(EPH_CURVE_X25519, EPH_OP_KEYGEN, EPH_STATS_SERVED_DEVICE)] = device;
    page.counters.operations[eph_stats_series(EPH_CURVE_P384, EPH_OP_DERIVE, EPH_STATS_SERVED_SOFTWARE)] = software;
    page.counters.fallbacks[EPH_CAUSE_TIMEOUT] = timeouts;
    return page;
}

static int count(const json_t *object, const char *key)
{
    return (int)json_integer_value(json_object_get(object, key));
}

Test(served, sums_all_processes_and_names_causes)
{
    struct eph_stats_page first = page_with(5, 1, 0), second = page_with(10, 2, 3);
    struct served served;
    write_page("1-1.eph", &first, sizeof(first));
    write_page("2-1.eph", &second, sizeof(second));
    cr_assert(served_read(folder, &served));
    cr_assert_eq(count(served.operations, "device"), 15);
    cr_assert_eq(count(served.operations, "software"), 3);
    cr_assert_eq(count(served.operations, "pool"), 0);
    cr_assert_eq(count(served.fallbacks, "timeout"), 3);
    cr_assert_eq(json_object_size(served.fallbacks), 1, "only causes that occurred");
    cr_assert_float_eq(served.device, 15, 0.1);
    cr_assert_float_eq(served.fallback_count, 3, 0.1);
    json_decref(served.operations);
    json_decref(served.fallbacks);
}

Test(served, what_is_no_statistics_file_is_not_counted)
{
    struct eph_stats_page foreign = page_with(5, 1, 0), cut = page_with(5, 1, 0);
    struct served served;
    foreign.magic++;
    write_page("foreign", &foreign, sizeof(foreign));
    write_page("cut.eph", &cut, sizeof(cut) - 1);
    cr_assert_not(served_read(folder, &served));
}
