/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes of a new version: from the headers of a write into packed form, and back onto replies.
 *
 * (1) Stored pairs carry the names they are returned under; Content-Type is left out when it is
 *     the default. Values are bytes as header fields have them (metadata: see metadata.c).
 * (2) So are the encryption's (encryption/method.c), under their header names.
 * (3) A header that promises something pail can not do is refused, never ignored.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 */
#include "server/s3/request/attrs.h"

#include "base/text/codec.h"
#include "base/text/mailword.h"
#include "base/text/pairs.h"
#include "server/s3/answer.h"
#include "server/s3/encryption/method.h"
#include "server/s3/lifecycle/storage_class.h"
#include "server/s3/limits.h"
#include "server/s3/may.h"
#include "server/s3/op.h"
#include "server/s3/refuse.h"
#include "server/s3/request/acl_request.h"
#include "server/s3/request/lock.h"
#include "server/s3/request/metadata.h"
#include "server/s3/request/tags.h"

#define STORED_HEADERS_BYTES_MAX (16u * 1024u)
#define CONTENT_TYPE_DEFAULT STR("binary/octet-stream")

static enum s3_error no_memory(struct op *op)
{
    return op_fail(op, S3_SlowDown);
}

/* A copy of what a writer holds, in the arena; STR_NONE when it holds nothing. */
static enum s3_error keep(struct op *op, const struct buf *buf, struct str *ret_text)
{
    struct str text = buf_view(buf);

    if (buf->failed)
        return no_memory(op);
    *ret_text = text.len > 0 ? arena_dup(op->arena, text) : STR_NONE;
    return text.len > 0 && !str_present(*ret_text) ? no_memory(op) : S3_OK;
}

/* ---- storage classes --------------------------------------------------------------------------- */

static enum s3_error take_storage_class(struct op *op, struct version_attrs *attrs)
{
    struct str name = op_header(op, "x-amz-storage-class");

    return storage_class_parse(name, &attrs->storage_class)
               ? S3_OK
               : op_fail(op, S3_InvalidStorageClass, name);
}

/* ---- headers pail can not honour ---------------------------------------------------------------- */

static const char *const unsupported_headers[] = {
    "x-amz-write-offset-bytes",
};

enum s3_error attrs_refuse_unsupported(struct op *op)
{
    for (size_t i = 0; i < COUNT_OF(unsupported_headers); i++)
        if (str_present(op_header(op, unsupported_headers[i])))
            return op_fail(op, S3_NotImplemented, str_from_cstr(unsupported_headers[i]));
    return S3_OK;
}

/* ---- system headers ----------------------------------------------------------------------------- */

static void add_to_list(struct buf *list, struct str item)
{
    if (list->len > 0)
        buf_lit(list, ", ");
    buf_str(list, item);
}

/* All fields of that name as one list. Most are given once. */
static struct str header_list(struct op *op, struct str name)
{
    CLEANUP(buf_free) struct buf all = BUF_WITH_MAX(2 * HTTP_HEADER_BYTES_MAX);

    if (http_header_count(op->request, name) < 2)
        return http_header(op->request, name);
    for (size_t i = 0; i < op->request->field_count; i++)
        if (str_eq_nocase(op->request->fields[i].name, name))
            add_to_list(&all, op->request->fields[i].value);
    return arena_dup(op->arena, buf_view(&all));
}

/*
 * Without aws-chunked, which is framing of this one request and not of the object; as it came when
 * it is not among them.
 */
static struct str content_encoding(struct op *op)
{
    CLEANUP(buf_free) struct buf kept = BUF_WITH_MAX(4 * HTTP_HEADER_BYTES_MAX);
    struct str codings = header_list(op, STR("content-encoding"));
    struct str framing = STR("aws-chunked");
    struct str rest;
    struct str token;
    bool framed = false;

    for (rest = codings; !framed && str_next(&rest, ',', &token);)
        framed = str_eq_nocase(str_trim(token), framing);
    if (!framed)
        return codings;
    for (rest = codings; str_next(&rest, ',', &token);) {
        token = str_trim(token);
        if (token.len > 0 && !str_eq_nocase(token, framing))
            add_to_list(&kept, token);
    }
    return kept.len > 0 && !kept.failed ? arena_dup(op->arena, buf_view(&kept)) : STR_NONE;
}

/*
 * A form's fields are UTF-8, header fields ISO-8859-1: what a form gives is answered as far as
 * that reaches. Bytes of header fields come back as they came.
 */
static void keep_pair(struct op *op, struct buf *out, struct str name, struct str value)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(2 * FORM_FIELDS_BYTES_MAX);

    if (value.len == 0)
        return;
    if (op_from_form(op) && !str_is_printable(value)) {
        latin1_from_utf8(&text, value);
        value = buf_view(&text);
    }
    if (text.failed || !pairs_add(out, name, value))
        out->failed = true;
}

static void take_system_headers(struct op *op, struct buf *out)
{
    struct str type = op_header(op, "content-type");

    if (!str_eq(type, CONTENT_TYPE_DEFAULT))
        keep_pair(op, out, STR("Content-Type"), type);
    keep_pair(op, out, STR("Content-Encoding"), content_encoding(op));
    keep_pair(op, out, STR("Cache-Control"), op_header(op, "cache-control"));
    keep_pair(op, out, STR("Content-Disposition"), op_header(op, "content-disposition"));
    keep_pair(op, out, STR("Content-Language"), op_header(op, "content-language"));
    keep_pair(op, out, STR("Expires"), op_header(op, "expires"));
    keep_pair(op, out, STR("x-amz-website-redirect-location"),
              op_header(op, "x-amz-website-redirect-location"));
}

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-page-redirect.html */
static enum s3_error check_redirect(struct op *op)
{
    struct str location = op_header(op, "x-amz-website-redirect-location");

    if (location.len > S3_REDIRECT_BYTES_MAX)
        return op_fail_text(op, S3_InvalidRedirectLocation,
                            STR("The length of website redirect location cannot exceed 2048 "
                                "bytes."));
    if (!str_present(location) || str_starts(location, STR("/")) ||
        str_starts(location, STR("http://")) || str_starts(location, STR("https://")))
        return S3_OK;
    return op_fail(op, S3_InvalidRedirectLocation);
}

/* ---- all together ------------------------------------------------------------------------------- */

enum s3_error attrs_from_request(struct op *op, struct version_attrs *ret_attrs)
{
    CLEANUP(buf_free) struct buf headers = BUF_WITH_MAX(STORED_HEADERS_BYTES_MAX);
    struct version_attrs attrs = *ret_attrs;
    struct str tagging = op_header(op, "x-amz-tagging");
    enum s3_error err = attrs_refuse_unsupported(op);

    if (err == S3_OK)
        err = take_storage_class(op, &attrs);
    if (err == S3_OK)
        err = encryption_from_request(op, &attrs, &headers);
    if (err == S3_OK)
        err = check_redirect(op);
    if (err != S3_OK)
        return err;
    take_system_headers(op, &headers);
    err = metadata_from_request(op, &headers);
    if (err == S3_OK)
        err = keep(op, &headers, &attrs.headers);
    attrs.tags = op->said.tags;
    if (err == S3_OK && str_present(tagging) && !str_present(op->said.tags))
        err = tags_from_header(op, tagging, &attrs.tags);
    if (err == S3_OK)
        err = attrs_settle(op, &attrs);
    if (err == S3_OK)
        *ret_attrs = attrs;
    return err;
}

/* Whose the object will be may tag it, as any object. */
enum s3_error attrs_require_tagging(struct op *op, const struct version_attrs *attrs)
{
    const struct version made = { .attrs.owner = attrs->owner };
    struct op_subject subject = op_subject(op);

    if (!str_present(attrs->tags))
        return S3_OK;
    subject.object = &made;
    return op_require(op, ACTION_PutObjectTagging, &subject);
}

enum s3_error attrs_settle(struct op *op, struct version_attrs *attrs)
{
    enum s3_error err = acl_of_new_object(op, attrs);

    if (err == S3_OK)
        err = attrs_require_tagging(op, attrs);
    return err == S3_OK ? lock_of_new_object(op, attrs) : err;
}

static bool may_know_tags(const struct op *op)
{
    struct op_subject subject = op_subject(op);

    subject.object = &op->version;
    return op_may(op, op->asked_version ? ACTION_GetObjectVersionTagging : ACTION_GetObjectTagging,
                  &subject);
}

void op_set_attrs(struct op *op, const struct version_attrs *attrs)
{
    struct str cursor = attrs->headers;
    size_t tags = pairs_count(attrs->tags);
    uint64_t missing = 0;
    bool has_type = false;
    struct str name;
    struct str value;

    while (pairs_next(&cursor, &name, &value)) {
        if (str_starts(name, STR("x-amz-server-side-encryption")))
            continue;
        has_type = has_type || str_eq(name, STR("Content-Type"));
        if (str_starts(name, S3_META_PREFIX))
            value = metadata_shown(op->arena, value);
        if (!http_reply_header(op->reply, name, value) && str_starts(name, S3_META_PREFIX))
            missing++;
    }
    if (!has_type)
        op_set(op, "Content-Type", CONTENT_TYPE_DEFAULT);
    if (missing > 0)
        op_set_u64(op, "x-amz-missing-meta", missing);
    if (tags > 0 && may_know_tags(op))
        op_set_u64(op, "x-amz-tagging-count", tags);
    if (attrs->storage_class != 0)
        op_set(op, "x-amz-storage-class", storage_class_name(attrs->storage_class));
    op_set_encryption(op, attrs);
}
