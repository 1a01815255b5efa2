/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quick hash: XXH3, whose header is big; so it has a file of its own.
 */
#include "base/digest/hash.h"

#include <assert.h>

/* The state of a stream on the stack: its size is part of the header. */
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#define STATE_ALIGN 64
static_assert(sizeof(XXH3_state_t) + STATE_ALIGN <= HASH_STREAM_BYTES, "room for XXH3's state");

uint64_t hash_quick(struct str text, uint64_t seed)
{
    return XXH3_64bits_withSeed(text.p, text.len, seed);
}

/* XXH3 wants its state aligned to a cache line. */
static XXH3_state_t *state_of(struct hash_stream *stream)
{
    uintptr_t at = ((uintptr_t)stream->room + STATE_ALIGN - 1) / STATE_ALIGN * STATE_ALIGN;

    return (XXH3_state_t *)(void *)(stream->room + (at - (uintptr_t)stream->room));
}

void hash_stream_start(struct hash_stream *stream)
{
    memset(stream, 0, sizeof(*stream));
    (void)XXH3_64bits_reset(state_of(stream));
}

void hash_stream_add(struct hash_stream *stream, const void *bytes, size_t len)
{
    (void)XXH3_64bits_update(state_of(stream), bytes, len);
}

uint64_t hash_stream_end(struct hash_stream *stream)
{
    return XXH3_64bits_digest(state_of(stream));
}
