/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conditions of writes.
 */
#ifndef SERVER_S3_REQUEST_CONDITION_H
#define SERVER_S3_REQUEST_CONDITION_H

#include "server/s3/op.h"

/* An ETag without the quotes and blanks around it. */
struct str etag_bare(struct str text);

/* If-Match, If-None-Match (and the x-amz-if-match-* pair) of a write. */
MUST_CHECK enum s3_error condition_from_request(struct op *op, bool for_delete,
                                                struct write_condition *ret_condition);

#endif
