// SPDX-License-Identifier: Apache-2.0
// Operations inside an ASYNC_JOB: submit, pause the job, resume when the device has answered. Each answer is landed by
// whoever calls us next, another job or the thread of watch.h, and tells the application: by its job's own eventfd, or,
// when it has set one, by its callback (SSL_set_async_callback, ASYNC_WAIT_CTX_set_callback). So nothing depends on the
// application to poll anything of ours.
//
// A callback runs in whatever thread lands the answer, often inside another connection's call: it notes which
// connection may go on and wakes whom it must. It may come when its job has gone on already. It must not call OpenSSL,
// nor wait for a lock that is held while a connection is freed (freeing waits for its callback to return).
#ifndef EPH_ASYNC_H
#define EPH_ASYNC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "company.h"
#include "cost.h"
#include "offload.h"
#include "watch.h"

enum { EPH_ASYNC_MAX_PAUSED = 256 }; // jobs of a process; each holds a fibre of the application

struct eph_async {
    struct eph_process *process; // borrowed
    struct eph_watch watch;
    struct eph_company company;
    atomic_uint paused;
    struct eph_cost cost; // host CPU of one operation in the job's thread
};

void eph_async_init(struct eph_async *async, struct eph_process *process);
void eph_async_fini(struct eph_async *async, bool ours); // jobs still paused stay so

// Is the caller a job that could be paused?
bool eph_async_in_job(void);

// As eph_offload_x25519, but the job is paused meanwhile. Nothing of the caller's stack is used while it is: the record
// is freed by the resumed job, or by whoever comes last when the application frees the job's wait context instead.
enum eph_outcome eph_async_x25519(struct eph_provider *provider, struct eph_process *process, const uint8_t *scalar,
                                  const uint8_t *peer_u, struct eph_answer *answer);

// Host CPU time of one operation; 0 while it has not been measured.
uint64_t eph_async_cost_ns(const struct eph_async *async);

#endif
