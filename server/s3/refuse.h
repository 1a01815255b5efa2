/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an operation refuses: an S3 error with its facts. Values live in the request's arena.
 * The loop's thread.
 */
#ifndef SERVER_S3_REFUSE_H
#define SERVER_S3_REFUSE_H

#include "server/s3/op.h"

/*
 * Refuse with an S3 error. values follow the row's extras; pass struct str arguments, exactly as
 * many as given by count (missing ones are left out).
 */
enum s3_error op_fail_values(struct op *op, enum s3_error error, struct str message, size_t count,
                             const struct str *values);
/* op_fail(op, S3_InvalidPart, upload_id, number_text): extras in the row's order. */
#define op_fail(op, error, ...)                                                                    \
    op_fail_values((op), (error), STR_NONE,                                                        \
                   sizeof((struct str[]){ STR_NONE, ##__VA_ARGS__ }) / sizeof(struct str) - 1,     \
                   (struct str[]){ STR_NONE, ##__VA_ARGS__ } + 1)
/* The same with a message of its own (must live as long as the request). */
#define op_fail_text(op, error, message, ...)                                                      \
    op_fail_values((op), (error), (message),                                                       \
                   sizeof((struct str[]){ STR_NONE, ##__VA_ARGS__ }) / sizeof(struct str) - 1,     \
                   (struct str[]){ STR_NONE, ##__VA_ARGS__ } + 1)
/* InvalidArgument with ArgumentName and ArgumentValue. */
enum s3_error op_fail_argument(struct op *op, struct str message, struct str name,
                               struct str value);

/* AccessDenied for another reason than the caller's rights; why (static) is for the log. */
enum s3_error op_deny(struct op *op, const char *why);
/*
 * NotImplemented for a request that brings a code of multi-factor authentication: nobody here can tell whether it
 * is right, and what was asked for under its protection is not to be done without.
 */
MUST_CHECK enum s3_error op_refuse_mfa(struct op *op);
/* AccessDenied in S3's words for a version that is locked. */
enum s3_error op_deny_locked(struct op *op);

#endif
