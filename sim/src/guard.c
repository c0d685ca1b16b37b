// SPDX-License-Identifier: Apache-2.0
#include "guard.h"

#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

// Where this thread goes when its copy fails; valid while copying. The handler runs in the thread that raised SIGBUS.
static _Thread_local sigjmp_buf refuge;
static _Thread_local volatile sig_atomic_t copying;

static void on_bus_error(int signal_number)
{
    if (copying)
        siglongjmp(refuge, 1);
    (void)signal(signal_number, SIG_DFL); // not ours: the access is tried again, and the process ends
}

bool eph_guard_install(void)
{
    // SA_NODEFER: nothing restores the signal mask when a copy is left by siglongjmp, so it must not change.
    struct sigaction action = {.sa_handler = on_bus_error, .sa_flags = SA_NODEFER};
    return sigaction(SIGBUS, &action, NULL) == 0;
}

// The fences keep the compiler from moving an access out of the guarded part.
bool eph_guard_copy(void *to, const void *from, size_t bytes)
{
    if (sigsetjmp(refuge, 0) != 0) {
        copying = 0;
        return false;
    }
    copying = 1;
    atomic_signal_fence(memory_order_seq_cst);
    memcpy(to, from, bytes);
    atomic_signal_fence(memory_order_seq_cst);
    copying = 0;
    return true;
}

bool eph_guard_store64(uint64_t *to, uint64_t value)
{
    if (sigsetjmp(refuge, 0) != 0) {
        copying = 0;
        return false;
    }
    copying = 1;
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit((_Atomic uint64_t *)(void *)to, value, memory_order_release);
    atomic_signal_fence(memory_order_seq_cst);
    copying = 0;
    return true;
}
