/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bucket's website, as its website host serves it.
 *
 * Whoever asks is nobody: no signature is looked at, in no mode of authentication. What nobody may read
 * is refused as to anybody else. Query parameters mean nothing. Errors are pages for people.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteEndpoints.html
 *
 * All on the loop's thread.
 */
#ifndef SERVER_S3_WEBSITE_H
#define SERVER_S3_WEBSITE_H

#include "server/s3/op.h"

/* MethodNotAllowed for all but GET and HEAD. */
MUST_CHECK enum s3_error website_check_method(struct op *op);

/*
 * Answer a request whose op->bucket_name is set; inside a snapshot.
 * S3_OK: with an object, a redirect or the website's own error document.
 */
MUST_CHECK enum s3_error website_run(struct op *op);

/* The page of op->refusal; the headers that every answer carries are set. website_page.c */
void website_render_error(struct op *op);
/* x-amz-error-code, -message and -detail-*, which go with the website's own error document too. */
void website_tell_error(struct op *op, const struct s3_refusal *refusal);

#endif
