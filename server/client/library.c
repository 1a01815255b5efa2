/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading libcurl, once. It takes its memory from base/memory.h, as all libraries here do.
 */
#include "server/client/library.h"

#include <dlfcn.h>
#include <pthread.h>

#include "base/memory.h"
#include "server/client/client.h"

/* The one whose TLS is loaded already comes first. */
static const char *const names[] = {
    "libcurl-gnutls.so.4",
    "libcurl.so.4",
    "libcurl.4.dylib",
};

static struct {
    pthread_mutex_t lock;
    bool loaded;
    struct client_library functions;
} library = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void *take_zeroed(size_t count, size_t bytes)
{
    return bytes != 0 && count > SIZE_MAX / bytes ? NULL : mem_zalloc(count * bytes);
}

static char *take_copy(const char *text)
{
    return mem_cstr(str_from_cstr(text));
}

static void *open_any(void)
{
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        void *handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);

        if (handle != NULL)
            return handle;
    }
    return NULL;
}

static bool find_all(void *handle, struct client_library *functions)
{
    /* POSIX has it that a function's address fits into a void pointer; C does not. */
#define FIND(NAME)                                                                                 \
    *(void **)&functions->NAME = dlsym(handle, "curl_" #NAME);                                     \
    if (functions->NAME == NULL)                                                                   \
        return false;
    CLIENT_FUNCTIONS(FIND)
#undef FIND
    return true;
}

/* Under the lock. It stays loaded: threads of its own may still run when a client is closed. */
static bool load(struct fault *fault)
{
    void *handle = open_any();

    if (handle == NULL)
        return fault_false(fault, "libcurl is not installed (%s)", names[0]);
    if (!find_all(handle, &library.functions))
        return fault_false(fault, "libcurl is too old");
    if (library.functions.global_init_mem(CURL_GLOBAL_DEFAULT, mem_alloc, mem_free, mem_resize,
                                          take_copy, take_zeroed) != CURLE_OK)
        return fault_false(fault, "libcurl does not start");
    library.loaded = true;
    return true;
}

const struct client_library *client_library(struct fault *fault)
{
    bool loaded;

    (void)pthread_mutex_lock(&library.lock);
    loaded = library.loaded || load(fault);
    (void)pthread_mutex_unlock(&library.lock);
    return loaded ? &library.functions : NULL;
}

const char *client_library_version(void)
{
    bool loaded;

    (void)pthread_mutex_lock(&library.lock);
    loaded = library.loaded;
    (void)pthread_mutex_unlock(&library.lock);
    return loaded ? library.functions.version() : NULL;
}
