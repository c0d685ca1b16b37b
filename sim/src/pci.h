// SPDX-License-Identifier: Apache-2.0
// PCI configuration space of one function: what lspci and a kernel see.
#ifndef EPH_SIM_PCI_H
#define EPH_SIM_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EPH_PCI_CONFIG_BYTES = 4096 };

struct eph_pci_config {
    uint8_t bytes[EPH_PCI_CONFIG_BYTES];
    uint8_t writable[EPH_PCI_CONFIG_BYTES]; // mask of the bits that software can change
};

void eph_pci_init(struct eph_pci_config *config, unsigned function_number);
// What a function-level reset clears: command register, MSI-X enable, base addresses.
void eph_pci_reset(struct eph_pci_config *config);
// Offset and size lie inside the configuration space. True: software asked for a function-level reset.
bool eph_pci_write(struct eph_pci_config *config, uint32_t offset, const uint8_t *data, size_t bytes);
bool eph_pci_bus_master(const struct eph_pci_config *config);

#endif
