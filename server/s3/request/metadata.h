/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User metadata: x-amz-meta-*.
 */
#ifndef SERVER_S3_REQUEST_METADATA_H
#define SERVER_S3_REQUEST_METADATA_H

#include "server/s3/op.h"

/* x-amz-meta-* of the request, appended to the stored headers (metadata.c). */
MUST_CHECK enum s3_error metadata_from_request(struct op *op, struct buf *out);
/* A stored value as a header field's; STR_NONE without memory. */
struct str metadata_shown(struct arena *arena, struct str value);

#endif
