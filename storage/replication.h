/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replication: versions that wait to be copied to other buckets of their store, and their replicas.
 * Which and where to is the server's to say; the store keeps what waits, and writes replicas.
 *
 * (1) A version is in the backlog from the transaction that wrote it on: never one without the other.
 * (2) It stays there until INTENT_REPLICATION_END says how it ended, which is noted with the version
 *     in the same transaction. So nothing that waits is forgotten, and after a kill all of it waits.
 * (3) INTENT_REPLICA_PUT may be done again: a replica that is there is made what it says.
 * (4) A replica has the number, the id and the time of its source, and so its place in the history
 *     of its key, whenever it is written. It refers to the source's bytes and parts.
 * (5) A version that changes while it is being replicated gets another id in the backlog: what ends
 *     is the change that was read, and the newer one waits on.
 *
 *   written --> PENDING --replicas written--> COMPLETED --changed--> PENDING
 *                  \--given up--> FAILED ----------------changed----/
 */
#ifndef STORAGE_REPLICATION_H
#define STORAGE_REPLICATION_H

#include "storage/model.h"

struct store;
struct reader;

/* One that waits, and as REPLICATION_END is told how it went. */
struct backlog_item {
    int64_t id;
    int64_t bucket_id;
    struct str bucket; /* its name; STR_NONE: it is gone. END: not read */
    struct str key;
    int64_t seq;
    bool change;    /* of a version that was replicated before */
    uint32_t tries; /* that failed */
    int64_t due_us; /* not to be tried before */
    /* END: what is noted; PENDING: to be tried again when due_us is there; NONE: there is nothing to note */
    enum replication_state state;
};

/* True: go on. What it is given lives until it returns. */
typedef bool backlog_visit(void *context, const struct backlog_item *item);

/*
 * What is due at that time, in the order in which it became so, at most max.
 *
 * ret_next_us  when the first that was not given is due; INT64_MAX: there is none.
 */
MUST_CHECK enum store_status backlog_list(struct reader *reader, int64_t now_us, uint32_t max,
                                          backlog_visit *visit, void *context, int64_t *ret_next_us,
                                          struct fault *fault);

/* The version of that number, whatever its id; STORE_NO_VERSION. As version_get. */
MUST_CHECK enum store_status version_numbered(struct reader *reader, int64_t bucket_id,
                                              struct str key, int64_t seq, struct arena *arena,
                                              struct version *ret_version, struct fault *fault);

#endif
