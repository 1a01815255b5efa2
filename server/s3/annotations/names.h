/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of annotations, as a request gives them.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/annotations-overview.html#annotations-naming-rules
 */
#ifndef SERVER_S3_ANNOTATIONS_NAMES_H
#define SERVER_S3_ANNOTATIONS_NAMES_H

#include "server/s3/op.h"

/* annotationName: 1 to STORE_ANNOTATION_NAME_BYTES_MAX bytes of its letters, and none of S3's own. */
MUST_CHECK enum s3_error annotation_name(struct op *op, struct str *ret_name);
/* annotation-prefix: "" when absent; what no name can begin with is refused. */
MUST_CHECK enum s3_error annotation_prefix(struct op *op, struct str *ret_prefix);

#endif
