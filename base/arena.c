/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arena: all memory of one request, freed at once. Rules in arena.h.
 *
 * One malloc holds the struct and its first block; later blocks are chained behind it, each at
 * least BLOCK_BYTES_MIN and as large as all before it, clipped to what the limit leaves. The limit
 * bounds the sum of block sizes, so it bounds real memory, not only what was asked.
 *
 * ARENA_DEBUG gives every allocation a malloc of its own, of exact size, so that a sanitizer sees
 * overruns and use after reset. The limit then counts allocations rounded to the alignment.
 */
#include "base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

#define ARENA_ALIGN 16
#define BLOCK_BYTES_MIN 4096

struct block {
    alignas(ARENA_ALIGN) struct block *next;
    size_t bytes;
    unsigned char space[];
};

struct arena {
    alignas(ARENA_ALIGN) unsigned char *at; /* next free byte of the current block */
    unsigned char *end;
    struct block *blocks; /* newest first; without the embedded one */
    size_t limit_bytes;
    size_t reserved_bytes; /* sum of all blocks */
    size_t used_before;    /* handed out by blocks that are no longer current */
    unsigned char *start;  /* of the current block */
    size_t first_bytes;
    unsigned char first[];
};

static_assert(sizeof(struct block) % ARENA_ALIGN == 0, "blocks hand out aligned memory");
static_assert(sizeof(struct arena) % ARENA_ALIGN == 0, "so does the embedded one");

static _Atomic uint64_t blocks_total;

/* To the alignment; false where that would wrap. */
static bool round_up(size_t bytes, size_t *ret_rounded)
{
    if (bytes > SIZE_MAX - ARENA_ALIGN)
        return false;

    *ret_rounded = (bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    return true;
}

static void *counted_malloc(size_t bytes)
{
    atomic_fetch_add_explicit(&blocks_total, 1, memory_order_relaxed);
    return mem_alloc(bytes);
}

uint64_t arena_blocks_total(void)
{
    return atomic_load_explicit(&blocks_total, memory_order_relaxed);
}

static void rewind_to_first(struct arena *arena)
{
    arena->blocks = NULL;
    arena->start = arena->first;
    arena->at = arena->first;
    arena->end = arena->first + arena->first_bytes;
    arena->reserved_bytes = arena->first_bytes;
    arena->used_before = 0;
}

struct arena *arena_open(size_t first_bytes, size_t limit_bytes)
{
    struct arena *arena;

#ifdef ARENA_DEBUG
    first_bytes = 0;
#else
    first_bytes = size_min(first_bytes, limit_bytes) & ~(size_t)(ARENA_ALIGN - 1);
#endif
    if (first_bytes > SIZE_MAX - sizeof(*arena))
        return NULL;

    arena = counted_malloc(sizeof(*arena) + first_bytes);
    if (arena == NULL)
        return NULL;

    arena->first_bytes = first_bytes;
    arena->limit_bytes = limit_bytes;
    rewind_to_first(arena);
    return arena;
}

void arena_reset(struct arena *arena)
{
    struct block *next;

    for (struct block *block = arena->blocks; block != NULL; block = next) {
        next = block->next;
        mem_free(block);
    }

    rewind_to_first(arena);
}

void arena_wipe(struct arena *arena)
{
    explicit_bzero(arena->first, arena->first_bytes);
    for (struct block *block = arena->blocks; block != NULL; block = block->next)
        explicit_bzero(block->space, block->bytes);
}

void arena_close(struct arena *arena)
{
    if (arena == NULL)
        return;

    arena_reset(arena);
    mem_free(arena);
}

void arena_closep(struct arena **arena)
{
    arena_close(*arena);
    *arena = NULL;
}

static struct block *add_block(struct arena *arena, size_t space_bytes)
{
    struct block *block = counted_malloc(sizeof(*block) + space_bytes);

    if (block == NULL)
        return NULL;

    block->bytes = space_bytes;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

#ifdef ARENA_DEBUG

void *arena_alloc(struct arena *arena, size_t bytes)
{
    struct block *block;
    size_t rounded;

    if (!round_up(bytes, &rounded) || rounded > arena->limit_bytes - arena->reserved_bytes)
        return NULL;

    block = add_block(arena, bytes);
    if (block == NULL)
        return NULL;

    arena->reserved_bytes += rounded;
    arena->used_before += rounded;
    return block->space;
}

#else

static size_t size_max(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Make a block current that holds at least `bytes`. */
static bool grow(struct arena *arena, size_t bytes)
{
    size_t left = (arena->limit_bytes - arena->reserved_bytes) & ~(size_t)(ARENA_ALIGN - 1);
    size_t wanted = size_max(arena->reserved_bytes, BLOCK_BYTES_MIN);
    struct block *block;

    if (bytes > left)
        return false;

    /* left is a multiple of the alignment and so are all of these. */
    wanted = size_min(size_max(wanted, bytes), left);
    block = add_block(arena, wanted);
    if (block == NULL)
        return false;

    arena->used_before += (size_t)(arena->at - arena->start);
    arena->reserved_bytes += wanted;
    arena->start = block->space;
    arena->at = block->space;
    arena->end = block->space + wanted;
    return true;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    size_t rounded;
    void *memory;

    if (!round_up(bytes, &rounded))
        return NULL;
    if (rounded > (size_t)(arena->end - arena->at) && !grow(arena, rounded))
        return NULL;

    memory = arena->at;
    arena->at += rounded;
    return memory;
}

#endif

size_t arena_used(const struct arena *arena)
{
    return arena->used_before + (size_t)(arena->at - arena->start);
}

void *arena_zalloc(struct arena *arena, size_t bytes)
{
    void *memory = arena_alloc(arena, bytes);

    return memory == NULL ? NULL : memset(memory, 0, bytes);
}

void *arena_array(struct arena *arena, size_t count, size_t item_bytes)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, item_bytes, &bytes))
        return NULL;

    return arena_zalloc(arena, bytes);
}

struct str arena_dup(struct arena *arena, struct str s)
{
    char *copy = arena_cstr(arena, s);

    return copy == NULL ? STR_NONE : (struct str){ copy, s.len };
}

char *arena_cstr(struct arena *arena, struct str s)
{
    char *copy;

    if (s.len == SIZE_MAX)
        return NULL;
    copy = arena_alloc(arena, s.len + 1);
    if (copy == NULL)
        return NULL;

    if (s.len > 0)
        memcpy(copy, s.p, s.len);
    copy[s.len] = '\0';
    return copy;
}

struct str arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    char *text;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        return STR_NONE;

    text = arena_alloc(arena, (size_t)len + 1);
    if (text == NULL)
        return STR_NONE;

    va_start(args, format);
    (void)vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return (struct str){ text, (size_t)len };
}
