/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See address.h.
 */
#include "server/s3/control/address.h"

#include "base/text/codec.h"

#define ROOT STR("/v20180820/")
#define TAGS STR("tags/")

bool control_is(const struct http_request *request)
{
    return str_starts(request->raw_path, ROOT) &&
           str_present(http_header(request, STR("x-amz-account-id")));
}

/* arn:PARTITION:s3:::BUCKET; anything else, with a region or an account, names another kind of resource. */
static struct str bucket_of_arn(struct str arn)
{
    struct str rest = arn;
    struct str field[5];

    for (size_t i = 0; i < COUNT_OF(field); i++)
        if (!str_cut(rest, ':', &field[i], &rest))
            return STR_NONE;
    return str_eq(field[0], STR("arn")) && str_starts(field[1], STR("aws")) &&
                   str_eq(field[2], STR("s3")) && field[3].len == 0 && field[4].len == 0
               ? rest
               : STR_NONE;
}

bool control_tagged_bucket(const struct http_request *request, struct arena *arena,
                           struct str *ret_bucket)
{
    struct str path = str_skip(request->raw_path, ROOT.len);
    struct str arn;

    *ret_bucket = STR_NONE;
    if (!str_starts(path, TAGS))
        return true;
    if (!uri_decode(arena, str_skip(path, TAGS.len), &arn))
        return false;
    *ret_bucket = bucket_of_arn(arn);
    return true;
}
