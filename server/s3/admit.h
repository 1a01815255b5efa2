/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a request may: what it speaks of is loaded, and the access decision made.
 *
 * Each of these runs on op's loop thread, inside a snapshot (reader_begin), and fills op's bucket,
 * version and source.
 */
#ifndef SERVER_S3_ADMIT_H
#define SERVER_S3_ADMIT_H

#include "server/s3/op.h"

/* Everything the operation will look at, loaded and allowed. */
MUST_CHECK enum s3_error op_admit(struct op *op);

/*
 * The same once more, of the world as it is now. What the request has made of the bucket meanwhile
 * (who is charged for the body, whom a canned ACL names) is of its owner, so another one ends it:
 * OperationAborted.
 */
MUST_CHECK enum s3_error op_admit_again(struct op *op);

/*
 * The bucket that the request names, with its configuration: for an operation that is admitted
 * without one (CreateBucket), where there is one nevertheless.
 */
MUST_CHECK enum s3_error op_load_bucket(struct op *op);

/*
 * Identify the sender of a POST Object form and decide on its write; the form's fields before the
 * file are known, nothing of the file has been taken. Bounds are the policy's content-length-range.
 */
MUST_CHECK enum s3_error op_admit_form(struct op *op, const struct form_field *fields,
                                       size_t field_count, uint64_t *ret_min_bytes,
                                       uint64_t *ret_max_bytes);

#endif
