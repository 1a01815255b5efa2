/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between operations and the store: results into refusals, operations into intents.
 * The loop's thread.
 */
#ifndef SERVER_S3_STORE_MAP_H
#define SERVER_S3_STORE_MAP_H

#include "server/s3/op.h"

/* The one translation from storage's results; facts (bucket, key, version) come from op. */
enum s3_error s3_from_store(struct op *op, enum store_status status);
/* An error line that says what the client is not told: bucket, key and the cause. */
void op_log_failure(const struct op *op, const struct fault *fault);

/*
 * An intent of that kind for op's bucket and key, or NULL (then return S3_SlowDown). What S3 would tell
 * of it is named by the operation (origin.event), as the records of event notifications spell it:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 */
struct intent *op_intent(struct op *op, enum intent_kind kind);
/* Queue it; always the last statement of an operation. */
enum s3_error op_submit(struct op *op, struct intent *intent, op_function *after_commit);
/*
 * Let the loop serve others, then run go_on, inside a newer snapshot: op->bucket is still the same
 * bucket, and the caller still admitted. Always the last statement, too.
 */
enum s3_error op_yield(struct op *op, op_function *go_on);

/* The version's own id as intents take it. */
struct version_id version_id_of(const struct version *version);

#endif
