/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of operations.
 */
#include "server/s3/answer.h"

#include "base/text/codec.h"
#include "server/s3/refuse.h"

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

enum s3_error op_reply_status(struct op *op, int status)
{
    op->reply->status = status;
    op->reply->body_kind = HTTP_BODY_EMPTY;
    return S3_OK;
}

enum s3_error op_reply_empty(struct op *op)
{
    return op_reply_status(op, op->route->status);
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
    op->reply->status = op->route->status;
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
