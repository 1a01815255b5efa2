/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Freshness: lets a reader know, without asking the catalog, that what it remembers still holds.
 *
 * Commits are numbered. What a reader can remember (the current version of a key, a bucket by its
 * name) has a slot; many share one. The writer, for every commit:
 *
 *     number = freshness_begin()      `begun` = number
 *     freshness_stamp() ...           the slots of all that changes = number
 *     COMMIT
 *     freshness_end(number)           `published` = number, whatever became of the commit
 *     the intents are handed back
 *
 * A reader:
 *
 *     published = freshness_published()
 *     opens its catalog snapshot, looks something up
 *     stamp = freshness_slot()        keeps what it found only if stamp <= published
 *     ... later: what it kept holds if freshness_slot() == stamp
 *
 * (1) What was kept is the newest state when it is kept. A commit that changes it has stamped the
 *     slot before the reader looked, and then stamp <= published says that it was over before the
 *     snapshot was opened, so the snapshot has it; or it stamps later, and then the slot differs.
 * (2) What was kept is not served once a commit that changes it can be seen by anybody: the slot
 *     is stamped before the COMMIT. So a client that saw the new state through one reader never
 *     sees the old one through another.
 * (3) A snapshot is still the newest state while freshness_begun() is the number that was
 *     published before it was opened: nothing has begun since.
 * (4) Two things in one slot, and commits that fail, cost a lookup and are never wrong.
 *
 * Memory order. The writer's stores are sequentially consistent and COMMIT has full barriers (and
 * system calls) of its own: nobody sees the commit before the stamp. `published` is stored with
 * release after the COMMIT returned and loaded with acquire before a snapshot is opened: who sees
 * the number opens a snapshot that has the commit. A client carries the order from one reader to
 * another through sockets, which are barriers too.
 */
#ifndef STORAGE_READING_FRESHNESS_H
#define STORAGE_READING_FRESHNESS_H

#include <stdatomic.h>

#include "base/text/str.h"

#define FRESHNESS_SLOTS 16384u /* 128 KiB when all were stamped */

struct freshness {
    uint64_t seed;
    _Atomic uint64_t begun;
    _Atomic uint64_t published;
    _Atomic uint64_t slots[FRESHNESS_SLOTS];
};

/* In zeroed memory. */
void freshness_init(struct freshness *freshness);

/* The writer's thread: */
uint64_t freshness_begin(struct freshness *freshness);
void freshness_stamp(struct freshness *freshness, uint64_t hash, uint64_t number);
void freshness_end(struct freshness *freshness, uint64_t number);

/* Any thread: */
uint64_t freshness_begun(const struct freshness *freshness);
uint64_t freshness_published(const struct freshness *freshness);
uint64_t freshness_slot(const struct freshness *freshness, uint64_t hash);

/* Whose slot. The same key in two buckets shares one: the writer need not know the bucket's id. */
uint64_t freshness_of_key(const struct freshness *freshness, struct str key);
uint64_t freshness_of_bucket(const struct freshness *freshness, struct str name);

#endif
