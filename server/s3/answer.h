/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an operation answers: headers, and a body. The loop's thread.
 */
#ifndef SERVER_S3_ANSWER_H
#define SERVER_S3_ANSWER_H

#include "server/s3/op.h"

/* Reply headers. Values must live in the arena (or be static). */
void op_set(struct op *op, const char *name, struct str value);
void op_set_u64(struct op *op, const char *name, uint64_t value);
void op_set_quoted(struct op *op, const char *name, struct str value); /* ETag */
/* Forget a header set before, whatever its case. */
void op_drop(struct op *op, const char *name);
void op_set_http_date(struct op *op, const char *name, int64_t us);
void op_set_version_id(struct op *op, const struct version *version);

/* http(s)://host/bucket/key as this client addresses it, in the arena; STR_NONE: no memory. */
struct str op_object_url(struct op *op);

/* The row's status with no body, and another than the row's. */
enum s3_error op_reply_empty(struct op *op);
enum s3_error op_reply_status(struct op *op, int status);
/*
 * The row's status with an XML document; takes over the buffer (sets it to empty). A failed buffer
 * becomes SlowDown.
 */
enum s3_error op_reply_xml(struct op *op, struct buf *document);

#endif
