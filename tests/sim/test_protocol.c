// SPDX-License-Identifier: Apache-2.0
// The server against the vfio-user specification, message by message.
#include "raw_client.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct raw_daemon daemon_;
static struct raw_client client;

static void start(void)
{
    raw_daemon_start(&daemon_, raw_backend(), NULL);
    raw_connect(&client, daemon_.path);
}

static void stop(void)
{
    raw_close(&client);
    cr_assert_eq(raw_daemon_stop(&daemon_, SIGTERM), 0);
}

TestSuite(protocol, .init = start, .fini = stop, .timeout = 60);

Test(protocol, exchanges_versions_and_capabilities)
{
    struct {
        struct eph_vu_version version;
        char json[512];
    } reply = {0};
    struct eph_vu_version request = {0, 7}; // a later minor version, and no capabilities at all
    int length = raw_call(&client, EPH_VU_VERSION, &request, sizeof request, NULL, 0, &reply, sizeof reply);
    cr_assert_gt(length, (int)sizeof reply.version);
    cr_assert_eq(reply.version.major, 0);
    cr_assert_eq(reply.version.minor, 1);
    cr_assert_eq(strlen(reply.json) + 1 + sizeof reply.version, (size_t)length, "JSON ends with the message");
    cr_assert_not_null(strstr(reply.json, "\"write_multiple\":true"));
    cr_assert_not_null(strstr(reply.json, "\"max_msg_fds\":16"));
}

Test(protocol, refuses_another_major_version)
{
    struct eph_vu_version request = {1, 0};
    cr_assert_eq(raw_call(&client, EPH_VU_VERSION, &request, sizeof request, NULL, 0, NULL, 0), -EINVAL);
    cr_assert_eq(raw_version(&client), -EPIPE);
}

Test(protocol, refuses_commands_before_the_version)
{
    cr_assert_eq(raw_call(&client, EPH_VU_DEVICE_RESET, NULL, 0, NULL, 0, NULL, 0), -EINVAL);
    cr_assert_eq(raw_version(&client), -EPIPE);
}

Test(protocol, closes_on_a_header_that_can_not_be)
{
    cr_assert_gt(raw_version(&client), 0);
    struct eph_vu_header header = {1, EPH_VU_DEVICE_RESET, EPH_VU_MAX_MESSAGE + 1, EPH_VU_COMMAND, 0};
    raw_send(&client, &header, sizeof header, NULL, 0);
    cr_assert_eq(raw_call(&client, EPH_VU_DEVICE_GET_INFO, NULL, 0, NULL, 0, NULL, 0), -EPIPE);
}

Test(protocol, describes_a_pci_device_with_reset)
{
    uint32_t info[4] = {0};
    cr_assert_gt(raw_version(&client), 0);
    cr_assert_eq(raw_call(&client, EPH_VU_DEVICE_GET_INFO, info, sizeof info, NULL, 0, info, sizeof info),
                 (int)sizeof info);
    cr_assert_eq(info[0], sizeof info);
    cr_assert_eq(info[1], (uint32_t)(VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI));
    cr_assert_eq(info[2], (uint32_t)VFIO_PCI_NUM_REGIONS);
    cr_assert_eq(info[3], (uint32_t)VFIO_PCI_NUM_IRQS);
}

Test(protocol, describes_regions_that_can_not_be_mapped)
{
    static const struct {
        uint32_t index;
        uint64_t size;
    } rows[] = {{VFIO_PCI_BAR0_REGION_INDEX, EPH_BAR0_BYTES},
                {VFIO_PCI_BAR1_REGION_INDEX, 0},
                {VFIO_PCI_BAR2_REGION_INDEX, EPH_BAR2_BYTES},
                {VFIO_PCI_CONFIG_REGION_INDEX, 4096},
                {VFIO_PCI_ROM_REGION_INDEX, 0}};
    cr_assert_gt(raw_version(&client), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct vfio_region_info info = {.argsz = sizeof info, .index = rows[i].index};
        cr_assert_eq(raw_call(&client, EPH_VU_DEVICE_GET_REGION_INFO, &info, sizeof info, NULL, 0, &info, sizeof info),
                     (int)sizeof info);
        cr_assert_eq(info.size, rows[i].size);
        cr_assert_eq(info.flags, rows[i].size ? VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE : 0u);
        cr_assert_eq(info.cap_offset, 0);
        cr_assert_eq(info.argsz, sizeof info);
    }
    struct vfio_region_info beyond = {.argsz = sizeof beyond, .index = VFIO_PCI_NUM_REGIONS};
    cr_assert_eq(raw_call(&client, EPH_VU_DEVICE_GET_REGION_INFO, &beyond, sizeof beyond, NULL, 0, NULL, 0), -EINVAL);
}

Test(protocol, describes_interrupts)
{
    static const uint32_t counts[VFIO_PCI_NUM_IRQS] = {
        [VFIO_PCI_MSIX_IRQ_INDEX] = EPH_MSIX_VECTORS, [VFIO_PCI_ERR_IRQ_INDEX] = 1, [VFIO_PCI_REQ_IRQ_INDEX] = 1};
    cr_assert_gt(raw_version(&client), 0);
    for (uint32_t i = 0; i < VFIO_PCI_NUM_IRQS; i++) {
        struct vfio_irq_info info = {.argsz = sizeof info, .index = i};
        cr_assert_eq(raw_call(&client, EPH_VU_DEVICE_GET_IRQ_INFO, &info, sizeof info, NULL, 0, &info, sizeof info),
                     (int)sizeof info);
        cr_assert_eq(info.count, counts[i]);
        cr_assert(info.flags & VFIO_IRQ_INFO_EVENTFD);
    }
}

static uint32_t config32(uint32_t offset)
{
    uint32_t value;
    cr_assert_eq(raw_read(&client, VFIO_PCI_CONFIG_REGION_INDEX, offset, &value, sizeof value), 0);
    return value;
}

static void set_config32(uint32_t offset, uint32_t value)
{
    cr_assert_eq(raw_write(&client, VFIO_PCI_CONFIG_REGION_INDEX, offset, &value, sizeof value), 0);
}

Test(protocol, shows_the_configuration_space_of_an_encryption_controller)
{
    cr_assert_gt(raw_version(&client), 0);
    cr_assert_eq(config32(PCI_VENDOR_ID), 0x10f01af4u);
    cr_assert_eq(config32(PCI_CLASS_REVISION) >> 8, 0x100000u);
    set_config32(PCI_VENDOR_ID, 0);
    cr_assert_eq(config32(PCI_VENDOR_ID), 0x10f01af4u, "identity is read-only");

    unsigned express = 0, msix = 0, guard = 0;
    for (uint32_t at = config32(PCI_CAPABILITY_LIST) & 0xff; at != 0 && guard++ < 48; at = config32(at) >> 8 & 0xff) {
        if ((config32(at) & 0xff) == PCI_CAP_ID_EXP)
            express = at;
        if ((config32(at) & 0xff) == PCI_CAP_ID_MSIX)
            msix = at;
    }
    cr_assert_neq(express, 0);
    cr_assert(config32(express + PCI_EXP_DEVCAP) & PCI_EXP_DEVCAP_FLR);
    cr_assert_neq(msix, 0);
    cr_assert_eq((config32(msix) >> 16 & PCI_MSIX_FLAGS_QSIZE) + 1, (uint32_t)EPH_MSIX_VECTORS);
    cr_assert_eq(config32(msix + PCI_MSIX_TABLE), 2u);
    cr_assert_eq(config32(msix + PCI_MSIX_PBA), 0x2002u);
}

Test(protocol, answers_base_address_sizing)
{
    cr_assert_gt(raw_version(&client), 0);
    for (uint32_t i = 0; i < 6; i++)
        set_config32(PCI_BASE_ADDRESS_0 + 4 * i, 0xffffffff);
    cr_assert_eq(config32(PCI_BASE_ADDRESS_0), ~(EPH_BAR0_BYTES - 1u) | PCI_BASE_ADDRESS_MEM_TYPE_64);
    cr_assert_eq(config32(PCI_BASE_ADDRESS_1), 0xffffffffu);
    cr_assert_eq(config32(PCI_BASE_ADDRESS_2), ~(EPH_BAR2_BYTES - 1u));
    for (uint32_t i = 3; i < 6; i++)
        cr_assert_eq(config32(PCI_BASE_ADDRESS_0 + 4 * i), 0u);
}

Test(protocol, shows_registers_of_one_function_with_one_queue)
{
    cr_assert_gt(raw_version(&client), 0);
    cr_assert_eq(raw_read32(&client, EPH_REG_MAGIC), (uint32_t)EPH_MAGIC);
    cr_assert_eq(raw_read32(&client, EPH_REG_IF_VERSION), (uint32_t)EPH_IF_VERSION);
    bool timed = strcmp(raw_backend(), "timed") == 0; // only there wall time means something
    cr_assert_eq(raw_read32(&client, EPH_REG_FEATURES), EPH_FEATURE_SIMULATED | (timed ? EPH_FEATURE_TIMED | EPH_FEATURE_AWAKE : 0u));
    uint32_t queues = raw_read32(&client, EPH_REG_QUEUES);
    cr_assert_eq(queues & 0xff, 1u);
    cr_assert_eq(queues >> 8 & 0xff, (uint32_t)EPH_MAX_LOG2_DEPTH);
    cr_assert_eq(queues >> 16, 64u);
    cr_assert_eq(raw_read32(&client, EPH_REG_STATUS), (uint32_t)EPH_STATUS_READY);
    cr_assert(raw_read32(&client, EPH_REG_CURVES) & 1u << EPH_CURVE_X25519);
    cr_assert_eq(raw_read32(&client, EPH_REG_OPS), 1u << EPH_OP_KEYGEN | 1u << EPH_OP_DERIVE);
    for (uint32_t offset = 0; offset < EPH_BAR0_BYTES; offset += offset < 0x3000 ? 4 : 0x1000)
        cr_assert_neq(raw_read32(&client, offset), 0xffffffffu, "register 0x%x reads as gone", offset);
}

Test(protocol, takes_only_aligned_words_in_bar0)
{
    uint8_t byte = 0, bytes[16] = {0};
    cr_assert_gt(raw_version(&client), 0);
    cr_assert_eq(raw_read(&client, VFIO_PCI_BAR0_REGION_INDEX, 1, &byte, 1), 0);
    cr_assert_eq(byte, 0xff);
    cr_assert_eq(raw_read(&client, VFIO_PCI_BAR0_REGION_INDEX, 0, bytes, 8), 0);
    cr_assert_eq(memcmp(bytes, "EPHM\0\0\1\0", 8), 0, "two words in one message");
    cr_assert_eq(raw_read(&client, VFIO_PCI_BAR0_REGION_INDEX, EPH_BAR0_BYTES, bytes, 4), -EINVAL);
    cr_assert_eq(raw_read(&client, VFIO_PCI_BAR0_REGION_INDEX, EPH_BAR0_BYTES - 4, bytes, 8), -EINVAL);
    cr_assert_eq(raw_read(&client, VFIO_PCI_BAR0_REGION_INDEX, UINT64_MAX - 3, bytes, 8), -EINVAL);
    cr_assert_eq(raw_read(&client, VFIO_PCI_BAR1_REGION_INDEX, 0, bytes, 4), -EINVAL);
    cr_assert_eq(raw_write(&client, VFIO_PCI_NUM_REGIONS, 0, bytes, 4), -EINVAL);
}

Test(protocol, writes_several_registers_in_one_message)
{
    struct {
        uint64_t count;
        struct {
            struct eph_vu_region_access access;
            uint8_t data[8];
        } writes[2];
    } multi = {2,
               {{{EPH_QUEUE_REGS_BASE + EPH_QREG_LOG2_DEPTH, 0, 4}, {5}},
                {{EPH_QUEUE_REGS_BASE + EPH_QREG_SQ_BASE_LO, 0, 8}, {0, 0x12, 0, 0, 0x34}}}};
    uint64_t done = 0;
    cr_assert_gt(raw_version(&client), 0);
    cr_assert_eq(raw_call(&client, EPH_VU_REGION_WRITE_MULTI, &multi, sizeof multi, NULL, 0, &done, sizeof done), 8);
    cr_assert_eq(done, 2);
    cr_assert_eq(raw_read32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_LOG2_DEPTH), 5u);
    cr_assert_eq(raw_read32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_SQ_BASE_LO), 0x1200u);
    cr_assert_eq(raw_read32(&client, EPH_QUEUE_REGS_BASE + EPH_QREG_SQ_BASE_HI), 0x34u);
    multi.count = 3; // more than the message holds
    cr_assert_eq(raw_call(&client, EPH_VU_REGION_WRITE_MULTI, &multi, sizeof multi, NULL, 0, NULL, 0), -EINVAL);
}

Test(protocol, answers_what_it_does_not_support)
{
    static const enum eph_vu_command commands[] = {EPH_VU_DEVICE_GET_REGION_IO_FDS, EPH_VU_DMA_READ, EPH_VU_DMA_WRITE,
                                                   EPH_VU_DEVICE_FEATURE, (enum eph_vu_command)99};
    cr_assert_gt(raw_version(&client), 0);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        cr_assert_eq(raw_call(&client, commands[i], NULL, 0, NULL, 0, NULL, 0), -ENOTSUP);
}

Test(protocol, answers_short_messages_with_an_error)
{
    static const enum eph_vu_command commands[] = {
        EPH_VU_DMA_MAP,         EPH_VU_DMA_UNMAP,   EPH_VU_DEVICE_GET_REGION_INFO, EPH_VU_DEVICE_GET_IRQ_INFO,
        EPH_VU_DEVICE_SET_IRQS, EPH_VU_REGION_READ, EPH_VU_REGION_WRITE,           EPH_VU_REGION_WRITE_MULTI};
    cr_assert_gt(raw_version(&client), 0);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        cr_assert_eq(raw_call(&client, commands[i], "abc", 3, NULL, 0, NULL, 0), -EINVAL);
}

Test(protocol, refuses_impossible_dma_maps)
{
    enum { RW = EPH_VU_DMA_FLAG_READ | EPH_VU_DMA_FLAG_WRITE };
    int fd = memfd_create("maps", MFD_CLOEXEC);
    cr_assert_eq(ftruncate(fd, 0x4000), 0);
    cr_assert_gt(raw_version(&client), 0);
    cr_assert_eq(raw_dma_map(&client, 0x10000, 0, 0, fd, RW), -EINVAL, "empty");
    cr_assert_eq(raw_dma_map(&client, 0x10000, 0x1800, 0, fd, RW), -EINVAL, "not whole pages");
    cr_assert_eq(raw_dma_map(&client, UINT64_C(0xfffffffffffff000), 0x2000, 0, fd, RW), -EINVAL, "wraps");
    cr_assert_eq(raw_dma_map(&client, 0x10000, 0x5000, 0, fd, RW), -EINVAL, "longer than its file");
    cr_assert_eq(raw_dma_map(&client, 0x10000, 0x1000, 0, fd, 4), -EINVAL, "unknown flag");
    cr_assert_eq(raw_dma_map(&client, 0x10000, 0x2000, 0, fd, RW), 0);
    cr_assert_eq(raw_dma_map(&client, 0x11000, 0x2000, 0, fd, RW), -EEXIST, "overlaps");
    cr_assert_eq(raw_dma_map(&client, UINT64_C(0xfffffffffffff000), 0x1000, 0, fd, RW), 0, "the last page is a page");
    close(fd);
}

Test(protocol, unmaps_ranges_that_wrap_and_cover_many_maps)
{
    enum { RW = EPH_VU_DMA_FLAG_READ | EPH_VU_DMA_FLAG_WRITE };
    const uint64_t high = UINT64_C(0xffffffffffff0000);
    int fd = memfd_create("maps", MFD_CLOEXEC);
    cr_assert_eq(ftruncate(fd, 0x4000), 0);
    cr_assert_gt(raw_version(&client), 0);
    for (unsigned i = 0; i < 4; i++)
        cr_assert_eq(raw_dma_map(&client, high + 0x2000 * i, 0x1000, 0x1000 * i, fd, RW), 0);
    cr_assert_eq(raw_dma_map(&client, 0x1000, 0x2000, 0, -1, RW), 0);
    cr_assert_eq(raw_dma_unmap(&client, 0x2000, 0x1000), -EINVAL, "would cut a map");
    cr_assert_eq(raw_dma_unmap(&client, high, high), 0, "wraps 2^64, ends there");
    for (unsigned i = 0; i < 4; i++)
        cr_assert_eq(raw_dma_map(&client, high + 0x2000 * i, 0x1000, 0, fd, RW), 0, "gone, so it can be mapped again");
    cr_assert_eq(raw_dma_map(&client, 0x1000, 0x2000, 0, -1, RW), -EEXIST, "the low one stayed");
    struct eph_vu_dma_unmap all = {sizeof all, VFIO_DMA_UNMAP_FLAG_ALL, 0, 0};
    cr_assert_eq(raw_call(&client, EPH_VU_DMA_UNMAP, &all, sizeof all, NULL, 0, NULL, 0), (int)sizeof all);
    cr_assert_eq(raw_dma_map(&client, 0x1000, 0x2000, 0, -1, RW), 0);
    close(fd);
}
