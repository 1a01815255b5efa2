/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arena: all memory of one request, freed at once.
 *
 * (1) An arena never grows past its limit: allocation then answers NULL, which callers turn into
 *     503 SlowDown or the S3 error that names the limit.
 * (2) The first block is part of the arena; arena_reset keeps it, so a steady request allocates
 *     nothing.
 * (3) Memory is not zeroed by arena_alloc; arena_zalloc does.
 *
 * One thread at a time.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/text/str.h"

struct arena;

/* NULL when out of memory. first_bytes: size of the embedded block; limit_bytes: total bound. */
MUST_CHECK struct arena *arena_open(size_t first_bytes, size_t limit_bytes);
void arena_close(struct arena *arena); /* NULL is fine */
void arena_closep(struct arena **arena);
void arena_reset(struct arena *arena);
/* Overwrite all that it holds: before one that held secrets is closed. */
void arena_wipe(struct arena *arena);

MUST_CHECK void *arena_alloc(struct arena *arena, size_t bytes);  /* 16-byte aligned, or NULL */
MUST_CHECK void *arena_zalloc(struct arena *arena, size_t bytes); /* zeroed, or NULL */
#define ARENA_NEW(arena, type) ((type *)arena_zalloc((arena), sizeof(type)))
/* NULL also when count * sizeof overflows. */
void *arena_array(struct arena *arena, size_t count, size_t item_bytes);

/* Copies. On lack of memory the result is STR_NONE / NULL; an empty text copies to a non-NULL p. */
struct str arena_dup(struct arena *arena, struct str s);
char *arena_cstr(struct arena *arena, struct str s);
struct str arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

size_t arena_used(const struct arena *arena);

/* How many blocks were asked of malloc by all arenas so far (for tests on allocation counts). */
uint64_t arena_blocks_total(void);

#endif
