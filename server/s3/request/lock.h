/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Object lock: what a request says of a version's retention and legal hold, and what an answer does.
 *
 * What is kept from whom is decided in the store, when the write is (storage/intent.h).
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
 */
#ifndef SERVER_S3_REQUEST_LOCK_H
#define SERVER_S3_REQUEST_LOCK_H

#include "server/s3/may.h"
#include "server/s3/op.h"

/*
 * Retention and hold of a new version: by its headers, for which the caller needs a right of its own, else
 * the bucket's default retention. Nothing where there is neither.
 */
MUST_CHECK enum s3_error lock_of_new_object(struct op *op, struct version_attrs *attrs);

/* A PutObject that locks has to bring a checksum. */
MUST_CHECK enum s3_error lock_needs_checksum(struct op *op);

/* x-amz-object-lock-*, to those who may know. */
void lock_tell(struct op *op, const struct version_attrs *attrs);

/* InvalidRequest where the bucket has no lock. */
MUST_CHECK enum s3_error lock_is_there(struct op *op);

/* "GOVERNANCE"; STR_NONE of LOCK_NONE. */
struct str lock_mode_name(uint8_t mode);
bool lock_mode_parse(struct str name, uint8_t *ret_mode);
bool legal_hold_parse(struct str name, uint8_t *ret_hold);
/* A time of retention as it is asked for, in whole milliseconds, rounded up. */
bool lock_date_parse(struct str text, int64_t *ret_us);

/* A time of retention as it is told, in the arena; STR_NONE: no memory. */
struct str lock_date(struct op *op, int64_t us);

/* Does the request ask to bypass governance, and may it? */
MUST_CHECK bool lock_bypasses(const struct op *op, const struct op_subject *subject);

#endif
