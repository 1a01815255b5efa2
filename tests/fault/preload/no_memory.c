/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library to put in front of a program (LD_PRELOAD): its n-th allocation from now on fails, or all
 * from there. It stands below pail and every library that pail uses.
 *
 * Whoever started the program says which by writing into the file named by NO_MEMORY, which is mapped
 * here: struct control below, little words that tests/fault/memory.py knows.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct control {
    _Atomic uint64_t until;   /* the one to fail; 0: none */
    _Atomic uint64_t forever; /* ... and all that follow */
    _Atomic uint64_t counted; /* allocations, since somebody has set it to 0 */
    _Atomic uint64_t failed;
    _Atomic int64_t blocks; /* given out and not yet back, while it is counted */
};

/* What glibc's own are called, so that none has to be looked for. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *memory);

static struct control nobody_asks;
static struct control *control = &nobody_asks;

__attribute__((constructor)) static void map_control(void)
{
    const char *path = getenv("NO_MEMORY");
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *mapped;

    if (fd < 0)
        return;
    mapped = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (mapped != MAP_FAILED)
        control = mapped;
}

static bool fails(void)
{
    uint64_t number = atomic_fetch_add(&control->counted, 1) + 1;
    uint64_t until = atomic_load(&control->until);

    if (until == 0 || number < until || (number > until && atomic_load(&control->forever) == 0))
        return false;
    atomic_fetch_add(&control->failed, 1);
    errno = ENOMEM;
    return true;
}

static void *given(void *memory)
{
    if (memory != NULL)
        atomic_fetch_add(&control->blocks, 1);
    return memory;
}

__attribute__((visibility("default"))) void *malloc(size_t bytes)
{
    return fails() ? NULL : given(__libc_malloc(bytes));
}

__attribute__((visibility("default"))) void *calloc(size_t count, size_t bytes)
{
    return fails() ? NULL : given(__libc_calloc(count, bytes));
}

__attribute__((visibility("default"))) void *realloc(void *memory, size_t bytes)
{
    void *moved;

    if (fails())
        return NULL;
    moved = __libc_realloc(memory, bytes);
    if (memory == NULL)
        return given(moved);
    if (moved == NULL && bytes == 0)
        atomic_fetch_sub(&control->blocks, 1);
    return moved;
}

__attribute__((visibility("default"))) void *memalign(size_t alignment, size_t bytes)
{
    return fails() ? NULL : given(__libc_memalign(alignment, bytes));
}

__attribute__((visibility("default"))) void *aligned_alloc(size_t alignment, size_t bytes)
{
    return memalign(alignment, bytes);
}

__attribute__((visibility("default"))) int posix_memalign(void **memory, size_t alignment,
                                                          size_t bytes)
{
    *memory = memalign(alignment, bytes);
    return *memory != NULL ? 0 : ENOMEM;
}

__attribute__((visibility("default"))) void free(void *memory)
{
    if (memory == NULL)
        return;
    atomic_fetch_sub(&control->blocks, 1);
    __libc_free(memory);
}
