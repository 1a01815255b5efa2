/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conditions of writes.
 */
#ifndef SERVER_S3_REQUEST_CONDITION_H
#define SERVER_S3_REQUEST_CONDITION_H

#include "server/s3/op.h"

/* An ETag without the quotes and blanks around it. */
struct str etag_bare(struct str text);

/* If-Match, If-None-Match (and the x-amz-if-match-* pair) of a write, read. */
MUST_CHECK enum s3_error condition_from_request(struct op *op, bool for_delete,
                                                struct write_condition *ret_condition);
/*
 * The same, and asked for: to have an ETag compared takes the right to read the object.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
 */
MUST_CHECK enum s3_error condition_of_write(struct op *op, bool for_delete,
                                            struct write_condition *ret_condition);

/*
 * The same question for one key of a list: where an ETag is to be compared, may the caller read the key's current
 * version, or list that there is none? The error is the store's.
 */
MUST_CHECK enum s3_error condition_may_compare(struct op *op, struct str key,
                                               const struct write_condition *condition,
                                               bool *ret_may);

#endif
