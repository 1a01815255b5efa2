/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Helpers every operation uses: refusals, replies, intents and pair lists.
 */
#include "server/s3/op.h"

#include <assert.h>

#include "base/log.h"
#include "base/text/codec.h"

/* Of a bucket and a key, every byte of which may be written as four. */
#define LOG_WHERE_BYTES_MAX 8192

struct str op_caller_id(const struct op *op)
{
    return op->auth.user != NULL ? op->auth.user->canonical_id : S3_ANONYMOUS_ID;
}

enum s3_error op_fail_values(struct op *op, enum s3_error error, struct str message, size_t count,
                             const struct str *values)
{
    assert(count <= S3_ERROR_EXTRAS_MAX);
    op->refusal = (struct s3_refusal){ .error = error, .message = message };
    for (size_t i = 0; i < count; i++)
        op->refusal.values[i] = values[i];
    return error;
}

enum s3_error op_fail_argument(struct op *op, struct str message, struct str name, struct str value)
{
    return op_fail_text(op, S3_InvalidArgument, message, name, value);
}

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
    return str_present(op_header(op, "if-none-match")) ? STR("If-None-Match") : STR("If-Match");
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
    case STORE_BUCKET_EXISTS:
        if (op->intent != NULL && str_eq(op->intent->bucket_owner, op_caller_id(op)))
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
    case STORE_RETRY:
        op->outrun = true;
        return op_fail(op, S3_OperationAborted);
    case STORE_BUCKET_LIMIT:
        return op_fail(op, S3_TooManyBuckets);
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
    case STORE_IO:
    case STORE_DAMAGED:
    case STORE_LOCKED:
    case STORE_FORMAT:
        break;
    }
    return op_fail(op, S3_InternalError);
}

struct intent *op_intent(struct op *op, enum intent_kind kind)
{
    struct intent *intent = ARENA_NEW(op->arena, struct intent);

    if (intent == NULL)
        return NULL;
    intent->kind = kind;
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

enum s3_error op_submit(struct op *op, struct intent *intent, op_function *after_commit)
{
    op->intent = intent;
    op->after_commit = after_commit;
    intent->owner = op;
    intent->done = intent_done;
    store_submit_more(op->store, intent); /* the round of the loop ends with store_submitted */
    return S3_WAIT;
}

enum s3_error op_yield(struct op *op, op_function *go_on)
{
    op->go_on = go_on;
    return S3_YIELD;
}

struct str op_param(const struct op *op, const char *name)
{
    const struct http_param *param = http_param(op->request, str_from_cstr(name));

    return param != NULL ? param->value : STR_NONE;
}

struct str op_header(const struct op *op, const char *name)
{
    return http_header(op->request, str_from_cstr(name));
}

bool op_from_form(const struct op *op)
{
    return op->route != NULL && op->route->body == TAKES_FORM;
}

void op_set(struct op *op, const char *name, struct str value)
{
    (void)http_reply_header(op->reply, str_from_cstr(name), value);
}

void op_set_u64(struct op *op, const char *name, uint64_t value)
{
    struct str text = arena_printf(op->arena, "%llu", (unsigned long long)value);

    if (str_present(text))
        op_set(op, name, text);
    else
        op->reply->incomplete = true;
}

void op_set_quoted(struct op *op, const char *name, struct str value)
{
    char *text = arena_alloc(op->arena, value.len + 2);

    if (text == NULL) {
        op->reply->incomplete = true;
        return;
    }
    text[0] = '"';
    if (value.len > 0)
        memcpy(text + 1, value.p, value.len);
    text[value.len + 1] = '"';
    op_set(op, name, str_make(text, value.len + 2));
}

void op_drop(struct op *op, const char *name)
{
    struct http_reply *reply = op->reply;
    size_t kept = 0;

    for (size_t i = 0; i < reply->field_count; i++)
        if (!str_eq_nocase(reply->fields[i].name, str_from_cstr(name)))
            reply->fields[kept++] = reply->fields[i];
    reply->field_count = kept;
}

void op_set_http_date(struct op *op, const char *name, int64_t us)
{
    char *text = arena_alloc(op->arena, CLOCK_HTTP_LEN + 1);

    if (text == NULL) {
        op->reply->incomplete = true;
        return;
    }
    clock_format_http(us, text);
    op_set(op, name, str_make(text, CLOCK_HTTP_LEN));
}

void op_set_version_id(struct op *op, const struct version *version)
{
    struct str text = version_id_text(version, op->arena);

    if (str_present(text))
        op_set(op, "x-amz-version-id", text);
    else
        op->reply->incomplete = true;
}

enum s3_error op_reply_empty(struct op *op, int status)
{
    op->reply->status = status;
    op->reply->body_kind = HTTP_BODY_EMPTY;
    return S3_OK;
}

enum s3_error op_reply_xml(struct op *op, struct buf *document)
{
    if (document->failed) {
        buf_free(document);
        return op_fail(op, S3_SlowDown);
    }
    /* What was committed is told; a page that was only read can be asked for again. */
    if (op->intent != NULL) {
        op_charge(op, document->len);
    } else if (!op_hold(op, document->len)) {
        buf_free(document);
        return op_fail(op, S3_SlowDown);
    }
    op->reply->status = 200;
    op->reply->body_kind = HTTP_BODY_BUFFER;
    op->reply->buffer = *document;
    *document = (struct buf){ 0 };
    op_set(op, "Content-Type", STR("application/xml"));
    return S3_OK;
}

struct str op_object_url(struct op *op)
{
    CLEANUP(buf_free) struct buf url = BUF_WITH_MAX(8192);

    buf_str(&url, op->request->tls ? STR("https://") : STR("http://"));
    buf_str(&url, op->request->host);
    buf_char(&url, '/');
    if (!str_present(op->virtual_bucket)) {
        buf_str(&url, op->bucket_name);
        buf_char(&url, '/');
    }
    uri_encode(&url, op->key, URI_KEEP_SLASH);
    return url.failed ? STR_NONE : arena_dup(op->arena, buf_view(&url));
}

/* ---- pair lists ------------------------------------------------------------------------------ */
