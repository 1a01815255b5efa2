/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copy sources; see source.h.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
#include "server/s3/request/source.h"

#include "base/text/codec.h"
#include "server/http/parse/range.h"
#include "server/s3/answer.h"
#include "server/s3/names.h"
#include "server/s3/refuse.h"

#define HEADER STR("x-amz-copy-source")

enum s3_error source_check_method(struct op *op)
{
    struct str method = op->request->method;
    struct str header = http_header(op->request, HEADER);

    if (!str_present(header) || str_eq(method, STR("PUT")) ||
        (str_eq(method, STR("POST")) && !str_present(op_param(op, "uploadId"))))
        return S3_OK;
    return op_fail_argument(op, STR("You can only specify a copy source header for copy requests."),
                            HEADER, header);
}

enum s3_error source_parse(struct op *op, struct str header, struct source_name *ret_name)
{
    struct source_name name = { 0 };
    struct str path = header;
    struct str marker = STR("?versionId=");
    size_t at = str_find(header, marker);
    struct str decoded;

    if (at != SIZE_MAX) {
        struct str id;

        if (!uri_decode(op->arena, str_skip(header, at + marker.len), &id) ||
            !version_id_parse(id, &name.version))
            return op_fail_argument(op, STR("Invalid version id specified"), STR("versionId"),
                                    str_skip(header, at + marker.len));
        name.has_version = true;
        name.version_text = id;
        path = str_slice(header, 0, at);
    }
    /* Some clients encode the whole value, its slashes included. */
    if (!uri_decode(op->arena, path, &decoded))
        decoded = STR("");
    if (decoded.len > 0 && decoded.p[0] == '/')
        decoded = str_skip(decoded, 1);
    if (str_starts(decoded, STR("arn:")))
        return op_fail(op, S3_NotImplemented, HEADER);
    if (!str_cut(decoded, '/', &name.bucket, &name.key))
        name.key = STR_NONE;
    if (name.bucket.len == 0)
        return op_fail_argument(op, STR("Invalid copy source bucket name"), HEADER, header);
    if (name.key.len == 0 || name_check_key(name.key) != S3_OK ||
        memchr(name.key.p, '\0', name.key.len) != NULL)
        return op_fail_argument(op, STR("Invalid copy source object key"), HEADER, header);
    *ret_name = name;
    return S3_OK;
}

enum s3_error source_conditions(struct op *op)
{
    struct preconditions conditions = {
        .if_match = op_header(op, "x-amz-copy-source-if-match"),
        .if_none_match = op_header(op, "x-amz-copy-source-if-none-match"),
        .if_modified_since = op_header(op, "x-amz-copy-source-if-modified-since"),
        .if_unmodified_since = op_header(op, "x-amz-copy-source-if-unmodified-since"),
    };

    switch (http_preconditions_check(&conditions, op->source.attrs.etag, op->source.modified_us,
                                     clock_now_us(store_clock(op->store)))) {
    case PRECONDITION_NONE:
        break;
    case PRECONDITION_IF_MATCH:
        return op_fail(op, S3_PreconditionFailed, STR("x-amz-copy-source-If-Match"));
    case PRECONDITION_IF_UNMODIFIED_SINCE:
        return op_fail(op, S3_PreconditionFailed, STR("x-amz-copy-source-If-Unmodified-Since"));
    case PRECONDITION_IF_NONE_MATCH:
        return op_fail(op, S3_PreconditionFailed, STR("x-amz-copy-source-If-None-Match"));
    case PRECONDITION_IF_MODIFIED_SINCE:
        return op_fail(op, S3_PreconditionFailed, STR("x-amz-copy-source-If-Modified-Since"));
    }
    return S3_OK;
}

void source_set_version(struct op *op)
{
    if (!op->source.null_version)
        op_set(op, "x-amz-copy-source-version-id", version_id_text(&op->source, op->arena));
}
