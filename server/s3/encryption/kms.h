/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of KMS, of which pail keeps a few of its own (storage/keys.h, `pail key`).
 *
 * (1) While a store has no named key, any key id is taken and answered as it came, and the keyring wraps.
 * (2) Once it has one, a new object needs one that is enabled: what is answered is its ARN. The store's
 *     own key, which is meant where none is named, needs nothing.
 * (3) A named key is asked about at each use: off, or waiting for its deletion, it neither writes nor reads.
 *     Ids that were taken while (1) held go on to be read.
 */
#ifndef SERVER_S3_ENCRYPTION_KMS_H
#define SERVER_S3_ENCRYPTION_KMS_H

#include "server/s3/op.h"

/* The named key for what the request writes. */
struct kms_use {
    char uuid[STORE_KEY_UUID_LEN + 1];
    uint8_t context[KEY_CONTEXT_BYTES]; /* digest of the request's encryption context */
};

/*
 * The key of a new object or upload, by the id it was asked for with (STR_NONE, "": the store's own): op->kms
 * if it is a named one; its id, as it is answered, and its context go to the stored headers.
 */
MUST_CHECK enum s3_error kms_for_writing(struct op *op, struct str id, struct buf *headers);
/* The same by what is stored: for a part with op->upload, for what is kept beside it with op->version. */
MUST_CHECK enum s3_error kms_for_upload(struct op *op);
MUST_CHECK enum s3_error kms_for_version(struct op *op);
/* What is stored with attrs may be read. ret_named: under a named key. */
MUST_CHECK enum s3_error kms_for_reading(struct op *op, const struct version_attrs *attrs,
                                         bool *ret_named);

#endif
