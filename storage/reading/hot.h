/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hot: what one reader remembers of the catalog, so that it need not be asked again: buckets by
 * name, current versions (or that there is none) by key, and the bytes of small bodies.
 *
 * (1) An entry is handed out only while its freshness slot still bears the stamp it was kept with;
 *     see freshness.h.
 * (2) Memory is bounded and taken as it is used. What was not asked for since the clock's hand
 *     came by gives way; bodies, which cost the most memory and the least to find, first.
 * (3) What was lent stays valid until hot_free_evicted, also when it is evicted.
 *
 * Belongs to its reader's thread.
 */
#ifndef STORAGE_READING_HOT_H
#define STORAGE_READING_HOT_H

#include "storage/reading/freshness.h"
#include "storage/store.h"

#define HOT_BODY_BYTES_MAX 16384u /* larger bodies are not kept */

struct hot;

/* freshness outlives it. NULL: no memory. */
MUST_CHECK struct hot *hot_open(const struct freshness *freshness);
void hot_close(struct hot *hot); /* NULL is fine */
/* How much may be kept from now on; what is more goes with the next thing kept. */
void hot_limit(struct hot *hot, size_t bytes);
size_t hot_bytes(const struct hot *hot);
/* Forget what was evicted since the last call. */
void hot_free_evicted(struct hot *hot);

/*
 * Copy what is known for sure into the arena.
 *
 * STORE_STOPPED: nothing is known, ask the catalog. STORE_NO_BUCKET, STORE_NO_KEY: known to be
 * absent. STORE_NO_MEMORY.
 */
MUST_CHECK enum store_status hot_bucket(struct hot *hot, struct str name, struct arena *arena,
                                        struct bucket *ret_bucket);
MUST_CHECK enum store_status hot_version(struct hot *hot, int64_t bucket_id, struct str name,
                                         struct arena *arena, struct version *ret_version);
/* The stored bytes of an inline body, borrowed; STR_NONE: not kept. */
struct str hot_body(struct hot *hot, int64_t id);

/*
 * Keep what was found in a snapshot; NULL: nothing was there. Not kept when something has changed
 * since, when it is too large, or without memory.
 *
 * published  freshness_published() from before the snapshot was opened.
 */
void hot_keep_bucket(struct hot *hot, struct str name, const struct bucket *bucket,
                     uint64_t published);
void hot_keep_version(struct hot *hot, int64_t bucket_id, struct str name,
                      const struct version *version, uint64_t published);
/* The bytes of an id never change. */
void hot_keep_body(struct hot *hot, int64_t id, struct str bytes);

#endif
