/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request says of a new version, and what an answer says of a stored one.
 */
#ifndef SERVER_S3_REQUEST_ATTRS_H
#define SERVER_S3_REQUEST_ATTRS_H

#include "server/s3/op.h"

/*
 * System headers, metadata, tags (x-amz-tagging), ACL headers, storage class and encryption of
 * PutObject, CreateMultipartUpload, CopyObject and PostObject, from the request's headers. owner, etag and checksum are left alone.
 */
MUST_CHECK enum s3_error attrs_from_request(struct op *op, struct version_attrs *ret_attrs);
/* What of it the bucket's documents say too, which may have changed while the body came: decided again. */
MUST_CHECK enum s3_error attrs_settle(struct op *op, struct version_attrs *attrs);
/* A write that sets tags takes the right to; nothing of one without. */
MUST_CHECK enum s3_error attrs_require_tagging(struct op *op, const struct version_attrs *attrs);
/* Stored headers and metadata, tag count, storage class, encryption: what GET and HEAD share. */
void op_set_attrs(struct op *op, const struct version_attrs *attrs);

/* NotImplemented for a header that promises what pail can not do: append. */
MUST_CHECK enum s3_error attrs_refuse_unsupported(struct op *op);

#endif
