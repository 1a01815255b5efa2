/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conditions of writes.
 */
#include "server/s3/request/condition.h"

#include "server/s3/may.h"
#include "server/s3/refuse.h"
#include "server/s3/store_map.h"

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

/* The current version of the key, or NULL: there is none. */
static enum s3_error look_up(struct op *op, struct str key, struct version *room,
                             const struct version **ret_found)
{
    const struct version_id current = { .kind = VERSION_CURRENT };
    enum store_status status =
        version_get(op->reader, op->bucket.id, key, current, op->arena, room, &op->fault);

    *ret_found = status == STORE_OK ? room : NULL;
    return status == STORE_NO_KEY ? S3_OK : s3_from_store(op, status);
}

static struct op_subject subject_of(const struct op *op, struct str key)
{
    return (struct op_subject){ .bucket = &op->bucket, .config = op->config, .key = key };
}

static bool compares(const struct write_condition *condition)
{
    return str_present(condition->if_match) && !str_eq(condition->if_match, STR("*"));
}

enum s3_error condition_may_compare(struct op *op, struct str key,
                                    const struct write_condition *condition, bool *ret_may)
{
    const struct version *found;
    struct version room;
    enum s3_error err = S3_OK;

    *ret_may = true;
    if (!compares(condition))
        return S3_OK;
    err = look_up(op, key, &room, &found);
    if (err == S3_OK)
        *ret_may = op_may_of_object(op, ACTION_GetObject, subject_of(op, key), found);
    return err;
}

/* An ETag tells of content: it is compared for those who may read it. */
static enum s3_error require_reading(struct op *op, const struct write_condition *condition)
{
    const struct version *found;
    struct version room;
    enum s3_error err;

    if (!compares(condition))
        return S3_OK;
    err = look_up(op, op->key, &room, &found);
    if (err != S3_OK)
        return err;
    return op_require_of_object(op, ACTION_GetObject, subject_of(op, op->key), found);
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

enum s3_error condition_of_write(struct op *op, bool for_delete,
                                 struct write_condition *ret_condition)
{
    enum s3_error err = condition_from_request(op, for_delete, ret_condition);

    return err == S3_OK ? require_reading(op, ret_condition) : err;
}
