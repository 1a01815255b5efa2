/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that customers bring with each request (SSE-C): taken, judged, compared, forgotten.
 *
 * (1) A key lives as long as its request, in op->customer_key or op->source_key, and is wiped with it. It
 *     is never stored: what is kept is a salt and a MAC under the key, so that another one is refused.
 * (2) Whoever reads or adds to what is stored under such a key has to bring it again.
 * (3) None is taken over http unless the settings say so, for whoever listens there has it.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
 */
#ifndef SERVER_S3_ENCRYPTION_CUSTOMER_KEY_H
#define SERVER_S3_ENCRYPTION_CUSTOMER_KEY_H

#include "base/digest/digest.h"
#include "server/s3/op.h"

struct customer_key {
    struct str md5; /* of the key, in base64, as the request has it */
    uint8_t bytes[AES_KEY_BYTES];
};

/*
 * A new object or upload: the request's key, if it has one, into op->customer_key, attrs->sse, and what
 * is kept of it into the stored headers.
 */
MUST_CHECK enum s3_error customer_key_for_writing(struct op *op, struct version_attrs *attrs,
                                                  struct buf *headers);
/* The key of op->version, where it was stored under one: for op->version.body. */
MUST_CHECK enum s3_error customer_key_for_reading(struct op *op);
/* The same for op->source, into op->source_key. */
MUST_CHECK enum s3_error customer_key_for_source(struct op *op);
/* The key of op->upload. required: where it was begun with one. */
MUST_CHECK enum s3_error customer_key_for_upload(struct op *op, bool required);

/* The answer's headers about op->customer_key; nothing without one. */
void customer_key_tell(struct op *op);
void customer_keys_wipe(struct op *op);

#endif
