/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conditions of writes.
 */
#include "server/s3/request/condition.h"

#include "server/s3/refuse.h"

struct str etag_bare(struct str text)
{
    text = str_trim(text);
    if (text.len >= 2 && text.p[0] == '"' && text.p[text.len - 1] == '"')
        return str_slice(text, 1, text.len - 2);
    return text;
}

static enum s3_error size_condition(struct op *op, struct write_condition *condition)
{
    struct str text = op_header(op, "x-amz-if-match-size");

    if (!str_present(text))
        return S3_OK;
    if (!str_to_u64(text, &condition->size_bytes))
        return op_fail_argument(op, STR("Invalid size"), STR("x-amz-if-match-size"), text);
    condition->has_size = true;
    return S3_OK;
}

static enum s3_error time_condition(struct op *op, struct write_condition *condition)
{
    struct str text = op_header(op, "x-amz-if-match-last-modified-time");

    if (!str_present(text))
        return S3_OK;
    if (!clock_parse_http(text, &condition->modified_us))
        return op_fail_argument(op, STR("Invalid date"), STR("x-amz-if-match-last-modified-time"),
                                text);
    condition->has_modified = true;
    return S3_OK;
}

static enum s3_error refuse_condition(struct op *op, const char *name)
{
    return op_fail(op, S3_NotImplemented, str_from_cstr(name),
                   arena_printf(op->arena,
                                "We don't accept the provided value of %s header for this API",
                                name));
}

/*
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 * Any value of If-None-Match but "*", "*" in If-Match and both headers at once are 501 on AWS.
 */
enum s3_error condition_from_request(struct op *op, bool for_delete,
                                     struct write_condition *ret_condition)
{
    struct write_condition condition = { 0 };
    struct str if_match = op_header(op, "if-match");
    struct str if_none_match = op_header(op, "if-none-match");
    enum s3_error err;

    if (str_present(if_none_match) && str_present(if_match))
        return op_fail(op, S3_NotImplemented, STR("If-Match,If-None-Match"),
                       STR("Multiple conditional request headers present in the request"));
    if (str_present(if_none_match)) {
        if (for_delete || !str_eq(if_none_match, STR("*")))
            return refuse_condition(op, "If-None-Match");
        condition.if_none_match_any = true;
    }
    if (str_present(if_match)) {
        if (!for_delete && str_eq(if_match, STR("*")))
            return refuse_condition(op, "If-Match");
        condition.if_match = etag_bare(if_match);
    }
    if (for_delete) {
        err = size_condition(op, &condition);
        if (err == S3_OK)
            err = time_condition(op, &condition);
        if (err != S3_OK)
            return err;
    }
    *ret_condition = condition;
    return S3_OK;
}
