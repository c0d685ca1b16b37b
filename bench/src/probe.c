// SPDX-License-Identifier: Apache-2.0
#include "probe.h"

#include "clock.h"

#include <dlfcn.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

const char *const probe_phase_names[PHASE_COUNT] = {"keygen", "check", "derive", "release", "kem", "signature"};

static _Thread_local struct {
    struct probe *probe;         // borrowed
    struct ideal_device *device; // borrowed
    bool is_server;
    int depth; // calls under way
} here;

void probe_begin(struct probe *probe, struct ideal_device *device, bool is_server)
{
    here.probe = probe;
    here.device = device;
    here.is_server = is_server;
    here.depth = 0;
}

void probe_end(void)
{
    memset(&here, 0, sizeof(here));
}

void ideal_device_fini(struct ideal_device *device)
{
    EVP_PKEY_free(device->server_key);
    memset(device, 0, sizeof(*device));
}

static bool outermost(void)
{
    return (here.probe || here.device) && here.depth == 0;
}

static void enter(uint64_t *begin_ns)
{
    here.depth++;
    *begin_ns = here.probe ? clock_thread_ns() : 0;
}

static void leave(enum phase phase, uint64_t begin_ns)
{
    if (here.probe) {
        here.probe->cpu_ns[phase] += clock_section_ns(begin_ns, clock_thread_ns());
        here.probe->calls[phase]++;
    }
    here.depth--;
}

// Defines a static pointer to libcrypto's own function of that name, found once (a race finds the same address twice).
#define LIBCRYPTO(pointer, name)                                                                                       \
    static __typeof__(&name) pointer;                                                                                  \
    if (!pointer)                                                                                                      \
    *(void **)&pointer = dlsym(RTLD_NEXT, #name)

// A function of libcrypto that is timed and otherwise unchanged.
#define TIMED(phase, name, parameters, arguments)                                                                      \
    EXPORTED int name parameters                                                                                       \
    {                                                                                                                  \
        uint64_t begin_ns;                                                                                             \
        LIBCRYPTO(next, name);                                                                                         \
        if (!outermost())                                                                                              \
            return next arguments;                                                                                     \
        enter(&begin_ns);                                                                                              \
        int result = next arguments;                                                                                   \
        leave(phase, begin_ns);                                                                                        \
        return result;                                                                                                 \
    }

TIMED(PHASE_CHECK, EVP_PKEY_derive_set_peer, (EVP_PKEY_CTX * ctx, EVP_PKEY *peer), (ctx, peer))
TIMED(PHASE_CHECK, EVP_PKEY_set1_encoded_public_key, (EVP_PKEY * key, const unsigned char *pub, size_t bytes),
      (key, pub, bytes))
TIMED(PHASE_KEM, EVP_PKEY_encapsulate,
      (EVP_PKEY_CTX * ctx, unsigned char *wrapped, size_t *wrapped_bytes, unsigned char *secret, size_t *bytes),
      (ctx, wrapped, wrapped_bytes, secret, bytes))
TIMED(PHASE_SIGNATURE, EVP_DigestSign,
      (EVP_MD_CTX * ctx, unsigned char *signature, size_t *bytes, const unsigned char *message, size_t message_bytes),
      (ctx, signature, bytes, message, message_bytes))

EXPORTED void EVP_PKEY_free(EVP_PKEY *key)
{
    uint64_t begin_ns;
    LIBCRYPTO(next, EVP_PKEY_free);
    if (!outermost()) {
        next(key);
        return;
    }
    enter(&begin_ns);
    next(key);
    leave(PHASE_RELEASE, begin_ns);
}

EXPORTED int EVP_PKEY_keygen(EVP_PKEY_CTX *ctx, EVP_PKEY **key)
{
    uint64_t begin_ns;
    LIBCRYPTO(next, EVP_PKEY_keygen);
    if (!outermost())
        return next(ctx, key);
    enter(&begin_ns);
    int result = 1;
    struct ideal_device *device = here.is_server ? here.device : NULL;
    if (device && device->server_key && EVP_PKEY_up_ref(device->server_key))
        *key = device->server_key;
    else
        result = next(ctx, key);
    leave(PHASE_KEYGEN, begin_ns);
    if (device && !device->server_key && result == 1 && EVP_PKEY_up_ref(*key))
        device->server_key = *key;
    return result;
}

EXPORTED int EVP_PKEY_derive(EVP_PKEY_CTX *ctx, unsigned char *secret, size_t *bytes)
{
    uint64_t begin_ns;
    LIBCRYPTO(next, EVP_PKEY_derive);
    if (!outermost())
        return next(ctx, secret, bytes);
    struct ideal_device *device = here.device;
    if (device && device->secret_bytes == 0 && next(ctx, NULL, &device->secret_bytes) != 1)
        device = NULL;
    enter(&begin_ns);
    int result = 1;
    if (!device)
        result = next(ctx, secret, bytes);
    else {
        *bytes = device->secret_bytes;
        if (secret)
            memset(secret, 0x5a, device->secret_bytes);
    }
    leave(PHASE_DERIVE, begin_ns);
    return result;
}
