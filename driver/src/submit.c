// SPDX-License-Identifier: Apache-2.0
// Requests in: validation, all-or-none submission, and what a queue tells about itself.
#include "queue.h"
#include "util.h"

#include <string.h>

bool eph_queue_is_ours(const struct eph_queue *queue)
{
    return *queue->owner_mark != 0;
}

// The device cuts the blind to 255 bits; zero would make the result zero. CT: no branch on its bytes.
static bool blind_is_usable(const uint8_t *blind)
{
    uint8_t any = blind[EPH_SQE_BLIND_BYTES - 1] & 0x7f;
    for (size_t i = 0; i < EPH_SQE_BLIND_BYTES - 1; i++)
        any |= blind[i];
    return any != 0;
}

static enum eph_status check_request(const struct eph_queue *queue, const struct eph_request *request)
{
    unsigned opcode = request->opcode, curve = request->curve;
    if ((opcode != EPH_OP_KEYGEN && opcode != EPH_OP_DERIVE) || !eph_curve_bytes(request->curve))
        return EPH_E_INVALID;
    if (!(queue->info.operations >> opcode & 1) || !(queue->info.curves >> curve & 1))
        return EPH_E_UNSUPPORTED;
    if (!request->scalar || !request->blind || !blind_is_usable(request->blind))
        return EPH_E_INVALID;
    bool weierstrass = curve == EPH_CURVE_P256 || curve == EPH_CURVE_P384 || curve == EPH_CURVE_P521;
    if (opcode == EPH_OP_DERIVE && (!request->peer_x || (weierstrass && !request->peer_y)))
        return EPH_E_INVALID;
    return EPH_OK;
}

enum eph_status eph_queue_submit(struct eph_queue *queue, const struct eph_request *requests, size_t n, uint32_t *tags)
{
    enum eph_status status = EPH_OK;
    for (size_t i = 0; i < n && status == EPH_OK; i++)
        status = check_request(queue, &requests[i]);
    if (status != EPH_OK || !n)
        return status;
    uint64_t now_ns = eph_now_ns();
    status = eph_health_admit(queue, now_ns);
    if (status != EPH_OK)
        return status;
    if (!eph_queue_has_room(queue, n)) {
        eph_queue_harvest(queue, now_ns);
        if (queue->health.state == EPH_HEALTH_GONE)
            return EPH_E_GONE;
        if (!eph_queue_has_room(queue, n))
            return EPH_E_FULL;
    }
    for (size_t i = 0; i < n; i++) {
        struct eph_slot *slot = eph_slots_take(&queue->slots);
        eph_queue_push(queue, slot, &requests[i], now_ns);
        tags[i] = slot->tag;
    }
    // A doorbell that did not go out in time is a hung server: the requests are in flight and run into their deadlines.
    if (eph_queue_ring(queue) == EPH_E_GONE) {
        for (size_t i = 0; i < n; i++)
            eph_slots_release(&queue->slots, eph_slots_find(&queue->slots, tags[i]));
        return EPH_E_GONE;
    }
    if (queue->fd_wanted && !queue->quiet && !queue->leader)
        eph_queue_arm(queue); // else a thread that only watches the descriptor would sleep for ever
    queue->stats.submitted += n;
    return EPH_OK;
}

enum eph_status eph_submit(struct eph_queue *queue, const struct eph_request *requests, size_t n, uint32_t *tags)
{
    if (!eph_queue_is_ours(queue))
        return EPH_E_FORKED;
    pthread_mutex_lock(&queue->lock);
    enum eph_status status = eph_queue_submit(queue, requests, n, tags);
    pthread_mutex_unlock(&queue->lock);
    return status;
}

enum eph_status eph_device_info(struct eph_queue *queue, struct eph_device_info *info)
{
    if (!eph_queue_is_ours(queue))
        return EPH_E_FORKED;
    *info = queue->info; // constant since eph_queue_open
    return EPH_OK;
}

// An estimate that no request has confirmed for so long is none: who was told "late" once and asks no more would never
// learn that the device has recovered.
static const uint64_t latency_valid_ns = EPH_NS_PER_S;

static uint64_t predict_ns(struct eph_queue *queue, enum eph_opcode opcode, enum eph_curve curve, uint64_t now_ns)
{
    if (eph_health_admit(queue, now_ns) != EPH_OK) // moves a broken queue on towards service, as a request would
        return UINT64_MAX;
    uint64_t one_ns = queue->latency[opcode][curve].ns;
    if (!one_ns || now_ns - queue->latency[opcode][curve].updated_ns > latency_valid_ns)
        one_ns = queue->info.selftest_ns; // a derive: the longest operation known
    return one_ns + one_ns * eph_slots_queued(&queue->slots) / queue->slots.capacity;
}

uint64_t eph_queue_latency_ns(struct eph_queue *queue, enum eph_opcode opcode, enum eph_curve curve)
{
    if (!eph_queue_is_ours(queue) || (opcode != EPH_OP_KEYGEN && opcode != EPH_OP_DERIVE) || !eph_curve_bytes(curve))
        return UINT64_MAX;
    pthread_mutex_lock(&queue->lock);
    uint64_t latency_ns = predict_ns(queue, opcode, curve, eph_now_ns());
    pthread_mutex_unlock(&queue->lock);
    return latency_ns;
}

void eph_queue_get_stats(struct eph_queue *queue, struct eph_queue_stats *stats)
{
    if (!eph_queue_is_ours(queue)) {
        *stats = (struct eph_queue_stats){0};
        return;
    }
    pthread_mutex_lock(&queue->lock);
    *stats = queue->stats;
    pthread_mutex_unlock(&queue->lock);
}
