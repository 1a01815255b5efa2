/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work that no request waits for: what a store does by itself, and the record of a round of it.
 */
#ifndef STORAGE_WORK_H
#define STORAGE_WORK_H

#include "storage/model.h"

enum work_kind {
    WORK_CATALOG,    /* the janitor's connection; told when it was opened, or was not */
    WORK_CHECKPOINT, /* copying the log back */
    WORK_SWEEP,      /* dead bodies */
    WORK_EXPIRY,     /* uploads over their age, and what is kept of finished ones */
    WORK_WALK,       /* files and extents that no row names */
    WORK_SCRUB,      /* reading all that is stored */
    WORK_LIFECYCLE,  /* the server's, by the rules of buckets */
    WORK_KINDS,
};

/* One round, however it ended. */
struct work_record {
    enum work_kind kind;
    uint64_t count; /* bodies removed, uploads removed, directories looked at, bodies read,
                       versions removed or moved and uploads aborted */
    uint64_t bytes; /* of the bodies, where they are files or packed; CHECKPOINT: left in the log */
    bool unfinished; /* something of it waits for another round */
    int64_t took_us;
    enum store_status status; /* STORE_STOPPED: the store is closing */
    struct fault fault;       /* "" where the status says it all */
};

/* Any of the store's threads; must not block. The record lives until it returns. */
typedef void store_work(void *context, const struct work_record *record);

/* "sweep" and so on. */
const char *store_work_name(enum work_kind kind);

#endif
