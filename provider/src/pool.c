// SPDX-License-Identifier: Apache-2.0
#include "pool.h"
#include "clock.h"
#include "key.h"
#include "log.h"
#include "provider.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    DEFAULT_KEYS = 64,
    REFILL_AT_ONCE = EPH_FLIGHTS_AT_ONCE, // keys asked for with one doorbell
    FLYING_MAX = 16,                      // a quarter of the driver's queue: the rest is for calls that wait
};
#define MAX_AGE_NS UINT64_C(60000000000)
#define REFUSED_NS UINT64_C(5000000) // so long a refused refill is not tried again

struct entry {
    struct eph_flight flight;
    struct eph_pool *pool;
    struct entry *next; // in its list, see eph_pool_memory
    uint64_t made_ns;   // CLOCK_MONOTONIC, which stops while the machine sleeps: so does the pool
    uint8_t secret_scalar[EPH_X25519_BYTES];
    uint8_t public_u[EPH_X25519_BYTES];
};

// An entry is in one of the lists or on its way.
struct eph_pool_memory {
    uint64_t marker;               // MARKER, and zero in a forked child
    struct entry *unused;          // wiped
    struct entry *oldest, *newest; // ready, in the order in which they came
    struct entry entry[];
};

#define MARKER UINT64_C(0x6c6f6f7065687065)

static uint64_t now_ns(void)
{
    return eph_clock_ns(CLOCK_MONOTONIC_COARSE); // some milliseconds do not matter here
}

// ---- lists, with the lock held

// Wipes it.
static void discard(struct eph_pool *pool, struct entry *entry)
{
    eph_secret_wipe(entry, sizeof *entry);
    entry->next = pool->memory->unused;
    pool->memory->unused = entry;
}

static struct entry *take_unused(struct eph_pool *pool)
{
    struct entry *entry = pool->memory->unused;
    if (entry != NULL)
        pool->memory->unused = entry->next;
    return entry;
}

static void append_ready(struct eph_pool *pool, struct entry *entry)
{
    struct eph_pool_memory *memory = pool->memory;
    entry->next = NULL;
    *(memory->oldest == NULL ? &memory->oldest : &memory->newest->next) = entry;
    memory->newest = entry;
    pool->ready++;
}

static struct entry *take_oldest(struct eph_pool *pool)
{
    struct entry *entry = pool->memory->oldest;
    if (entry == NULL)
        return NULL;
    pool->memory->oldest = entry->next;
    pool->ready--;
    return entry;
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

// OFF is for good, and others look at it without the lock: so it is set last.
static enum eph_pool_state open_pool(struct eph_provider *provider, struct eph_pool *pool, bool functional_only)
{
    int wanted = provider->config.pool;
    pool->size = wanted != EPH_POOL_AUTO ? (unsigned)wanted : functional_only ? 0 : DEFAULT_KEYS;
    if (pool->size == 0)
        return EPH_POOL_OFF;
    pool->memory = map_memory(pool);
    if (pool->memory == NULL) {
        eph_log("key pool off: its memory can not be locked (%s; see RLIMIT_MEMLOCK)", strerror(errno));
        eph_stats_pool_refused(&pool->process->stats);
        return EPH_POOL_OFF;
    }
    pool->memory->marker = MARKER;
    for (unsigned i = 0; i < pool->size; i++)
        discard(pool, &pool->memory->entry[i]);
    return EPH_POOL_ON;
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

// Of the keys that are not too old, the oldest, so that few become it.
static bool take_key(struct eph_pool *pool, struct eph_key *key, uint64_t *age_ns)
{
    uint64_t now = now_ns();
    struct entry *entry;
    while ((entry = take_oldest(pool)) != NULL && now - entry->made_ns > MAX_AGE_NS) {
        discard(pool, entry);
        eph_stats_pool_expired(&pool->process->stats);
    }
    if (entry == NULL)
        return false;
    *age_ns = now - entry->made_ns;
    memcpy(key->scalar, entry->secret_scalar, sizeof key->scalar);
    memcpy(key->public_u, entry->public_u, sizeof key->public_u);
    discard(pool, entry);
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
        append_ready(pool, entry);
        eph_stats_pool_made(&pool->process->stats);
    } else {
        discard(pool, entry);
        eph_stats_pool_discarded(&pool->process->stats);
    }
    eph_stats_pool_keys(&pool->process->stats, pool->ready);
    pthread_mutex_unlock(&pool->lock);
    eph_secret_wipe(&answer, sizeof answer);
}

// Puts up to n entries in flight with these scalars. Returns how many; none when none is unused.
static unsigned prepare(struct eph_pool *pool, uint8_t secret_scalars[][EPH_X25519_BYTES], unsigned n,
                        struct entry *entries[])
{
    unsigned prepared = 0;
    pthread_mutex_lock(&pool->lock);
    while (prepared < n && pool->flying < FLYING_MAX && (entries[prepared] = take_unused(pool)) != NULL) {
        struct entry *entry = entries[prepared];
        *entry = (struct entry){.flight.land = land, .pool = pool};
        memcpy(entry->secret_scalar, secret_scalars[prepared++], sizeof entry->secret_scalar);
        pool->flying++;
    }
    pthread_mutex_unlock(&pool->lock);
    return prepared;
}

// The device takes no more now: out of service, or full.
static void take_back(struct eph_pool *pool, struct entry *const *entries, unsigned n)
{
    pthread_mutex_lock(&pool->lock);
    pool->refill_ns = now_ns() + REFUSED_NS;
    for (unsigned i = 0; i < n; i++)
        discard(pool, entries[i]);
    pool->flying -= n;
    pthread_mutex_unlock(&pool->lock);
}

static enum eph_status submit(struct eph_provider *provider, struct eph_pool *pool, struct eph_queue *queue,
                              struct entry *const *entries, unsigned n)
{
    uint8_t secret_blinds[REFILL_AT_ONCE][EPH_BLIND_BYTES];
    struct eph_request requests[REFILL_AT_ONCE];
    struct eph_flight *flights[REFILL_AT_ONCE];
    enum eph_status status = EPH_OK;
    for (unsigned i = 0; i < n; i++) {
        if (!eph_stock_blind(&pool->process->stock, provider->application, secret_blinds[i]))
            status = EPH_E_AGAIN;
        flights[i] = &entries[i]->flight;
        requests[i] = (struct eph_request){.opcode = EPH_OP_KEYGEN,
                                           .curve = EPH_CURVE_X25519,
                                           .scalar = entries[i]->secret_scalar,
                                           .blind = secret_blinds[i]};
    }
    if (status == EPH_OK)
        status = eph_flights_submit(&pool->process->flights, queue, requests, flights, n);
    eph_secret_wipe(secret_blinds, sizeof secret_blinds);
    return status;
}

// Submits n keys, or as many as there is room for, in one go: the doorbell and the DRBG cost as much for one.
static enum eph_status refill(struct eph_provider *provider, struct eph_pool *pool, struct eph_queue *queue, unsigned n)
{
    uint8_t secret_scalars[REFILL_AT_ONCE][EPH_X25519_BYTES];
    struct entry *entries[REFILL_AT_ONCE];
    enum eph_status status = EPH_OK;
    if (n == 0)
        return status;
    bool random = eph_secret_x25519_scalars(provider->application, secret_scalars, n);
    unsigned prepared = random ? prepare(pool, secret_scalars, n, entries) : 0;
    eph_secret_wipe(secret_scalars, sizeof secret_scalars); // also what a failing DRBG left
    if (prepared > 0)
        status = submit(provider, pool, queue, entries, prepared);
    if (status != EPH_OK)
        take_back(pool, entries, prepared);
    return status;
}

// How many keys a call asks for: none until there are enough to make it worth while, or the pool runs low. With the
// lock.
static unsigned owed(const struct eph_pool *pool)
{
    if (pool->refill_ns != 0 && now_ns() < pool->refill_ns)
        return 0;
    unsigned missing = pool->size - pool->ready - pool->flying;
    unsigned room = FLYING_MAX - pool->flying;
    bool low = pool->ready <= pool->size / 2;
    unsigned worth = low ? 1 : REFILL_AT_ONCE;
    missing = missing < REFILL_AT_ONCE ? missing : REFILL_AT_ONCE;
    return missing < worth ? 0 : missing < room ? missing : room;
}

// Is there a pool? Decided once, when the device is known.
static void decide(struct eph_provider *provider, struct eph_pool *pool, struct eph_queue *queue)
{
    struct eph_device_info info;
    pthread_mutex_lock(&pool->lock);
    if (pool->state == EPH_POOL_UNDECIDED && queue != NULL && eph_device_info(queue, &info) == EPH_OK)
        pool->state = open_pool(provider, pool,
                                (info.features & (EPH_FEATURE_SIMULATED | EPH_FEATURE_TIMED)) == EPH_FEATURE_SIMULATED);
    pthread_mutex_unlock(&pool->lock);
}

struct visit {
    bool on, taken;
    unsigned flying; // keys on their way
    unsigned owed;   // keys to be asked for
};

static struct visit visit(struct eph_pool *pool, struct eph_key *key)
{
    struct visit visit = {0};
    uint64_t age_ns = 0;
    pthread_mutex_lock(&pool->lock);
    visit.on = usable(pool);
    if (visit.on) {
        visit.taken = take_key(pool, key, &age_ns);
        visit.flying = pool->flying;
        visit.owed = owed(pool);
        eph_stats_pool_keys(&pool->process->stats, pool->ready);
    }
    pthread_mutex_unlock(&pool->lock);
    if (visit.taken)
        eph_stats_pool_hit(&pool->process->stats, age_ns);
    return visit;
}

bool eph_pool_take(struct eph_provider *provider, struct eph_process *process, struct eph_key *key)
{
    struct eph_pool *pool = &process->pool;
    enum eph_pool_state state = atomic_load_explicit(&pool->state, memory_order_relaxed);
    if (state == EPH_POOL_OFF) // for good
        return false;
    struct eph_queue *queue = eph_offload_current(process);
    enum eph_status status = EPH_OK;
    if (state == EPH_POOL_UNDECIDED)
        decide(provider, pool, queue);
    struct visit first = visit(pool, key);
    bool busy = queue != NULL && first.flying + first.owed > 0;
    if (busy) {
        status = refill(provider, pool, queue, first.owed);
        if (atomic_load_explicit(&process->async.paused, memory_order_relaxed) == 0) // else jobs come by often enough
            eph_flights_poll(&process->flights, queue, false);
        if (status != EPH_OK || !eph_stats_breaker_closed(&process->stats))
            eph_offload_note_breaker(process, queue);
    }
    if (queue != NULL)
        eph_offload_release(process);
    if (status == EPH_E_GONE)
        eph_offload_lost(process, queue);
    bool taken = first.taken || (busy && visit(pool, key).taken); // what has come meanwhile
    if (first.on && !taken)
        eph_stats_pool_miss(&process->stats);
    return taken;
}
