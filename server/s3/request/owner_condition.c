/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bucket owner condition; see owner_condition.h.
 */
#include "server/s3/request/owner_condition.h"

#include "server/s3/refuse.h"

#define CANONICAL_ID_DIGITS 64
#define ECHO_BYTES_MAX 256

static bool all_of(struct str text, const char *chars)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.p[i] == '\0' || strchr(chars, text.p[i]) == NULL)
            return false;
    return true;
}

struct str owner_account(struct op *op, struct str canonical_id)
{
    struct user user;
    char made[AUTH_ACCOUNT_DIGITS];

    if (credentials_know(auth_credentials(op->auth_cache), CREDENTIALS_BY_CANONICAL_ID,
                         canonical_id, &user) == CREDENTIALS_FOUND)
        return arena_dup(op->arena, user.account);
    users_account_id(canonical_id, made);
    return arena_dup(op->arena, str_make(made, sizeof(made)));
}

enum s3_error owner_condition_check(struct op *op, struct str expected)
{
    if (!str_present(expected) || users_account_good(expected) ||
        (expected.len == CANONICAL_ID_DIGITS && all_of(expected, "0123456789abcdef")))
        return S3_OK;
    return op_fail_text(op, S3_InvalidBucketOwnerAWSAccountID,
                        arena_printf(op->arena,
                                     "The value of the expected bucket owner parameter must be an "
                                     "AWS Account ID... [%.*s]",
                                     STR_ARG(str_slice(expected, 0, ECHO_BYTES_MAX))));
}

bool owner_condition_holds(struct op *op, struct str expected, struct str owner)
{
    if (!str_present(expected))
        return true;
    return str_eq(expected, users_account_good(expected) ? owner_account(op, owner) : owner);
}
