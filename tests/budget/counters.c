/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts what a program asks of the heap and of SQLite. Loaded in front of the libraries
 * (LD_PRELOAD); the counts are in the file that COUNTERS_FILE names, which a test reads while the
 * program runs.
 *
 * (1) Every call is passed on unchanged.
 * (2) Counts are exact with any number of threads.
 *
 * Built by tests/budget/measure.py with the system's compiler and nothing else.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* In the order of COUNTERS in measure.py. */
struct counters {
    _Atomic uint64_t allocations;
    _Atomic uint64_t allocated_bytes;
    _Atomic uint64_t statements; /* runs: each ends with a reset */
    _Atomic uint64_t rows;       /* steps */
};

static struct counters before; /* until the file is there */
static struct counters *counters = &before;

/* The C library's own, under the names it keeps for those who replace the others. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

__attribute__((constructor)) static void counters_open(void)
{
    const char *path = getenv("COUNTERS_FILE");
    int fd = path != NULL ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    void *shared;

    if (fd < 0 || ftruncate(fd, sizeof(struct counters)) != 0)
        return;
    shared = mmap(NULL, sizeof(struct counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (shared != MAP_FAILED)
        counters = shared;
}

static void count(size_t bytes)
{
    atomic_fetch_add_explicit(&counters->allocations, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&counters->allocated_bytes, bytes, memory_order_relaxed);
}

void *malloc(size_t bytes)
{
    count(bytes);
    return __libc_malloc(bytes);
}

void *calloc(size_t number, size_t bytes)
{
    count(number * bytes);
    return __libc_calloc(number, bytes);
}

void *realloc(void *memory, size_t bytes)
{
    count(bytes);
    return __libc_realloc(memory, bytes);
}

void *memalign(size_t alignment, size_t bytes)
{
    count(bytes);
    return __libc_memalign(alignment, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    return memalign(alignment, bytes);
}

int posix_memalign(void **ret_memory, size_t alignment, size_t bytes)
{
    void *memory = memalign(alignment, bytes);

    if (memory == NULL)
        return ENOMEM;
    *ret_memory = memory;
    return 0;
}

typedef int (*sqlite_call)(void *statement);

static sqlite_call next(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    sqlite_call call;

    _Static_assert(sizeof(call) == sizeof(found), "dlsym gives functions as objects");
    __builtin_memcpy(&call, &found, sizeof(call));
    return call;
}

int sqlite3_step(void *statement)
{
    static _Atomic sqlite_call real;

    if (atomic_load_explicit(&real, memory_order_relaxed) == NULL)
        atomic_store(&real, next("sqlite3_step"));
    atomic_fetch_add_explicit(&counters->rows, 1, memory_order_relaxed);
    return atomic_load_explicit(&real, memory_order_relaxed)(statement);
}

int sqlite3_reset(void *statement)
{
    static _Atomic sqlite_call real;

    if (atomic_load_explicit(&real, memory_order_relaxed) == NULL)
        atomic_store(&real, next("sqlite3_reset"));
    atomic_fetch_add_explicit(&counters->statements, 1, memory_order_relaxed);
    return atomic_load_explicit(&real, memory_order_relaxed)(statement);
}
