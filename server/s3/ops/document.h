/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration documents of buckets: put, get, delete and list, the same for all (documents.def).
 */
#ifndef SERVER_S3_OPS_DOCUMENT_H
#define SERVER_S3_OPS_DOCUMENT_H

#include "server/s3/op.h"

/* More than that of one list's entries are told on further pages. */
#define S3_DOCUMENTS_PAGE_MAX 100

op_function op_document_get; /* one, or the list of those that have ids */
op_function op_document_put;
op_function op_document_delete;

/* Does pail keep the document that a route's selector names? */
bool document_is_kept(struct str selector);
/* What the documents of op's bucket do to every request; S3_OK, or the answer. */
MUST_CHECK enum s3_error document_effects(struct op *op);

/* Tell whoever pays for what the owner of a bucket does not; an admitted request. ops/one_word.c */
void payment_tell(struct op *op, const struct bucket *bucket, const struct bucket_config *config);
/* InvalidRequest at the accelerated address of a bucket that is not accelerated. ops/one_word.c */
MUST_CHECK enum s3_error acceleration_check(struct op *op);

#endif
