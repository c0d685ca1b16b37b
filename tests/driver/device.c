// SPDX-License-Identifier: Apache-2.0
// Device strings, what is said about wrong ones, and the list of cards.
#include "rig.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(device, .timeout = 30);

struct uri_case {
    char uri[64];
    enum eph_status status;
    char log[64];
};

ParameterizedTestParameters(device, explains_strings_that_it_does_not_take)
{
    static const struct uri_case cases[] = {
        {"", EPH_E_INVALID, "accepted: sim |"},
        {"tpu", EPH_E_INVALID, "device=tpu is not a device; accepted: sim |"},
        {"sim:", EPH_E_INVALID, "accepted:"},
        {"sim:fast", EPH_E_INVALID, "accepted:"},
        {"simulator", EPH_E_INVALID, "accepted:"},
        {"socket", EPH_E_INVALID, "socket:PATH"},
        {"socket:", EPH_E_INVALID, "socket:PATH"},
        {"socket:/nonexistent/eph.sock", EPH_E_NO_DEVICE, "/nonexistent/eph.sock.attach"},
        {"pci:1", EPH_E_INVALID, "pci:BDF"},
        {"pci:0000:00:1f.9", EPH_E_INVALID, "pci:BDF"},
        {"pci:0000:ff:1f.7", EPH_E_NO_DEVICE, "no Ephemera card at 0000:ff:1f.7"},
        {"broker:/run/x", EPH_E_UNSUPPORTED, "no broker"},
        {"broker", EPH_E_INVALID, "broker:PATH"},
    };
    return cr_make_param_array(const struct uri_case, (struct uri_case *)cases, sizeof cases / sizeof *cases, NULL);
}

ParameterizedTest(const struct uri_case *test, device, explains_strings_that_it_does_not_take)
{
    struct rig rig = {0};
    enum eph_status status = rig_try_open(&rig, NULL, test->uri);
    cr_expect_eq(status, test->status, "\"%s\": %s", test->uri, eph_status_text(status));
    cr_expect_null(rig.device);
    cr_expect(strstr(rig.log, test->log), "\"%s\" says: %s", test->uri, rig.log);
    cr_expect_eq(strchr(rig.log, '\n'), rig.log + strlen(rig.log) - 1, "\"%s\": not one line: %s", test->uri, rig.log);
    rig_close(&rig);
}

Test(device, refuses_overlong_strings)
{
    char uri[2048] = "socket:/";
    memset(uri + 8, 'x', sizeof uri - 9);
    uri[sizeof uri - 1] = 0;
    struct rig rig = {0};
    cr_expect_eq(rig_try_open(&rig, NULL, uri), EPH_E_INVALID);
    uri[7 + 120] = 0; // fits the driver, not a socket address
    cr_expect_eq(rig_try_open(&rig, NULL, uri), EPH_E_INVALID);
    cr_expect(strstr(rig.log, "path longer than"), "log: %s", rig.log);
}

Test(device, says_where_it_looked_for_the_plugin)
{
    struct eph_device *device;
    struct eph_options options = {.sim_plugin = "/nonexistent/libephemera-sim.so"};
    cr_expect_eq(eph_device_open(&device, "sim", &options), EPH_E_NO_DEVICE);
    cr_expect_null(device);
    options = (struct eph_options){.log2_depth = 12};
    cr_expect_eq(eph_device_open(&device, "sim", &options), EPH_E_INVALID);
}

static void remove_tree(const char *root)
{
    char command[256];
    snprintf(command, sizeof command, "rm -r '%s'", root);
    cr_expect_eq(system(command), 0);
}

Test(device, trusts_no_other_users_daemon)
{
    if (getuid())
        cr_skip_test("needs root, to play another user");
    int ready[2], done[2];
    char directory[] = P_tmpdir "/eph-peer-XXXXXX", uri[128];
    cr_assert(mkdtemp(directory) && !chmod(directory, 0777) && !pipe(ready) && !pipe(done));
    pid_t child = fork();
    if (!child) {
        char byte = 0;
        if (setenv("TMPDIR", directory, 1) || setuid(65534))
            _exit(1);
        struct fake *fake = fake_start(NULL);
        snprintf(uri, sizeof uri, "%s", fake_uri(fake));
        _exit(write(ready[1], uri, sizeof uri) == sizeof uri && read(done[0], &byte, 1) == 1 ? 0 : 1);
    }
    cr_assert_eq(read(ready[0], uri, sizeof uri), (ssize_t)sizeof uri);
    struct rig rig = {0};
    cr_expect_eq(rig_try_open(&rig, NULL, uri), EPH_E_PERMISSION);
    cr_expect(strstr(rig.log, "neither root's nor ours"), "log: %s", rig.log);
    cr_expect_eq(write(done[1], "x", 1), 1);
    waitpid(child, NULL, 0);
    rig_close(&rig);
    remove_tree(directory);
}

// ---- cards, on a tree of our own

static void put(const char *root, const char *name, const void *data, size_t bytes)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *file = fopen(path, "w");
    cr_assert(file && fwrite(data, 1, bytes, file) == bytes && !fclose(file), "%s: %s", path, strerror(errno));
}

static void put_card(const char *root, const char *bdf, unsigned vendor, unsigned device, unsigned class,
                     const char *driver)
{
    char path[256], target[256], text[16];
    snprintf(path, sizeof path, "%s/devices/%s", root, bdf);
    cr_assert(!mkdir(path, 0755));
    uint8_t config[64] = {(uint8_t)vendor, (uint8_t)(vendor >> 8), (uint8_t)device, (uint8_t)(device >> 8)};
    config[10] = (uint8_t)(class >> 8);
    config[11] = (uint8_t)(class >> 16);
    put(path, "config", config, sizeof config);
    const struct {
        const char *name;
        unsigned value;
    } files[] = {{"vendor", vendor}, {"device", device}, {"class", class}, {"irq", 0}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        put(path, files[i].name, text, (size_t)snprintf(text, sizeof text, "0x%x\n", files[i].value));
    char resources[1024] = "";
    for (int i = 0; i < 13; i++)
        strcat(resources, "0x0000000000000000 0x0000000000000000 0x0000000000000000\n");
    put(path, "resource", resources, strlen(resources));
    if (driver) {
        snprintf(target, sizeof target, "%s/drivers/%s", root, driver);
        strcat(path, "/driver");
        cr_assert(!mkdir(target, 0755));
        snprintf(target, sizeof target, "../../drivers/%s",
                 driver); // libpci follows relative links only, as sysfs has them
        cr_assert(!symlink(target, path));
    }
}

static void make_tree(char *root)
{
    char path[256];
    cr_assert(mkdtemp(root));
    snprintf(path, sizeof path, "%s/devices", root);
    cr_assert(!mkdir(path, 0755));
    snprintf(path, sizeof path, "%s/drivers", root);
    cr_assert(!mkdir(path, 0755));
}

Test(device, lists_our_cards_and_no_others)
{
    char root[] = P_tmpdir "/eph-pci-XXXXXX";
    make_tree(root);
    put_card(root, "0000:00:1f.0", 0x8086, 0x1234, 0x060100, NULL);
    put_card(root, "0000:03:00.0", EPH_PCI_VENDOR_SIM, EPH_PCI_DEVICE_SIM, EPH_PCI_CLASS, "vfio-pci");
    put_card(root, "0000:04:00.1", EPH_PCI_VENDOR_SIM, EPH_PCI_DEVICE_SIM, EPH_PCI_CLASS, NULL);
    put_card(root, "0000:05:00.0", EPH_PCI_VENDOR_SIM, EPH_PCI_DEVICE_SIM, 0x020000, NULL); // wrong class
    struct eph_pci_entry entries[8];
    size_t count = 99;
    cr_assert_eq(eph_pci_list(root, entries, 8, &count), EPH_OK);
    cr_assert_eq(count, 2);
    unsigned first = strcmp(entries[0].bdf, "0000:03:00.0") ? 1 : 0; // libpci's order is its own
    cr_expect_str_eq(entries[first].bdf, "0000:03:00.0");
    cr_expect_str_eq(entries[first].driver, "vfio-pci");
    cr_expect_str_eq(entries[!first].bdf, "0000:04:00.1");
    cr_expect_str_eq(entries[!first].driver, "");
    cr_expect_eq(entries[0].vendor, EPH_PCI_VENDOR_SIM);
    cr_expect_eq(eph_pci_list(root, entries, 1, &count), EPH_OK);
    cr_expect_eq(count, 1, "never more than there is room for");
    remove_tree(root);
}

Test(device, survives_a_broken_tree)
{
    char root[] = P_tmpdir "/eph-pci-XXXXXX", path[256];
    make_tree(root);
    struct eph_pci_entry entries[8];
    size_t count = 99;
    cr_expect_eq(eph_pci_list(root, entries, 8, &count), EPH_OK);
    cr_expect_eq(count, 0);
    snprintf(path, sizeof path, "%s/devices/0000:03:00.0", root);
    cr_assert(!mkdir(path, 0755)); // a card without any file: an error for libpci, which would end the program;
                                   // from 3.15 on only a warning
    enum eph_status status = eph_pci_list(root, entries, 8, &count);
    cr_expect(status == EPH_OK || status == EPH_E_PROTOCOL);
    cr_expect_eq(count, 0);
    cr_expect_eq(eph_pci_list("/nonexistent", entries, 8, &count), EPH_E_INVALID);
    remove_tree(root);
}
