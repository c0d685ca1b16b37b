// SPDX-License-Identifier: Apache-2.0
#include "pool.h"
#include "key.h"
#include "log.h"
#include "provider.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
    DEFAULT_KEYS = 64,
    REFILL_AT_ONCE = 4, // submissions a call: about 10 us on top of the key's own cost, until the pool is full
    FLYING_MAX = 16,    // a quarter of the driver's queue: the rest is for calls that wait
};
#define MAX_AGE_NS UINT64_C(60000000000)

enum entry_state { ENTRY_EMPTY, ENTRY_FLYING, ENTRY_READY }; // zero must mean empty: what a forked child finds

struct entry {
    struct eph_flight flight;
    struct eph_pool *pool;
    enum entry_state state;
    uint64_t made_ns; // CLOCK_MONOTONIC, which stops while the machine sleeps: so does the pool
    uint8_t secret_scalar[EPH_X25519_BYTES];
    uint8_t public_u[EPH_X25519_BYTES];
};

struct eph_pool_memory {
    uint64_t marker; // MARKER, and zero in a forked child
    struct entry entry[];
};

#define MARKER UINT64_C(0x6c6f6f7065687065)

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

// ---- memory

static size_t memory_bytes(const struct eph_pool *pool)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t bytes = sizeof(struct eph_pool_memory) + pool->size * sizeof(struct entry);
    return (bytes + page - 1) / page * page;
}

// NULL with errno set: keys may not lie in memory that can be swapped, dumped or inherited.
static struct eph_pool_memory *map_memory(const struct eph_pool *pool)
{
    size_t bytes = memory_bytes(pool);
    struct eph_pool_memory *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    if (madvise(memory, bytes, MADV_WIPEONFORK) == 0 && madvise(memory, bytes, MADV_DONTDUMP) == 0 &&
        mlock(memory, bytes) == 0)
        return memory;
    int saved = errno;
    munmap(memory, bytes);
    errno = saved;
    return NULL;
}

static void open_pool(struct eph_provider *provider, struct eph_pool *pool, bool functional_only)
{
    int wanted = provider->config.pool;
    pool->size = wanted != EPH_POOL_AUTO ? (unsigned)wanted : functional_only ? 0 : DEFAULT_KEYS;
    pool->state = EPH_POOL_OFF;
    if (pool->size == 0)
        return;
    pool->memory = map_memory(pool);
    if (pool->memory == NULL) {
        eph_log("key pool off: its memory can not be locked (%s; see RLIMIT_MEMLOCK)", strerror(errno));
        eph_stats_pool_refused(&pool->process->stats);
        return;
    }
    pool->memory->marker = MARKER;
    pool->state = EPH_POOL_ON;
}

void eph_pool_init(struct eph_pool *pool, struct eph_process *process)
{
    *pool = (struct eph_pool){.process = process, .state = EPH_POOL_UNDECIDED};
    pthread_mutex_init(&pool->lock, NULL);
}

void eph_pool_fini(struct eph_pool *pool, bool ours)
{
    if (pool->memory != NULL) {
        size_t bytes = memory_bytes(pool);
        eph_secret_wipe(pool->memory, bytes);
        munmap(pool->memory, bytes);
    }
    pool->memory = NULL;
    if (ours) { // else a thread of the parent may have held it at the fork
        eph_stats_pool_keys(&pool->process->stats, 0);
        pthread_mutex_destroy(&pool->lock);
    }
}

// ---- entries, with the lock held

static bool usable(const struct eph_pool *pool)
{
    return pool->state == EPH_POOL_ON && pool->memory->marker == MARKER;
}

static void empty(struct entry *entry)
{
    eph_secret_wipe(entry, sizeof *entry);
}

static struct entry *find_empty(struct eph_pool *pool)
{
    for (unsigned i = 0; i < pool->size; i++)
        if (pool->memory->entry[i].state == ENTRY_EMPTY)
            return &pool->memory->entry[i];
    return NULL;
}

static void drop_expired(struct eph_pool *pool, uint64_t now)
{
    for (unsigned i = 0; i < pool->size; i++) {
        struct entry *entry = &pool->memory->entry[i];
        if (entry->state != ENTRY_READY || now - entry->made_ns <= MAX_AGE_NS)
            continue;
        empty(entry);
        pool->ready--;
        eph_stats_pool_expired(&pool->process->stats);
    }
}

// The oldest, so that few expire.
static bool take_oldest(struct eph_pool *pool, struct eph_key *key, uint64_t *age_ns)
{
    uint64_t now = now_ns();
    struct entry *oldest = NULL;
    drop_expired(pool, now);
    for (unsigned i = 0; i < pool->size; i++) {
        struct entry *entry = &pool->memory->entry[i];
        if (entry->state == ENTRY_READY && (oldest == NULL || entry->made_ns < oldest->made_ns))
            oldest = entry;
    }
    if (oldest == NULL)
        return false;
    *age_ns = now - oldest->made_ns;
    memcpy(key->scalar, oldest->secret_scalar, sizeof key->scalar);
    memcpy(key->public_u, oldest->public_u, sizeof key->public_u);
    empty(oldest);
    pool->ready--;
    return true;
}

// ---- refill

// A key comes back from the device: in with it when it is right.
static void land(struct eph_flight *flight, const struct eph_completion *completion)
{
    struct entry *entry = (struct entry *)((char *)flight - offsetof(struct entry, flight));
    struct eph_pool *pool = entry->pool;
    struct eph_answer answer = {0};
    bool good = eph_offload_judge(completion, NULL, &answer) == EPH_OUTCOME_OK;
    eph_stats_cycles(&pool->process->stats, answer.cycles);
    pthread_mutex_lock(&pool->lock);
    pool->flying--;
    if (good) {
        memcpy(entry->public_u, answer.secret_result, sizeof entry->public_u);
        entry->made_ns = now_ns();
        entry->state = ENTRY_READY;
        pool->ready++;
        eph_stats_pool_made(&pool->process->stats);
    } else {
        empty(entry);
        eph_stats_pool_discarded(&pool->process->stats);
    }
    eph_stats_pool_keys(&pool->process->stats, pool->ready);
    pthread_mutex_unlock(&pool->lock);
    eph_secret_wipe(&answer, sizeof answer);
}

// An entry in flight with a fresh scalar; NULL when none is wanted or there is no randomness.
static struct entry *prepare(struct eph_provider *provider, struct eph_pool *pool)
{
    uint8_t secret_scalar[EPH_X25519_BYTES];
    if (!eph_secret_x25519_scalar(provider->application, secret_scalar))
        return NULL;
    pthread_mutex_lock(&pool->lock);
    struct entry *entry = pool->flying < FLYING_MAX ? find_empty(pool) : NULL;
    if (entry != NULL) {
        *entry = (struct entry){.flight.land = land, .pool = pool, .state = ENTRY_FLYING};
        memcpy(entry->secret_scalar, secret_scalar, sizeof secret_scalar);
        pool->flying++;
    }
    pthread_mutex_unlock(&pool->lock);
    eph_secret_wipe(secret_scalar, sizeof secret_scalar);
    return entry;
}

static enum eph_status submit_one(struct eph_provider *provider, struct eph_pool *pool, struct eph_queue *queue)
{
    uint8_t secret_blind[EPH_BLIND_BYTES];
    struct entry *entry = eph_secret_blind(provider->application, secret_blind) ? prepare(provider, pool) : NULL;
    if (entry == NULL)
        return EPH_E_AGAIN;
    const struct eph_request request = {
        .opcode = EPH_OP_KEYGEN,
        .curve = EPH_CURVE_X25519,
        .scalar = entry->secret_scalar,
        .blind = secret_blind,
    };
    enum eph_status status = eph_flights_submit(&pool->process->flights, queue, &request, &entry->flight);
    eph_secret_wipe(secret_blind, sizeof secret_blind);
    if (status != EPH_OK) {
        pthread_mutex_lock(&pool->lock);
        pool->flying--;
        empty(entry);
        pthread_mutex_unlock(&pool->lock);
    }
    return status;
}

// How many submissions this call owes; none when the pool is full or enough is on its way.
static unsigned owed(struct eph_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    unsigned missing = pool->size - pool->ready - pool->flying;
    pthread_mutex_unlock(&pool->lock);
    return missing < REFILL_AT_ONCE ? missing : REFILL_AT_ONCE;
}

static bool is_flying(struct eph_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    bool flying = pool->flying > 0;
    pthread_mutex_unlock(&pool->lock);
    return flying;
}

static bool take(struct eph_pool *pool, struct eph_key *key)
{
    uint64_t age_ns = 0;
    pthread_mutex_lock(&pool->lock);
    bool taken = usable(pool) && take_oldest(pool, key, &age_ns);
    eph_stats_pool_keys(&pool->process->stats, pool->ready);
    pthread_mutex_unlock(&pool->lock);
    if (taken)
        eph_stats_pool_hit(&pool->process->stats, age_ns);
    return taken;
}

// Is there a pool? Decided once, when the device is known.
static bool is_on(struct eph_provider *provider, struct eph_pool *pool, struct eph_queue *queue)
{
    struct eph_device_info info;
    pthread_mutex_lock(&pool->lock);
    if (pool->state == EPH_POOL_UNDECIDED && queue != NULL && eph_device_info(queue, &info) == EPH_OK)
        open_pool(provider, pool,
                  (info.features & (EPH_FEATURE_SIMULATED | EPH_FEATURE_TIMED)) == EPH_FEATURE_SIMULATED);
    bool on = usable(pool);
    pthread_mutex_unlock(&pool->lock);
    return on;
}

bool eph_pool_take(struct eph_provider *provider, struct eph_process *process, struct eph_key *key)
{
    struct eph_pool *pool = &process->pool;
    struct eph_queue *queue = eph_offload_current(process);
    enum eph_status status = EPH_OK;
    bool on = is_on(provider, pool, queue);
    bool taken = on && take(pool, key);
    if (on && queue != NULL) {
        for (unsigned n = owed(pool); n > 0 && status == EPH_OK; n--)
            status = submit_one(provider, pool, queue);
        if (is_flying(pool))
            eph_flights_poll(&process->flights, queue);
        if (status != EPH_OK || !eph_stats_breaker_closed(&process->stats))
            eph_offload_note_breaker(process, queue);
    }
    if (queue != NULL)
        eph_offload_release(process);
    if (status == EPH_E_GONE)
        eph_offload_lost(process, queue);
    if (!taken)
        taken = on && take(pool, key);
    if (on && !taken)
        eph_stats_pool_miss(&process->stats);
    return taken;
}
