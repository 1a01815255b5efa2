/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory of a store: which files it has, who may open it, how it is made.
 *
 *   format  lock  keyring  keys  reserve  credentials  catalog.db(-wal, -shm)
 *   blobs/  packs/  tmp/  quarantine/
 *
 * (1) `format` is written last. A directory with it must have a catalog; one without it is either
 *     empty, or the rest of a creation that was cut short, which is finished.
 * (2) Whoever holds the lock on `lock` owns the directory.
 */
#ifndef STORAGE_LAYOUT_H
#define STORAGE_LAYOUT_H

#include "storage/blobs/blob_file.h"
#include "storage/blobs/packs.h"
#include "storage/bodies/keyring.h"

/* What is needed to reach the files of one store, by whoever holds its lock. */
struct store_dir {
    char *path; /* absolute */
    int fd;
    int lock_fd;
    int tmp_fd;
    int quarantine_fd;
    bool sync;             /* false: relaxed durability */
    struct health *health; /* borrowed */
    struct blob_dir blobs;
    struct packs packs;
    struct keyring keyring;
};

/* Nothing is opened yet; layout_close may follow. health outlives it. */
void layout_init(struct store_dir *dir, enum store_durability durability, struct health *health);
/*
 * Open (create: make) the directory at path, take the lock, set path and descriptors. The caller
 * opens keyring and packs; layout_close follows whatever the result.
 * STORE_OK, STORE_LOCKED, STORE_FORMAT, STORE_FULL, STORE_IO, STORE_NO_MEMORY.
 */
MUST_CHECK enum store_status layout_open(struct store_dir *dir, const char *path, bool create,
                                         bool *ret_fresh, struct fault *fault);
/* A new catalog.db unless there is one; before SQLite opens it. Its name is yet to be synced. */
MUST_CHECK enum store_status layout_make_catalog(struct store_dir *dir, const struct clock *clock,
                                                 struct fault *fault);
/* The creation is complete. */
MUST_CHECK enum store_status layout_seal(struct store_dir *dir, struct fault *fault);
/*
 * The mark in `lock`: there is a log that has commits. Set by the first commit of a run, without a
 * sync; taken away, with one, before the log goes at an orderly end. A mark that could not be set is
 * not missed.
 */
bool layout_log_in_use(const struct store_dir *dir);
void layout_mark_log(struct store_dir *dir, bool in_use);
/* Remove what a crash left in tmp/. */
void layout_clear_tmp(struct store_dir *dir);
/* Close packs and descriptors, wipe the keys, give up the lock. */
void layout_close(struct store_dir *dir);

#endif
