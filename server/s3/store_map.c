/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place that knows both the store's results and S3's.
 */
#include "server/s3/store_map.h"

#include "base/log.h"
#include "server/s3/bucket_config.h"
#include "server/s3/refuse.h"
#include "server/s3/replication/mark.h"
#include "server/s3/routes.h"

/* Of a bucket and a key, every byte of which may be written as four. */
#define LOG_WHERE_BYTES_MAX 8192

void op_log_failure(const struct op *op, const struct fault *fault)
{
    CLEANUP(buf_free) struct buf where = BUF_WITH_MAX(LOG_WHERE_BYTES_MAX);

    if (str_present(op->bucket_name)) {
        buf_lit(&where, " bucket=");
        log_value(&where, op->bucket_name);
    }
    if (str_present(op->key)) {
        buf_lit(&where, " key=");
        log_value(&where, op->key);
    }
    log_error("req=%s%.*s %s", op->request_id, where.failed ? 0 : (int)where.len,
              where.p != NULL ? where.p : "",
              fault->text[0] != '\0' ? fault->text : "internal error");
}

/* The condition of a write; there is one at most. */
static struct str condition_name(const struct op *op)
{
    if (str_present(op_header(op, "x-amz-object-if-match")))
        return STR("x-amz-object-if-match");
    return str_present(op_header(op, "if-none-match")) ? STR("If-None-Match") : STR("If-Match");
}

/* What the store can not take, or not now. */
static enum s3_error limit_or_trouble(struct op *op, enum store_status status)
{
    switch (status) {
    case STORE_BUCKET_LIMIT:
        return op_fail(op, S3_TooManyBuckets);
    case STORE_SUBSCRIBER_LIMIT:
        return op_fail(op, S3_TooManyConfigurations);
    case STORE_ANNOTATION_LIMIT:
        return op_fail(op, S3_AnnotationLimitExceeded);
    case STORE_PIECE_LIMIT:
        return op_fail_text(op, S3_InvalidRequest,
                            STR("The object would be made of more than 131072 stretches of other "
                                "objects' parts. Upload some of its parts instead of copying "
                                "them."));
    case STORE_PART_LIMIT:
        return op_fail_argument(op,
                                STR("Part number must be an integer between 1 and 10000, "
                                    "inclusive"),
                                STR("partNumber"), op_param(op, "partNumber"));
    case STORE_FULL:
        return op_fail_text(op, S3_ServiceUnavailable,
                            STR("There is no space left on the storage device."));
    case STORE_NO_MEMORY:
        return op_fail(op, S3_SlowDown);
    case STORE_STOPPED:
        return op_fail(op, S3_ServiceUnavailable);
    default:
        return op_fail(op, S3_InternalError);
    }
}

enum s3_error s3_from_store(struct op *op, enum store_status status)
{
    switch (status) {
    case STORE_OK:
        return S3_OK;
    case STORE_NO_BUCKET:
        return op_fail(op, S3_NoSuchBucket, op->bucket_name);
    case STORE_NO_KEY:
        return op_fail(op, S3_NoSuchKey, op->key);
    case STORE_NO_VERSION:
        return op_fail(op, S3_NoSuchVersion, op->key, op_param(op, "versionId"));
    case STORE_NO_UPLOAD:
        return op_fail(op, S3_NoSuchUpload, op_param(op, "uploadId"));
    case STORE_NO_PART:
        return op_fail(op, S3_InvalidPart, op_param(op, "uploadId"));
    case STORE_NO_DOCUMENT:
        return op_fail(op, S3_NoSuchConfiguration);
    case STORE_NO_ANNOTATION:
        return op_fail(op, S3_NoSuchAnnotation);
    case STORE_BUCKET_EXISTS:
        if (op->intent != NULL && str_eq(op->intent->bucket_create.present_owner, op_caller_id(op)))
            return op_fail(op, S3_BucketAlreadyOwnedByYou, op->bucket_name);
        return op_fail(op, S3_BucketAlreadyExists, op->bucket_name);
    case STORE_BUCKET_NOT_EMPTY:
        return op_fail_text(op, S3_BucketNotEmpty,
                            op->bucket.versioning != VERSIONING_NEVER
                                ? STR("The bucket you tried to delete is not empty. You must "
                                      "delete all versions in the bucket.")
                                : STR_NONE,
                            op->bucket_name);
    case STORE_PRECONDITION_FAILED:
        return op_fail(op, S3_PreconditionFailed, condition_name(op));
    case STORE_CONFLICT:
        return op_fail(op, S3_ConditionalRequestConflict, condition_name(op), op->key);
    case STORE_DELETE_MARKER:
        return op_fail(op, S3_MethodNotAllowed, op->request->method, STR("DeleteMarker"));
    case STORE_TOKEN_REUSED:
        return op_fail(op, S3_IdempotencyParameterMismatch);
    case STORE_RETAINED:
        return op_deny_locked(op);
    case STORE_RETRY:
        op->written_over = true;
        return op_fail(op, S3_OperationAborted);
    default:
        return limit_or_trouble(op, status);
    }
}

struct intent *op_intent(struct op *op, enum intent_kind kind)
{
    struct intent *intent = ARENA_NEW(op->arena, struct intent);

    if (intent == NULL)
        return NULL;
    intent->kind = kind;
    intent->origin = (struct intent_origin){ .event = STR_NONE, /* the operation's to name */
                                             .request_id = str_make(op->request_id, 16),
                                             .principal = op_caller_id(op),
                                             .address = op_peer_address(op) };
    intent->bucket = op->bucket_name;
    intent->key = op->key;
    intent->arena = op->arena;
    intent->bucket_id = op->bucket.id;
    intent->bucket_changed_seq = op->bucket.changed_seq;
    return intent;
}

static void intent_done(struct intent *intent)
{
    struct op *op = intent->owner;

    http_resume(op->exchange);
}

/* What the bucket's configuration says holds in the commit, or the intent is STORE_RETRY. */
static void intent_tell_nobody(struct intent *intent)
{
    intent->origin.event = STR_NONE;
    if (intent->kind == INTENT_OBJECT_DELETE)
        intent->remove.marker_event = STR_NONE;
}

enum s3_error op_submit(struct op *op, struct intent *intent, op_function *after_commit)
{
    if (!op->config->tells_events && intent->kind != INTENT_DOCUMENT_SET)
        intent_tell_nobody(intent);
    replication_mark(op, intent);
    op->intent = intent;
    op->after_commit = after_commit;
    intent->owner = op;
    intent->done = intent_done;
    store_submit_later(op->store, intent); /* the round of the loop ends with store_submit_flush */
    return S3_WAIT;
}

enum s3_error op_yield(struct op *op, op_function *go_on)
{
    op->go_on = go_on;
    return S3_YIELD;
}

struct version_id version_id_of(const struct version *version)
{
    if (version->null_version)
        return (struct version_id){ .kind = VERSION_NULL };
    return (struct version_id){ .kind = VERSION_EXACT, .seq = version->seq, .tail = version->tail };
}
