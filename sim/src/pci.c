// SPDX-License-Identifier: Apache-2.0
// Layouts: PCI Express Base Specification 4.0, sections 7.5.1 (type 0 header), 7.5.2 (power management), 7.5.3 (PCI
// Express capability), 7.7.2 (MSI-X), 7.9.3 (device serial number).
#include "pci.h"

#include <ephemera/wire.h>
#include <linux/pci_regs.h>
#include <string.h>

enum { CAP_PM = 0x40, CAP_EXPRESS = 0x50, CAP_MSIX = 0x90, EXT_CAP_SERIAL = 0x100 };
enum { BAR0_FLAGS = PCI_BASE_ADDRESS_MEM_TYPE_64, BAR2_FLAGS = 0, MSIX_BAR = 2 };
enum { LINK_SPEED_5GT = 2, LINK_WIDTH_X4 = 4, MAX_PAYLOAD_256 = 1, MAX_READ_512 = 2 };

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value);
    put16(at + 2, value >> 16);
}

static void init_header(struct eph_pci_config *config)
{
    uint8_t *bytes = config->bytes, *writable = config->writable;
    put16(bytes + PCI_VENDOR_ID, EPH_PCI_VENDOR_SIM);
    put16(bytes + PCI_DEVICE_ID, EPH_PCI_DEVICE_SIM);
    put16(bytes + PCI_STATUS, PCI_STATUS_CAP_LIST);
    put32(bytes + PCI_CLASS_REVISION, (uint32_t)EPH_PCI_CLASS << 8 | 1); // revision 1
    put16(bytes + PCI_SUBSYSTEM_VENDOR_ID, EPH_PCI_VENDOR_SIM);
    put16(bytes + PCI_SUBSYSTEM_ID, EPH_PCI_DEVICE_SIM);
    bytes[PCI_CAPABILITY_LIST] = CAP_PM;
    put16(writable + PCI_COMMAND,
          PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE);
    writable[PCI_CACHE_LINE_SIZE] = 0xff;
    writable[PCI_INTERRUPT_LINE] = 0xff;
    // Writing all ones to a base address register reads back its size: the low bits are not writable.
    put32(bytes + PCI_BASE_ADDRESS_0, BAR0_FLAGS);
    put32(writable + PCI_BASE_ADDRESS_0, ~(uint32_t)(EPH_BAR0_BYTES - 1));
    put32(writable + PCI_BASE_ADDRESS_1, 0xffffffff);
    put32(bytes + PCI_BASE_ADDRESS_2, BAR2_FLAGS);
    put32(writable + PCI_BASE_ADDRESS_2, ~(uint32_t)(EPH_BAR2_BYTES - 1));
}

static void init_capabilities(struct eph_pci_config *config, unsigned function_number)
{
    uint8_t *bytes = config->bytes, *writable = config->writable;
    bytes[CAP_PM] = PCI_CAP_ID_PM;
    bytes[CAP_PM + 1] = CAP_EXPRESS;
    put16(bytes + CAP_PM + PCI_PM_PMC, 3); // version 1.2
    put16(bytes + CAP_PM + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET);
    put16(writable + CAP_PM + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK);

    bytes[CAP_EXPRESS] = PCI_CAP_ID_EXP;
    bytes[CAP_EXPRESS + 1] = CAP_MSIX;
    put16(bytes + CAP_EXPRESS + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_ENDPOINT << 4);
    put32(bytes + CAP_EXPRESS + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_FLR | PCI_EXP_DEVCAP_RBER | MAX_PAYLOAD_256);
    put16(bytes + CAP_EXPRESS + PCI_EXP_DEVCTL, MAX_PAYLOAD_256 << 5 | MAX_READ_512 << 12);
    put16(writable + CAP_EXPRESS + PCI_EXP_DEVCTL, 0xffff & ~PCI_EXP_DEVCTL_BCR_FLR);
    put32(bytes + CAP_EXPRESS + PCI_EXP_LNKCAP, LINK_SPEED_5GT | LINK_WIDTH_X4 << 4);
    put16(bytes + CAP_EXPRESS + PCI_EXP_LNKSTA, LINK_SPEED_5GT | LINK_WIDTH_X4 << 4);

    bytes[CAP_MSIX] = PCI_CAP_ID_MSIX;
    put16(bytes + CAP_MSIX + PCI_MSIX_FLAGS, EPH_MSIX_VECTORS - 1);
    put16(writable + CAP_MSIX + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
    put32(bytes + CAP_MSIX + PCI_MSIX_TABLE, EPH_MSIX_TABLE_OFFSET | MSIX_BAR);
    put32(bytes + CAP_MSIX + PCI_MSIX_PBA, EPH_MSIX_PBA_OFFSET | MSIX_BAR);

    put32(bytes + EXT_CAP_SERIAL, PCI_EXT_CAP_ID_DSN | 1 << 16); // version 1, last in the list
    put32(bytes + EXT_CAP_SERIAL + 4, function_number);
    put32(bytes + EXT_CAP_SERIAL + 8, EPH_MAGIC);
}

void eph_pci_init(struct eph_pci_config *config, unsigned function_number)
{
    memset(config, 0, sizeof *config);
    init_header(config);
    init_capabilities(config, function_number);
}

void eph_pci_reset(struct eph_pci_config *config)
{
    put16(config->bytes + PCI_COMMAND, 0);
    put16(config->bytes + CAP_MSIX + PCI_MSIX_FLAGS, EPH_MSIX_VECTORS - 1);
    put32(config->bytes + PCI_BASE_ADDRESS_0, BAR0_FLAGS);
    put32(config->bytes + PCI_BASE_ADDRESS_1, 0);
    put32(config->bytes + PCI_BASE_ADDRESS_2, BAR2_FLAGS);
}

bool eph_pci_write(struct eph_pci_config *config, uint32_t offset, const uint8_t *data, size_t bytes)
{
    enum { FLR_BYTE = CAP_EXPRESS + PCI_EXP_DEVCTL + 1, FLR_BIT = PCI_EXP_DEVCTL_BCR_FLR >> 8 };
    bool reset = false;
    for (size_t i = 0; i < bytes; i++) {
        uint32_t at = offset + (uint32_t)i;
        uint8_t mask = config->writable[at];
        config->bytes[at] = (uint8_t)((config->bytes[at] & ~mask) | (data[i] & mask));
        reset |= at == FLR_BYTE && (data[i] & FLR_BIT);
    }
    return reset;
}

bool eph_pci_bus_master(const struct eph_pci_config *config)
{
    return config->bytes[PCI_COMMAND] & PCI_COMMAND_MASTER;
}
