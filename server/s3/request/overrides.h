/* SPDX-License-Identifier: Apache-2.0 */
/*
 * response-*: headers of the answer to a GET or HEAD that the request chooses.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, "Overriding response header
 * values through the request"
 */
#ifndef SERVER_S3_REQUEST_OVERRIDES_H
#define SERVER_S3_REQUEST_OVERRIDES_H

#include "server/s3/op.h"

#define OVERRIDES_COUNT 6

struct overrides {
    struct str values[OVERRIDES_COUNT]; /* as bytes of a header; STR_NONE: not asked for */
};

/*
 * Read and judge the request's response-* parameters, before anything of the object is answered.
 * InvalidArgument names one that S3 does not have or that no header can hold; InvalidRequest tells
 * anonymous callers that there are none for them.
 */
MUST_CHECK enum s3_error overrides_read(struct op *op, struct overrides *ret_overrides);
/* Put them into the reply, in place of the object's own headers. */
void overrides_set(struct op *op, const struct overrides *overrides);

#endif
