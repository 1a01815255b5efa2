/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See namespace.h.
 */
#include "server/s3/request/namespace.h"

#include "server/s3/answer.h"
#include "server/s3/refuse.h"
#include "server/s3/region.h"
#include "server/s3/request/owner_condition.h"

#define HEADER STR("x-amz-bucket-namespace")
#define END STR("-an")
#define ACCOUNT_DIGITS 12

static bool is_account(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
    return text.len == ACCOUNT_DIGITS;
}

/* PREFIX-ACCOUNT-REGION-an, of whatever account and region. */
static bool is_of_an_account(struct str name, struct str own_region)
{
    struct str rest = name.len > END.len ? str_slice(name, 0, name.len - END.len) : STR("");
    struct str word;

    if (!str_ends(name, END) || !str_cut(rest, '-', &word, &rest))
        return false;
    while (str_cut(rest, '-', &word, &rest))
        if (is_account(word) && region_known(rest, own_region))
            return true;
    return false;
}

static enum s3_error refuse(struct op *op, struct str suffix)
{
    return op_fail_text(op, S3_InvalidBucketNamespace,
                        arena_printf(op->arena,
                                     "The names of your buckets in the account regional namespace, "
                                     "and only those, end with %.*s",
                                     STR_ARG(suffix)),
                        op->bucket_name);
}

enum s3_error namespace_check(struct op *op, struct str region)
{
    struct str space = op_header(op, "x-amz-bucket-namespace");
    struct str account = owner_account(op, op_caller_id(op));
    struct str suffix = arena_printf(op->arena, "-%.*s-%.*s-an", STR_ARG(account), STR_ARG(region));

    if (!str_present(account) || !str_present(suffix))
        return S3_SlowDown;
    if (str_eq(space, STR("account-regional")))
        return str_ends(op->bucket_name, suffix) && op->bucket_name.len > suffix.len
                   ? S3_OK
                   : refuse(op, suffix);
    if (str_present(space) && !str_eq(space, STR("global")))
        return op_fail_argument(op,
                                arena_printf(op->arena,
                                             "Invalid x-amz-bucket-namespace header: %.*s",
                                             STR_ARG(space)),
                                HEADER, space);
    if (!is_of_an_account(op->bucket_name, op->options->auth.region))
        return S3_OK;
    return str_present(space) ? refuse(op, suffix)
                              : op_fail(op, S3_MissingNamespaceHeader, op->bucket_name);
}
