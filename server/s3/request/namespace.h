/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces of bucket names: the one that all share, and each account's own in each region, whose names end
 * with -ACCOUNT-REGION-an.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/gpbucketnamespaces.html
 */
#ifndef SERVER_S3_REQUEST_NAMESPACE_H
#define SERVER_S3_REQUEST_NAMESPACE_H

#include "server/s3/op.h"

/*
 * Whether a new bucket's name is of the namespace that x-amz-bucket-namespace names, which is the caller's own.
 *
 * region  that the bucket is to be in.
 * S3_OK, InvalidArgument for an unknown one, MissingNamespaceHeader, InvalidBucketNamespace.
 */
MUST_CHECK enum s3_error namespace_check(struct op *op, struct str region);

#endif
