/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GetCallerIdentity: whose key pair signed this. Needs no permission, as on AWS.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
#include "server/auth/identity.h"
#include "server/sts/sts.h"

int sts_GetCallerIdentity(struct sts_call *call)
{
    CLEANUP(buf_free) struct buf arn = BUF_WITH_MAX(IDENTITY_ARN_BYTES_MAX);
    CLEANUP(buf_free) struct buf id = BUF_WITH_MAX(64);
    struct buf *out = call->out;

    if (call->caller == NULL)
        return sts_fail(call, (struct sts_error){ 403, STR("MissingAuthenticationToken"),
                                                  STR("Request is missing Authentication Token") });

    identity_arn(&arn, call->caller);
    identity_user_id(&id, call->caller);
    buf_lit(out, "<GetCallerIdentityResponse xmlns=\"" STS_NAMESPACE "\">");
    xml_open(out, STR("GetCallerIdentityResult"));
    xml_text(out, STR("Arn"), buf_view(&arn));
    xml_text(out, STR("UserId"), buf_view(&id));
    xml_text(out, STR("Account"), call->caller->account);
    xml_close(out, STR("GetCallerIdentityResult"));
    xml_open(out, STR("ResponseMetadata"));
    xml_text(out, STR("RequestId"), call->request_id);
    xml_close(out, STR("ResponseMetadata"));
    xml_close(out, STR("GetCallerIdentityResponse"));
    return arn.failed || id.failed ? 500 : 200;
}
