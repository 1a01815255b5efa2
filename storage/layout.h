/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory of a store: which files it has, who may open it, how it is made.
 *
 *   format  lock  keyring  reserve  catalog.db(-wal, -shm)  blobs/  tmp/  quarantine/
 *
 * (1) `format` is written last. A directory with it must have a catalog; one without it is either
 *     empty, or the rest of a creation that was cut short, which is finished.
 * (2) Whoever holds the lock on `lock` owns the directory.
 */
#ifndef STORAGE_LAYOUT_H
#define STORAGE_LAYOUT_H

#include "storage/internal.h"

/* Opens (create: makes) the directory, takes the lock, sets path and descriptors. */
MUST_CHECK enum store_status layout_open(struct store *store, const char *dir, bool create,
                                         bool *ret_fresh, struct fault *fault);
/* A new catalog.db unless there is one; before SQLite opens it. Its name is yet to be synced. */
MUST_CHECK enum store_status layout_make_catalog(struct store *store, struct fault *fault);
/* The creation is complete. */
MUST_CHECK enum store_status layout_seal(struct store *store, struct fault *fault);
/*
 * The mark in `lock`: there is a log that has commits. Set by the first commit of a run, without a
 * sync; taken away, with one, before the log goes at an orderly end. A mark that could not be set is
 * not missed.
 */
bool layout_log_in_use(const struct store *store);
void layout_mark_log(struct store *store, bool in_use);
/* Remove what a crash left in tmp/. */
void layout_clear_tmp(struct store *store);
void layout_close(struct store *store);

#endif
