/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What answers say of the lifecycle ahead. Nothing where the bucket has no rule for it. The loop's thread.
 */
#ifndef SERVER_S3_LIFECYCLE_TELL_H
#define SERVER_S3_LIFECYCLE_TELL_H

#include "server/s3/op.h"

/*
 * x-amz-expiration of a current version.
 *
 * made_us  its Last-Modified.
 * tags     packed; STR_NONE: none.
 */
void lifecycle_tell_expiration(struct op *op, int64_t made_us, uint64_t size_bytes,
                               struct str tags);
/* x-amz-abort-date and x-amz-abort-rule-id of an open upload. */
void lifecycle_tell_abort(struct op *op, int64_t initiated_us);

#endif
