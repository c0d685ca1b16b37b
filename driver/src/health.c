// SPDX-License-Identifier: Apache-2.0
// Circuit breaker. Three faults in a row take the device out of service; after a back-off it is reset, asked the known
// answer, and readmitted when it knows it. The steps are taken by whoever submits next, one at a time, and none of them
// waits for the device: the callers are TLS handshakes that go on in software meanwhile.
#include "queue.h"
#include "util.h"

#include <sys/epoll.h>

static const uint32_t health_faults_to_open = 3;
static const uint64_t health_backoff_first_ns = 100 * EPH_NS_PER_MS;
static const uint64_t health_backoff_last_ns = 30 * EPH_NS_PER_S;
// One register access after a timeout or a reset; a healthy server answers in well below 1 ms.
static const uint64_t health_access_ns = 20 * EPH_NS_PER_MS;
// Least time for a reset or a known answer before it counts as failed.
static const uint64_t health_step_ns = 100 * EPH_NS_PER_MS;

static const uint32_t all_ones = 0xffffffffu;

void eph_health_init(struct eph_queue *queue)
{
    queue->health = (struct eph_health){.state = EPH_HEALTH_CLOSED, .backoff_ns = health_backoff_first_ns};
}

static void set_breaker(struct eph_queue *queue, enum eph_health_state state, enum eph_breaker breaker)
{
    queue->health.state = state;
    queue->stats.breaker = breaker;
}

static void open_breaker(struct eph_queue *queue, uint64_t now_ns)
{
    struct eph_health *health = &queue->health;
    set_breaker(queue, EPH_HEALTH_OPEN, EPH_BREAKER_OPEN);
    health->retry_ns = now_ns + health->backoff_ns;
    health->faults = 0;
}

static void first_opening(struct eph_queue *queue, uint64_t now_ns, const char *why)
{
    open_breaker(queue, now_ns);
    queue->stats.breaker_openings++;
    eph_device_log(queue->device, EPH_LOG_WARNING, "device=%s: %s; out of service, next reset in %llu ms",
                   queue->device->uri, why, (unsigned long long)(queue->health.backoff_ns / EPH_NS_PER_MS));
}

void eph_health_success(struct eph_queue *queue)
{
    queue->health.faults = 0;
}

void eph_health_fault(struct eph_queue *queue, uint64_t now_ns)
{
    if (queue->health.state == EPH_HEALTH_CLOSED && ++queue->health.faults >= health_faults_to_open)
        first_opening(queue, now_ns, "three requests in a row timed out or failed");
}

void eph_health_untrusted(struct eph_queue *queue, const char *what)
{
    if (queue->health.logged_untrusted)
        return;
    queue->health.logged_untrusted = true;
    eph_device_log(queue->device, EPH_LOG_WARNING,
                   "device=%s: completion with a wrong %s dropped; more are only counted", queue->device->uri, what);
}

void eph_health_gone(struct eph_queue *queue, const char *why)
{
    if (queue->health.state == EPH_HEALTH_GONE)
        return;
    set_breaker(queue, EPH_HEALTH_GONE, EPH_BREAKER_OPEN);
    queue->health.probe = NULL;
    epoll_ctl(queue->epoll_fd, EPOLL_CTL_DEL, queue->transport->death_fd,
              NULL); // else eph_queue_fd stays readable for ever
    eph_device_log(queue->device, EPH_LOG_ERROR, "device=%s: gone (%s)", queue->device->uri, why);
    eph_queue_end_all(queue, EPH_E_GONE);
}

void eph_health_inspect(struct eph_queue *queue, uint64_t now_ns)
{
    if (queue->health.state == EPH_HEALTH_GONE || queue->doorbells_off)
        return;
    uint32_t value;
    enum eph_status status =
        queue->transport->ops->read32(queue->transport, EPH_REG_STATUS, &value, now_ns + health_access_ns);
    if (status == EPH_E_GONE)
        eph_health_gone(queue, "its server is gone");
    else if (status == EPH_OK && value == all_ones)
        eph_health_gone(queue, "registers read all ones");
    else if (status == EPH_OK && (value & EPH_STATUS_FATAL) && queue->health.state == EPH_HEALTH_CLOSED)
        first_opening(queue, now_ns, "it reports a fatal error");
}

static uint64_t step_limit_ns(const struct eph_queue *queue, uint64_t now_ns)
{
    return now_ns + (queue->deadline_ns > health_step_ns ? queue->deadline_ns : health_step_ns);
}

// Another failure on the way back: wait twice as long before the next try.
static enum eph_status step_failed(struct eph_queue *queue, uint64_t now_ns, enum eph_status status)
{
    struct eph_health *health = &queue->health;
    if (status == EPH_E_GONE)
        eph_health_gone(queue, "its server is gone");
    if (health->state == EPH_HEALTH_GONE)
        return EPH_E_GONE;
    health->backoff_ns =
        health->backoff_ns * 2 < health_backoff_last_ns ? health->backoff_ns * 2 : health_backoff_last_ns;
    health->probe = NULL;
    open_breaker(queue, now_ns);
    return EPH_E_BROKEN;
}

static enum eph_status start_reset(struct eph_queue *queue, uint64_t now_ns)
{
    queue->stats.resets++;
    queue->doorbells_off = true; // what is written now would reach the device after its reset
    enum eph_status status = queue->transport->ops->reset_start(queue->transport);
    if (status != EPH_OK)
        return step_failed(queue, now_ns, status);
    queue->health.state = EPH_HEALTH_RESETTING;
    queue->health.limit_ns = step_limit_ns(queue, now_ns);
    return EPH_E_BROKEN;
}

static enum eph_status continue_reset(struct eph_queue *queue, uint64_t now_ns)
{
    enum eph_status status = queue->transport->ops->reset_finish(queue->transport);
    if (status == EPH_E_AGAIN && now_ns < queue->health.limit_ns)
        return EPH_E_BROKEN;
    if (status != EPH_OK)
        return step_failed(queue, now_ns, status);
    // The device has wiped itself and writes no more: requests of before can not complete.
    eph_queue_end_all(queue, EPH_E_TIMEOUT);
    eph_queue_clear_rings(queue);
    queue->doorbells_off = false;
    status = eph_queue_program(queue, now_ns + health_access_ns);
    if (status == EPH_OK)
        status = eph_known_answer_submit(queue, &queue->health.probe, now_ns);
    if (status != EPH_OK)
        return step_failed(queue, now_ns, status);
    set_breaker(queue, EPH_HEALTH_PROBING, EPH_BREAKER_HALF_OPEN);
    queue->health.limit_ns = step_limit_ns(queue, now_ns);
    return EPH_E_BROKEN;
}

static enum eph_status continue_probe(struct eph_queue *queue, uint64_t now_ns)
{
    struct eph_health *health = &queue->health;
    eph_queue_harvest(queue, now_ns);
    if (health->state == EPH_HEALTH_GONE)
        return EPH_E_GONE;
    if (health->probe->state == EPH_SLOT_IN_FLIGHT && now_ns < health->limit_ns)
        return EPH_E_BROKEN;
    bool right = eph_known_answer_is_right(health->probe);
    if (health->probe->state == EPH_SLOT_DONE)
        eph_slots_release(&queue->slots, health->probe);
    else
        eph_slots_move(&queue->slots, health->probe, EPH_SLOT_QUARANTINED);
    health->probe = NULL;
    if (!right)
        return step_failed(queue, now_ns, EPH_E_BROKEN);
    set_breaker(queue, EPH_HEALTH_CLOSED, EPH_BREAKER_CLOSED);
    health->backoff_ns = health_backoff_first_ns;
    health->faults = 0;
    eph_device_log(queue->device, EPH_LOG_INFO, "device=%s: back in service", queue->device->uri);
    return EPH_OK;
}

enum eph_status eph_health_admit(struct eph_queue *queue, uint64_t now_ns)
{
    switch (queue->health.state) {
    case EPH_HEALTH_CLOSED:
        return EPH_OK;
    case EPH_HEALTH_OPEN:
        return now_ns < queue->health.retry_ns ? EPH_E_BROKEN : start_reset(queue, now_ns);
    case EPH_HEALTH_RESETTING:
        return continue_reset(queue, now_ns);
    case EPH_HEALTH_PROBING:
        return continue_probe(queue, now_ns);
    case EPH_HEALTH_GONE:
        break;
    }
    return EPH_E_GONE;
}
