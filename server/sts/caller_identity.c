/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GetCallerIdentity: whose key pair signed this. Needs no permission, as on AWS.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
#include "server/sts/sts.h"

#define USER_ID_DIGITS 17 /* after the prefix that says what kind of identity it is */

static bool is_root(const struct user *user)
{
    char id[64];

    users_canonical_id(STR("root"), id);
    return str_eq(user->canonical_id, str_make(id, sizeof(id)));
}

void sts_arn(struct buf *out, const struct user *user)
{
    buf_lit(out, "arn:aws:iam::" STS_ACCOUNT ":");
    if (is_root(user)) {
        buf_lit(out, "root");
        return;
    }

    buf_lit(out, "user/");
    buf_str(out, str_present(user->name) ? user->name : user->display_name);
}

/* The account of the root user; of others a name that stays, made of the canonical id. */
static void user_id(struct buf *out, const struct user *user)
{
    if (is_root(user)) {
        buf_lit(out, STS_ACCOUNT);
        return;
    }

    buf_lit(out, "AIDA");
    for (size_t i = 0; i < USER_ID_DIGITS && i < user->canonical_id.len; i++) {
        char c = user->canonical_id.p[i];

        buf_char(out, c >= 'a' && c <= 'f' ? (char)(c - 'a' + 'A') : c);
    }
}

int sts_GetCallerIdentity(struct sts_call *call)
{
    CLEANUP(buf_free) struct buf arn = BUF_WITH_MAX(1024);
    CLEANUP(buf_free) struct buf id = BUF_WITH_MAX(64);
    struct buf *out = call->out;

    if (call->caller == NULL)
        return sts_fail(call, (struct sts_error){ 403, STR("MissingAuthenticationToken"),
                                                  STR("Request is missing Authentication Token") });

    sts_arn(&arn, call->caller);
    user_id(&id, call->caller);
    buf_lit(out, "<GetCallerIdentityResponse xmlns=\"" STS_NAMESPACE "\">");
    xml_open(out, STR("GetCallerIdentityResult"));
    xml_text(out, STR("Arn"), buf_view(&arn));
    xml_text(out, STR("UserId"), buf_view(&id));
    xml_text(out, STR("Account"), STR(STS_ACCOUNT));
    xml_close(out, STR("GetCallerIdentityResult"));
    xml_open(out, STR("ResponseMetadata"));
    xml_text(out, STR("RequestId"), call->request_id);
    xml_close(out, STR("ResponseMetadata"));
    xml_close(out, STR("GetCallerIdentityResponse"));
    return arn.failed || id.failed ? 500 : 200;
}
