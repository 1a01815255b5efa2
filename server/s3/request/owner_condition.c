/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bucket owner condition; see owner_condition.h.
 */
#include "server/s3/request/owner_condition.h"

#include "server/s3/refuse.h"

#define ACCOUNT_ID_DIGITS 12
#define CANONICAL_ID_DIGITS 64
#define ECHO_BYTES_MAX 256

static bool all_of(struct str text, const char *chars)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.p[i] == '\0' || strchr(chars, text.p[i]) == NULL)
            return false;
    return true;
}

static bool is_account_id(struct str text)
{
    return text.len == ACCOUNT_ID_DIGITS && all_of(text, "0123456789");
}

enum s3_error owner_condition_check(struct op *op, struct str expected)
{
    if (!str_present(expected) || is_account_id(expected) ||
        (expected.len == CANONICAL_ID_DIGITS && all_of(expected, "0123456789abcdef")))
        return S3_OK;
    return op_fail_text(op, S3_InvalidBucketOwnerAWSAccountID,
                        arena_printf(op->arena,
                                     "The value of the expected bucket owner parameter must be an "
                                     "AWS Account ID... [%.*s]",
                                     STR_ARG(str_slice(expected, 0, ECHO_BYTES_MAX))));
}

bool owner_condition_holds(struct str expected, struct str owner)
{
    if (!str_present(expected))
        return true;
    return str_eq(expected, is_account_id(expected) ? S3_ACCOUNT_ID : owner);
}
