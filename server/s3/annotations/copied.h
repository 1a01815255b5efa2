/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the annotations of a copy's source come along.
 */
#ifndef SERVER_S3_ANNOTATIONS_COPIED_H
#define SERVER_S3_ANNOTATIONS_COPIED_H

#include "server/s3/op.h"

/*
 * x-amz-object-annotation-directive: COPY, which is meant without it, or EXCLUDE. Where op->source has
 * annotations COPY asks for the right to read those and to put them here, and for a destination that can
 * have them: none is under a customer's key.
 */
MUST_CHECK enum s3_error annotations_copied(struct op *op, bool *ret_copied);

#endif
