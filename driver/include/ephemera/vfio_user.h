// SPDX-License-Identifier: Apache-2.0
// The vfio-user protocol as both ends of this project speak it (version 0.1). Numbers and layouts: the vfio-user
// specification of libvfio-user and QEMU docs/interop/vfio-user; region and IRQ structures are those of linux/vfio.h.
#ifndef EPHEMERA_VFIO_USER_H
#define EPHEMERA_VFIO_USER_H

#include <stdint.h>

enum eph_vu_command {
    EPH_VU_VERSION = 1,
    EPH_VU_DMA_MAP = 2,
    EPH_VU_DMA_UNMAP = 3,
    EPH_VU_DEVICE_GET_INFO = 4,
    EPH_VU_DEVICE_GET_REGION_INFO = 5,
    EPH_VU_DEVICE_GET_REGION_IO_FDS = 6,
    EPH_VU_DEVICE_GET_IRQ_INFO = 7,
    EPH_VU_DEVICE_SET_IRQS = 8,
    EPH_VU_REGION_READ = 9,
    EPH_VU_REGION_WRITE = 10,
    EPH_VU_DMA_READ = 11,
    EPH_VU_DMA_WRITE = 12,
    EPH_VU_DEVICE_RESET = 13,
    EPH_VU_REGION_WRITE_MULTI = 15,
    EPH_VU_DEVICE_FEATURE = 16,
};

enum eph_vu_flags {
    EPH_VU_TYPE_MASK = 0xf,
    EPH_VU_COMMAND = 0x0,
    EPH_VU_REPLY = 0x1,
    EPH_VU_NO_REPLY = 0x10,
    EPH_VU_ERROR = 0x20,
};

enum { EPH_VU_MAX_DATA = 1 << 20, EPH_VU_MAX_FDS = 16, EPH_VU_MAX_MESSAGE = (1 << 20) + 64 };
enum { EPH_VU_DMA_FLAG_READ = 1, EPH_VU_DMA_FLAG_WRITE = 2 };

struct eph_vu_header {
    uint16_t id;
    uint16_t command;
    uint32_t bytes; // header included
    uint32_t flags;
    uint32_t error; // errno when EPH_VU_ERROR is set
};

struct eph_vu_version {
    uint16_t major; // 0
    uint16_t minor; // 1
    // JSON capabilities follow, NUL-terminated
};

struct eph_vu_dma_map { // fd in SCM_RIGHTS, or none: then the device can not reach it by itself
    uint32_t argsz;
    uint32_t flags;
    uint64_t offset;
    uint64_t address;
    uint64_t bytes;
};

struct eph_vu_dma_unmap {
    uint32_t argsz;
    uint32_t flags;
    uint64_t address;
    uint64_t bytes;
};

struct eph_vu_region_access { // followed by count bytes of data in a write request and a read reply
    uint64_t offset;
    uint32_t region;
    uint32_t count;
};

// Attach protocol (ours): next to the vfio-user socket PATH, ephemera-sim listens on PATH + EPH_ATTACH_SUFFIX, a
// SOCK_SEQPACKET socket that a client may keep open across chroot, setuid and fork. One request: a struct
// eph_attach_request with one file descriptor, the server's end of a socketpair (SOCK_STREAM) that speaks vfio-user
// from then on. Each gets one eph_attach_reply.
#define EPH_ATTACH_SUFFIX ".attach"
enum { EPH_ATTACH_MAGIC = 0x41485045 }; // "EPHA"

struct eph_attach_request {
    uint32_t magic;
    uint32_t version; // 1
};

struct eph_attach_reply {
    uint32_t magic;
    int32_t error; // 0, or an errno value: EBUSY when every function is taken
};

#endif
