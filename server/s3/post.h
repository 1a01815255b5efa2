/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of POST Object: a form whose fields stand for headers and whose file is the object.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
 */
#ifndef SERVER_S3_POST_H
#define SERVER_S3_POST_H

#include "server/s3/op.h"

/* All three fill op's refusal on failure. post_open needs op->bucket. */
MUST_CHECK enum s3_error post_open(struct op *op);
MUST_CHECK enum s3_error post_feed(struct op *op, const void *bytes, size_t len);
MUST_CHECK enum s3_error post_finish(struct op *op);

#endif
