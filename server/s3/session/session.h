/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of directory buckets: what they are asked with, and what their requests may ask.
 */
#ifndef SERVER_S3_SESSION_SESSION_H
#define SERVER_S3_SESSION_SESSION_H

#include "server/s3/op.h"

/*
 * The key that seals tokens, of the store that is there without a name: users are of the process, and so are
 * their sessions.
 */
void session_derive_key(struct s3_options *options);

/*
 * After the route is known: signatures for directory buckets are of requests to such a bucket, and those of a
 * session of its own, and no writes where it only reads.
 */
MUST_CHECK enum s3_error session_check(struct op *op);

#endif
