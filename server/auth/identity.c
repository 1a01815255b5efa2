/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of users; see identity.h.
 */
#include "server/auth/identity.h"

#define USER_ID_DIGITS 17 /* after the prefix that says what kind of identity it is */

struct str identity_name(const struct user *user)
{
    if (user->kind == USER_ROOT)
        return STR("root");
    return str_present(user->name) ? user->name : user->display_name;
}

void identity_arn(struct buf *out, const struct user *user)
{
    buf_lit(out, "arn:aws:iam::");
    buf_str(out, user->account);
    buf_str(out, user->kind == USER_ROOT ? STR(":") : STR(":user/"));
    buf_str(out, identity_name(user));
}

void identity_user_id(struct buf *out, const struct user *user)
{
    char hashed[64];
    struct str digits = user->canonical_id;

    if (user->kind == USER_ROOT) {
        buf_str(out, user->account);
        return;
    }
    /* Users of one account have its canonical id in common. */
    if (user->kind == USER_OF_ACCOUNT) {
        CLEANUP(buf_free) struct buf arn = BUF_WITH_MAX(IDENTITY_ARN_BYTES_MAX);

        identity_arn(&arn, user);
        users_canonical_id(buf_view(&arn), hashed);
        digits = str_make(hashed, sizeof(hashed));
    }

    buf_lit(out, "AIDA");
    for (size_t i = 0; i < USER_ID_DIGITS && i < digits.len; i++) {
        char c = digits.p[i];

        buf_char(out, c >= 'a' && c <= 'f' ? (char)(c - 'a' + 'A') : c);
    }
}
