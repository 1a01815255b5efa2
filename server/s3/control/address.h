/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where S3 Control is: at /v20180820/ of any host, told from a bucket of that name by the header that all its
 * calls have and S3's have not.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_AWS_S3_Control.html
 */
#ifndef SERVER_S3_CONTROL_ADDRESS_H
#define SERVER_S3_CONTROL_ADDRESS_H

#include "server/http/http.h"

/* A call of S3 Control. Pure. */
bool control_is(const struct http_request *request);

/*
 * The bucket whose tags the call is about, into the arena: the resource of its path's ARN
 * ("tags/arn:aws:s3:::BUCKET"), which may be no name of a bucket. STR_NONE: it is about something else.
 * False: a bad escape or no memory. Pure.
 */
MUST_CHECK bool control_tagged_bucket(const struct http_request *request, struct arena *arena,
                                      struct str *ret_bucket);

#endif
