/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bucket owner condition: x-amz-expected-bucket-owner and its kin for copy sources.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
 */
#ifndef SERVER_S3_REQUEST_OWNER_CONDITION_H
#define SERVER_S3_REQUEST_OWNER_CONDITION_H

#include "server/s3/op.h"

/* The account of an owner, be it a user's no more: 12 digits, in the arena. STR_NONE: no memory. */
struct str owner_account(struct op *op, struct str canonical_id);

/*
 * InvalidBucketOwnerAWSAccountID for what is neither an account id (12 digits) nor a canonical user
 * id (64 hexadecimal digits, which AWS refuses and pail takes); STR_NONE asks nothing.
 */
MUST_CHECK enum s3_error owner_condition_check(struct op *op, struct str expected);
/* expected: checked. owner: the bucket's, a canonical user id. */
MUST_CHECK bool owner_condition_holds(struct op *op, struct str expected, struct str owner);

#endif
