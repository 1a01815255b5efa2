/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The replicator of a store: a duty (server/duties/duty.h) that replicates what waits in its backlog
 * (storage/replication.h).
 *
 * (1) It asks the store for nothing while nothing waits, and has no connection to it then.
 * (2) A round takes at most REPLICATION_ROUND_ITEMS, so that writes of requests come in between.
 * (3) What can not be now is tried again, after a second, two, four and so on up to an hour by the store's
 *     clock, and given up after REPLICATION_TRIES_MAX tries. What its buckets forbid is given up at once.
 */
#ifndef SERVER_S3_REPLICATION_RUN_H
#define SERVER_S3_REPLICATION_RUN_H

#include "server/s3/s3.h"

#define REPLICATION_ROUND_ITEMS 64
#define REPLICATION_TRIES_MAX 36 /* a day */

struct replicator;

/* options and held are borrowed until replication_stop. NULL: no memory. */
MUST_CHECK struct replicator *replication_start(const struct s3_options *options,
                                                struct open_store *held);
/* After the round under way. NULL is fine. */
void replication_stop(struct replicator *replicator);

#endif
