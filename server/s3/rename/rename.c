/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RenameObject: an object gets another key, at once and as a whole; nothing else of it changes.
 *
 * S3 has it for directory buckets; here it is for every bucket that never had versioning.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_RenameObject.html
 *
 * (1) Asked for are s3:PutObject on the new key, s3:GetObject and s3:DeleteObject on the old one.
 * (2) Conditions are judged here, of what the reader found; the writer does it only if that still stands.
 */
#include "base/digest/digest.h"
#include "base/text/codec.h"
#include "base/text/pairs.h"
#include "server/http/parse/range.h"
#include "server/s3/answer.h"
#include "server/s3/may.h"
#include "server/s3/names.h"
#include "server/s3/refuse.h"
#include "server/s3/store_map.h"

#define SOURCE STR("x-amz-rename-source")
#define TOKEN STR("x-amz-client-token")

/* What a token stands for: another of these, and it is another request. */
static const char *const asked_headers[] = {
    "x-amz-rename-source",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
    "x-amz-rename-source-if-match",
    "x-amz-rename-source-if-none-match",
    "x-amz-rename-source-if-modified-since",
    "x-amz-rename-source-if-unmodified-since",
};

/* ---- the token ---------------------------------------------------------------------------- */

static bool is_token(struct str text)
{
    if (text.len == 0 || text.len > S3_CLIENT_TOKEN_BYTES_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.p[i] < 33 || text.p[i] > 126)
            return false;
    return true;
}

static void add_text(struct digest *digest, struct str text)
{
    uint64_t len = str_present(text) ? text.len : UINT64_MAX;

    digest_update(digest, &len, sizeof(len));
    digest_update(digest, text.p, text.len);
}

/* Who asks for what, as one number. STR_NONE: no memory. */
static struct str digest_of_asked(struct op *op)
{
    CLEANUP(digest_closep) struct digest *digest = digest_open(DIGEST_SHA256);
    uint8_t *bytes = arena_alloc(op->arena, SHA256_BYTES);

    if (digest == NULL || bytes == NULL)
        return STR_NONE;
    add_text(digest, op_caller_id(op));
    add_text(digest, op->key);
    for (size_t i = 0; i < COUNT_OF(asked_headers); i++)
        add_text(digest, op_header(op, asked_headers[i]));
    digest_final(digest, bytes);
    return str_make(bytes, SHA256_BYTES);
}

/* ret_done: it was done already, under the same token. */
static enum s3_error check_token(struct op *op, struct intent_rename *rename, bool *ret_done)
{
    struct str token = http_header(op->request, TOKEN);
    struct str asked;
    enum s3_error err;

    *ret_done = false;
    if (!str_present(token))
        return S3_OK;
    if (!is_token(token))
        return op_fail_argument(op,
                                STR("A client token has 1 to 64 printable characters of ASCII."),
                                TOKEN, token);
    rename->token = token;
    rename->asked = digest_of_asked(op);
    if (!str_present(rename->asked))
        return S3_SlowDown;
    err = s3_from_store(op, rename_asked(op->reader, op->bucket.id, token, op->arena, &asked,
                                         &op->fault));
    if (err != S3_OK || !str_present(asked))
        return err;
    *ret_done = str_eq(asked, rename->asked);
    return *ret_done ? S3_OK : op_fail(op, S3_IdempotencyParameterMismatch);
}

/* ---- the source --------------------------------------------------------------------------- */

static enum s3_error refuse_source(struct op *op, struct str message)
{
    return op_fail_argument(op, message, SOURCE, http_header(op->request, SOURCE));
}

static enum s3_error find_key(struct op *op, struct str key)
{
    enum store_status status = version_get(op->reader, op->bucket.id, key,
                                           (struct version_id){ .kind = VERSION_CURRENT },
                                           op->arena, &op->source, &op->fault);

    op->has_source = status == STORE_OK;
    return status == STORE_NO_KEY ? S3_OK : s3_from_store(op, status);
}

/* A directory of a bucket is no object. */
static enum s3_error check_keys(struct op *op, struct str source)
{
    if (source.len == 0 || name_check_key(source) != S3_OK ||
        memchr(source.p, '\0', source.len) != NULL)
        return refuse_source(op, STR("Invalid rename source object key"));
    if (str_ends(source, STR("/")) || str_ends(op->key, STR("/")))
        return op_fail_text(op, S3_InvalidRequest,
                            STR("Objects whose keys end with a slash can not be renamed."));
    if (str_eq(source, op->key))
        return op_fail_text(op, S3_InvalidRequest,
                            STR("An object can not be renamed to the key that it has."));
    return S3_OK;
}

/*
 * A key, as clients of S3 send it. Where there is none of that name, "[/]BUCKET/KEY": S3's model has that form.
 * op->source is set if there is one.
 */
static enum s3_error load_source(struct op *op, struct str *ret_key)
{
    struct str header = http_header(op->request, SOURCE);
    struct str rest;
    struct str bucket;
    struct str key;
    enum s3_error err;

    if (!str_present(header))
        return op_fail(op, S3_MissingSecurityHeader, SOURCE);
    if (!uri_decode(op->arena, header, &key))
        return refuse_source(op, STR("Invalid rename source encoding"));
    err = check_keys(op, key);
    if (err == S3_OK)
        err = find_key(op, key);
    if (err != S3_OK)
        return err;
    rest = str_starts(key, STR("/")) ? str_skip(key, 1) : key;
    if (!op->has_source && str_cut(rest, '/', &bucket, &rest) && str_eq(bucket, op->bucket_name)) {
        key = rest;
        err = check_keys(op, key);
        if (err == S3_OK)
            err = find_key(op, key);
    }
    *ret_key = key;
    return err;
}

static enum s3_error admit_source(struct op *op, struct str key)
{
    struct op_subject subject = { .bucket = &op->bucket, .config = op->config, .key = key };
    enum s3_error err =
        op_require_of_object(op, ACTION_GetObject, subject, op->has_source ? &op->source : NULL);

    if (err != S3_OK)
        return err;
    if (!op->has_source)
        return op_fail(op, S3_NoSuchKey, key);
    /* As DeleteObject is asked for: whose the object is does not matter to that. */
    return op_require(op, ACTION_DeleteObject, &subject);
}

/* ---- conditions --------------------------------------------------------------------------- */

static enum s3_error check_conditions(struct op *op, const struct preconditions *conditions,
                                      const struct version *version, const char *prefix)
{
    const char *name = "";

    switch (http_preconditions_check(conditions, version->attrs.etag, version->modified_us,
                                     clock_now_us(store_clock(op->store)))) {
    case PRECONDITION_NONE:
        return S3_OK;
    case PRECONDITION_IF_MATCH:
        name = "If-Match";
        break;
    case PRECONDITION_IF_UNMODIFIED_SINCE:
        name = "If-Unmodified-Since";
        break;
    case PRECONDITION_IF_NONE_MATCH:
        name = "If-None-Match";
        break;
    case PRECONDITION_IF_MODIFIED_SINCE:
        name = "If-Modified-Since";
        break;
    }
    return op_fail(op, S3_PreconditionFailed, arena_printf(op->arena, "%s%s", prefix, name));
}

static enum s3_error check_source(struct op *op)
{
    const struct preconditions conditions = {
        .if_match = op_header(op, "x-amz-rename-source-if-match"),
        .if_none_match = op_header(op, "x-amz-rename-source-if-none-match"),
        .if_modified_since = op_header(op, "x-amz-rename-source-if-modified-since"),
        .if_unmodified_since = op_header(op, "x-amz-rename-source-if-unmodified-since"),
    };

    return check_conditions(op, &conditions, &op->source, "x-amz-rename-source-");
}

/* Of what is replaced. Where there is nothing, what wants an object does not hold. */
static enum s3_error check_replaced(struct op *op, struct intent_rename *rename)
{
    const struct preconditions conditions = {
        .if_match = op_header(op, "if-match"),
        .if_none_match = op_header(op, "if-none-match"),
        .if_modified_since = op_header(op, "if-modified-since"),
        .if_unmodified_since = op_header(op, "if-unmodified-since"),
    };
    enum store_status status;

    if (str_present(conditions.if_none_match) && !str_eq(conditions.if_none_match, STR("*")))
        return op_fail(op, S3_NotImplemented, STR("If-None-Match"),
                       STR("We don't accept the provided value of If-None-Match header for this "
                           "API"));
    rename->heed_replaced = str_present(conditions.if_match) ||
                            str_present(conditions.if_none_match) ||
                            str_present(conditions.if_modified_since) ||
                            str_present(conditions.if_unmodified_since);
    if (!rename->heed_replaced)
        return S3_OK;
    status = version_get(op->reader, op->bucket.id, op->key,
                         (struct version_id){ .kind = VERSION_CURRENT }, op->arena, &op->version,
                         &op->fault);
    if (status == STORE_OK) {
        rename->replaced = &op->version;
        return check_conditions(op, &conditions, &op->version, "");
    }
    if (status != STORE_NO_KEY)
        return s3_from_store(op, status);
    if (str_present(conditions.if_match))
        return op_fail(op, S3_PreconditionFailed, STR("If-Match"));
    if (str_present(conditions.if_modified_since) && !str_present(conditions.if_none_match))
        return op_fail(op, S3_PreconditionFailed, STR("If-Modified-Since"));
    return S3_OK;
}

/* ---- the operation ------------------------------------------------------------------------ */

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_RenameObject.html */
enum s3_error op_RenameObject(struct op *op)
{
    struct intent *intent = op_intent(op, INTENT_OBJECT_RENAME);
    struct intent_rename rename = { .token = STR_NONE };
    enum s3_error err;
    bool done;

    if (intent == NULL)
        return S3_SlowDown;
    if (op->bucket.versioning != VERSIONING_NEVER)
        return op_fail_text(op, S3_NotImplemented,
                            STR("RenameObject is not implemented for buckets that have, or had, "
                                "versioning."));
    err = check_token(op, &rename, &done);
    if (err != S3_OK || done)
        return err == S3_OK ? op_reply_empty(op) : err;
    err = load_source(op, &rename.source);
    if (err == S3_OK)
        err = admit_source(op, rename.source);
    if (err == S3_OK)
        err = check_source(op);
    if (err == S3_OK)
        err = check_replaced(op, &rename);
    if (err != S3_OK)
        return err;

    rename.judged = &op->source;
    rename.gone_event = STR("ObjectRemoved:Delete");
    intent->rename = rename;
    intent->origin.event = STR("ObjectCreated:Copy");
    return op_submit(op, intent, op_reply_empty);
}
