// SPDX-License-Identifier: Apache-2.0
// A provider whose init loses memory: the sanitizer run of an unsanitized openssl program must see it, or its silence
// means nothing.
#include <openssl/core_dispatch.h>
#include <stdlib.h>
#include <string.h>

static char *volatile lost;

static const OSSL_ALGORITHM *query(void *context, int operation, int *no_cache)
{
    (void)context;
    (void)operation;
    *no_cache = 0;
    return NULL;
}

static const OSSL_DISPATCH functions[] = {{OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query}, {0, NULL}};

__attribute__((visibility("default"))) int OSSL_provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
                                                              const OSSL_DISPATCH **out, void **context)
{
    (void)in;
    lost = malloc(77);
    memset(lost, 1, 77);
    lost = NULL;
    *out = functions;
    *context = (void *)handle;
    return 1;
}
