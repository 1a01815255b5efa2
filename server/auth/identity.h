/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What IAM calls a user: its ARN and its unique id, both of what the user is and always the same.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
 */
#ifndef SERVER_AUTH_IDENTITY_H
#define SERVER_AUTH_IDENTITY_H

#include "base/text/buf.h"
#include "server/auth/credentials.h"

#define IDENTITY_ARN_BYTES_MAX 512 /* with a name at its limit */

/* "arn:aws:iam::111122223333:user/alice"; of an account itself "...:root". */
void identity_arn(struct buf *out, const struct user *user);
/* The user's part of that: "alice", or "root". */
struct str identity_name(const struct user *user);
/* "AIDA" and 17 digits; of an account itself the account's id. */
void identity_user_id(struct buf *out, const struct user *user);

#endif
