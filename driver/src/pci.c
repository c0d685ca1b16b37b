// SPDX-License-Identifier: Apache-2.0
// Which functions of ours are in this machine. libpci reports errors through a callback that must not return (its
// default ends the program), hence the jump.
#include "device.h"
#include "util.h"

#include <pci/pci.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char sysfs_default[] = "/sys/bus/pci";

struct pci_id {
    uint16_t vendor, device;
};

// A build for a board adds that board's identifiers.
static const struct pci_id known_ids[] = {{EPH_PCI_VENDOR_SIM, EPH_PCI_DEVICE_SIM}};

static _Thread_local jmp_buf scan_failed;

__attribute__((noreturn)) static void on_pci_error(char *format, ...)
{
    (void)format;
    longjmp(scan_failed, 1);
}

static void on_pci_message(char *format, ...)
{
    (void)format;
}

static bool is_ours(const struct pci_dev *dev)
{
    for (size_t i = 0; i < sizeof known_ids / sizeof *known_ids; i++)
        if (dev->vendor_id == known_ids[i].vendor && dev->device_id == known_ids[i].device)
            return dev->device_class == EPH_PCI_CLASS >> 8;
    return false;
}

static void fill_entry(struct pci_dev *dev, struct eph_pci_entry *entry)
{
    *entry = (struct eph_pci_entry){.vendor = dev->vendor_id, .device = dev->device_id};
    snprintf(entry->bdf, sizeof entry->bdf, "%04x:%02x:%02x.%x", (unsigned)dev->domain & 0xffff, dev->bus, dev->dev,
             (unsigned)dev->func & 7);
    pci_fill_info(dev, PCI_FILL_DRIVER);
    const char *driver = pci_get_string_property(dev, PCI_FILL_DRIVER);
    if (driver)
        snprintf(entry->driver, sizeof entry->driver, "%s", driver);
}

enum eph_status eph_pci_list(const char *sysfs_path, struct eph_pci_entry *entries, size_t max, size_t *count)
{
    *count = 0;
    const char *root = sysfs_path ? sysfs_path : sysfs_default;
    char devices[4096];
    if ((size_t)snprintf(devices, sizeof devices, "%s/devices", root) >= sizeof devices)
        return EPH_E_INVALID;
    if (access(devices, R_OK | X_OK)) // a machine without PCI has no such tree; a named one must exist
        return sysfs_path ? EPH_E_INVALID : EPH_OK;
    struct pci_access *access = pci_alloc();
    access->method = PCI_ACCESS_SYS_BUS_PCI;
    access->error = on_pci_error;
    access->warning = on_pci_message;
    access->debug = on_pci_message;
    if (setjmp(scan_failed)) {
        *count = 0;
        pci_cleanup(access);
        return EPH_E_PROTOCOL;
    }
    pci_set_param(access, "sysfs.path", (char *)root);
    pci_init(access);
    pci_scan_bus(access);
    for (struct pci_dev *dev = access->devices; dev && *count < max; dev = dev->next) {
        pci_fill_info(dev, PCI_FILL_IDENT | PCI_FILL_CLASS);
        if (is_ours(dev))
            fill_entry(dev, &entries[(*count)++]);
    }
    pci_cleanup(access);
    return EPH_OK;
}

enum eph_status eph_pci_open(struct eph_device *device)
{
    struct eph_pci_entry entries[64];
    size_t count;
    enum eph_status status = eph_pci_list(NULL, entries, sizeof entries / sizeof *entries, &count);
    if (status != EPH_OK) {
        eph_device_log(device, EPH_LOG_ERROR, "device=%s: can not read %s", device->uri, sysfs_default);
        return status;
    }
    const struct eph_pci_entry *found = NULL;
    for (size_t i = 0; i < count && !found; i++)
        if (!*device->argument || !strcasecmp(entries[i].bdf, device->argument))
            found = &entries[i];
    if (!found) {
        eph_device_log(device, EPH_LOG_ERROR,
                       "device=%s: no Ephemera card%s%s in this machine; without one: sim, socket:PATH", device->uri,
                       *device->argument ? " at " : "", device->argument);
        return EPH_E_NO_DEVICE;
    }
    eph_device_log(
        device, EPH_LOG_ERROR,
        "device=%s: card %s found, but this version reaches devices through vfio-user only: sim, socket:PATH",
        device->uri, found->bdf);
    return EPH_E_UNSUPPORTED;
}
