/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PostObject: the form was taken by post.c; its file is in op->writer, its fields are op->request's
 * headers.
 */
#include "base/text/codec.h"
#include "server/s3/answer.h"
#include "server/s3/ops/reply_put.h"
#include "server/s3/request/attrs.h"
#include "server/s3/request/checksums.h"
#include "server/s3/store_map.h"
#include "server/xml/xml.h"

/* What S3 can not take for a URL it ignores. */
static bool is_web_url(struct str url)
{
    return str_is_printable(url) && str_find_char(url, ' ') == SIZE_MAX &&
           (str_starts_nocase(url, STR("http://")) || str_starts_nocase(url, STR("https://")));
}

static enum s3_error reply_redirect(struct op *op, struct str url)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(16384);

    buf_str(&out, url);
    buf_char(&out, str_find_char(url, '?') == SIZE_MAX ? '?' : '&');
    buf_lit(&out, "bucket=");
    uri_encode(&out, op->bucket_name, URI_KEEP_NONE);
    buf_lit(&out, "&key=");
    uri_encode(&out, op->key, URI_KEEP_NONE);
    buf_lit(&out, "&etag=%22");
    buf_str(&out, op->intent->put.attrs.etag);
    buf_lit(&out, "%22");
    op_set(op, "Location", arena_dup(op->arena, buf_view(&out)));
    return op_reply_status(op, 303);
}

static enum s3_error reply_created(struct op *op, struct str location)
{
    struct buf out = BUF_WITH_MAX(16384);
    enum s3_error err;

    xml_begin_plain(&out, STR("PostResponse"));
    xml_text(&out, STR("Location"), location);
    xml_text(&out, STR("Bucket"), op->bucket_name);
    xml_text(&out, STR("Key"), op->key);
    xml_text(&out, STR("ETag"),
             arena_printf(op->arena, "\"%.*s\"", STR_ARG(op->intent->put.attrs.etag)));
    xml_close(&out, STR("PostResponse"));
    err = op_reply_xml(op, &out);
    op->reply->status = 201;
    return err;
}

static enum s3_error reply_PostObject(struct op *op)
{
    struct stored_checksum checksum = checksum_of_digests(op);
    struct str redirect = op_header(op, "success_action_redirect");
    struct str status = op_header(op, "success_action_status");
    struct str location = op_object_url(op);

    if (!str_present(redirect))
        redirect = op_header(op, "redirect");
    op_set_quoted(op, "ETag", op->intent->put.attrs.etag);
    op_set_checksum(op, &checksum, /* with_type= */ true);
    op_set_written(op);
    if (is_web_url(redirect))
        return reply_redirect(op, redirect);
    if (str_present(location))
        op_set(op, "Location", location);
    if (str_eq(status, STR("201")))
        return reply_created(op, location);
    return str_eq(status, STR("200")) ? op_reply_status(op, 200) : op_reply_empty(op);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html */
enum s3_error op_PostObject(struct op *op)
{
    struct intent *intent = op_intent(op, INTENT_OBJECT_PUT);
    struct intent_put *put;
    struct stored_checksum checksum = checksum_of_digests(op);
    enum s3_error err;

    if (intent == NULL)
        return S3_SlowDown;
    put = &intent->put;
    put->attrs = op->attrs;
    err = attrs_settle(op, &put->attrs);
    if (err != S3_OK)
        return err;
    put->attrs.etag = etag_of_digests(op, &op->digests);
    put->attrs.checksum = stored_checksum_pack(op, &checksum);
    put->bytes.body = op->writer;
    intent->origin.event = STR("ObjectCreated:Post");
    if (!str_present(put->attrs.etag))
        return S3_SlowDown;
    return op_submit(op, intent, reply_PostObject);
}
