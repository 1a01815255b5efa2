/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replication as requests see it: which of their writes are to be replicated, and what is told of a version.
 * The loop's thread.
 */
#ifndef SERVER_S3_REPLICATION_MARK_H
#define SERVER_S3_REPLICATION_MARK_H

#include "server/s3/op.h"

/* An intent of op's that is about to be submitted: sets its `replicate`, as the bucket's rules say. */
void replication_mark(const struct op *op, struct intent *intent);

/* x-amz-replication-status, where there is one. */
void replication_tell(struct op *op, const struct version *version);

#endif
