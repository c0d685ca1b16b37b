// SPDX-License-Identifier: Apache-2.0
// The one derive with a known answer that admits a device to service, at attach and after every reset.
#include "queue.h"
#include "util.h"

#include <string.h>

// RFC 7748 §5.2, first vector. Public values: nothing here is a secret.
static const uint8_t kat_scalar[32] = {0xa5, 0x46, 0xe3, 0x6b, 0xf0, 0x52, 0x7c, 0x9d, 0x3b, 0x16, 0x15,
                                       0x4b, 0x82, 0x46, 0x5e, 0xdd, 0x62, 0x14, 0x4c, 0x0a, 0xc1, 0xfc,
                                       0x5a, 0x18, 0x50, 0x6a, 0x22, 0x44, 0xba, 0x44, 0x9a, 0xc4};
static const uint8_t kat_peer[32] = {0xe6, 0xdb, 0x68, 0x67, 0x58, 0x30, 0x30, 0xdb, 0x35, 0x94, 0xc1,
                                     0xa4, 0x24, 0xb1, 0x5f, 0x7c, 0x72, 0x66, 0x24, 0xec, 0x26, 0xb3,
                                     0x35, 0x3b, 0x10, 0xa9, 0x03, 0xa6, 0xd0, 0xab, 0x1c, 0x4c};
static const uint8_t kat_answer[32] = {0xc3, 0xda, 0x55, 0x37, 0x9d, 0xe9, 0xc6, 0x90, 0x8e, 0x94, 0xea,
                                       0x4d, 0xf2, 0x8d, 0x08, 0x4f, 0x32, 0xec, 0xcf, 0x03, 0x49, 0x1c,
                                       0x71, 0xf7, 0x54, 0xb4, 0x07, 0x55, 0x77, 0xa2, 0x85, 0x52};

enum eph_status eph_known_answer_submit(struct eph_queue *queue, struct eph_slot **slot, uint64_t now_ns)
{
    uint8_t blind[EPH_SQE_BLIND_BYTES];
    enum eph_status status = eph_random(blind, sizeof blind);
    if (status != EPH_OK)
        return status;
    blind[0] |= 1; // never zero
    *slot = eph_queue_has_room(queue, 1) ? eph_slots_take(&queue->slots) : NULL;
    if (!*slot)
        return EPH_E_FULL;
    (*slot)->internal = true;
    struct eph_request request = {
        .opcode = EPH_OP_DERIVE, .curve = EPH_CURVE_X25519, .scalar = kat_scalar, .peer_x = kat_peer, .blind = blind};
    eph_queue_push(queue, *slot, &request, now_ns);
    return eph_queue_ring(queue);
}

bool eph_known_answer_is_right(const struct eph_slot *slot)
{
    const struct eph_completion *answer = &slot->completion;
    return slot->state == EPH_SLOT_DONE && answer->status == EPH_OK && answer->wire_status == EPH_ST_OK &&
           !memcmp(answer->result, kat_answer, sizeof kat_answer);
}
