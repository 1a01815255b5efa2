/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server-side encryption: what a request asks for, what its bucket gives where it asks for nothing, and
 * what an answer says of it.
 */
#ifndef SERVER_S3_ENCRYPTION_METHOD_H
#define SERVER_S3_ENCRYPTION_METHOD_H

#include "server/s3/op.h"

/* Headers, and names of what is stored of them. */
#define SSE_KMS_KEY_HEADER "x-amz-server-side-encryption-aws-kms-key-id"
#define SSE_CONTEXT_HEADER "x-amz-server-side-encryption-context"

/* The number is what is stored (version_attrs.sse): append only. */
enum sse_kind { SSE_NONE = 0, SSE_AES256, SSE_KMS, SSE_KMS_DSSE, SSE_CUSTOMER };

/* "AES256", "aws:kms", "aws:kms:dsse"; false: none of them. */
MUST_CHECK bool sse_parse(struct str name, uint8_t *ret_kind);
/* And back; "" for what has no such name. */
struct str sse_name(uint8_t kind);

/*
 * How a new object or upload is encrypted: by the request's headers, else as its bucket says
 * (op->config). Fills attrs->sse; adds what is told of it again to the stored headers.
 */
MUST_CHECK enum s3_error encryption_from_request(struct op *op, struct version_attrs *attrs,
                                                 struct buf *headers);
/* For reads and parts: a method is asked for once, where the object or the upload begins. */
MUST_CHECK enum s3_error encryption_refuse_method(struct op *op);
/* The same for KMS alone: a key's id, and whether a bucket key is used. */
MUST_CHECK enum s3_error encryption_keep_kms(struct op *op, struct str key_id, bool bucket_key,
                                             struct buf *headers);

/*
 * What op->version, and op->source of a copy, is encrypted with can be used: the customer's key is there
 * where one is needed, KMS's is enabled. op->upload: for a part (required), or to complete it.
 */
MUST_CHECK enum s3_error encryption_for_reading(struct op *op);
MUST_CHECK enum s3_error encryption_for_source(struct op *op);
MUST_CHECK enum s3_error encryption_for_upload(struct op *op, bool required);
/* The keys that the request writes with, into a body's options. */
void encryption_options(const struct op *op, struct body_options *options);
/* The answer's headers that tell how a stored version or upload is encrypted. */
void op_set_encryption(struct op *op, const struct version_attrs *attrs);

#endif
