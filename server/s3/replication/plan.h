/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has to be written so that a version of the backlog is replicated. The replicator's thread (run.h).
 */
#ifndef SERVER_S3_REPLICATION_PLAN_H
#define SERVER_S3_REPLICATION_PLAN_H

#include "server/s3/op.h"

struct replication_job {
    struct intent intent; /* REPLICA_PUT, but for done, owner and origin.request_id */
    struct replication_job *next;
};

struct replication_plan {
    bool gone;                    /* the version is: nothing is to be noted either */
    const char *failed;           /* why one of its replicas can not be; static. NULL: all can */
    struct replication_job *jobs; /* the replicas that can be, in op's arena */
};

/*
 * op  nobody's request: arena, at, store, reader, options and an empty request, no more. Inside of
 *     reader_begin.
 * Returns STORE_OK; else what kept it from being known, which is worth another try.
 */
MUST_CHECK enum store_status replication_plan(struct op *op, struct credentials *credentials,
                                              const struct backlog_item *item,
                                              struct replication_plan *ret_plan);

#endif
