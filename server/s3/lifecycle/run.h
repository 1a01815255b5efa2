/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lifecycle rules of a store's buckets, carried out: a pass over all of them when the program starts, and
 * at each midnight (UTC) by the store's clock while one has some.
 */
#ifndef SERVER_S3_LIFECYCLE_RUN_H
#define SERVER_S3_LIFECYCLE_RUN_H

#include "server/s3/s3.h"

struct lifecycle_run;

/*
 * options  borrowed: the length of a day, and who is told of each pass.
 * held     outlives it.
 * NULL: no memory.
 */
MUST_CHECK struct lifecycle_run *lifecycle_start(const struct s3_options *options,
                                                 struct open_store *held);
/* A bucket of the store has got other rules. Any thread; does not block. */
void lifecycle_look(struct lifecycle_run *run);
/* Ends a pass that is under way. NULL is fine. */
void lifecycle_stop(struct lifecycle_run *run);

#endif
