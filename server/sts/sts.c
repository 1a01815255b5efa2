/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a form to an action, and the document of a refusal; see sts.h.
 * https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
 */
#include "server/sts/sts.h"

typedef int sts_action(struct sts_call *call);

static const struct {
    const char *name;
    sts_action *run;
} actions[] = {
#define A(NAME) { #NAME, sts_##NAME },
#include "server/sts/actions.def"
#undef A
};

struct str sts_parameter(const struct sts_call *call, struct str name)
{
    const struct http_param *param = http_param(call->parameters, name);

    return param != NULL ? param->value : STR_NONE;
}

int sts_fail(struct sts_call *call, struct sts_error error)
{
    struct buf *out = call->out;

    buf_clear(out);
    buf_lit(out, "<ErrorResponse xmlns=\"" STS_NAMESPACE "\">");
    xml_open(out, STR("Error"));
    xml_text(out, STR("Type"), error.status < 500 ? STR("Sender") : STR("Receiver"));
    xml_text(out, STR("Code"), error.code);
    xml_text(out, STR("Message"), error.message);
    xml_close(out, STR("Error"));
    xml_text(out, STR("RequestId"), call->request_id);
    xml_close(out, STR("ErrorResponse"));
    return error.status;
}

/* The verifier's refusals in this service's codes; all others are IncompleteSignature. */
static const struct {
    enum s3_error error;
    struct sts_error said; /* message: where the verifier has none of its own */
} words[] = {
    { S3_InvalidAccessKeyId,
      { 403, STR_INIT("InvalidClientTokenId"),
        STR_INIT("The security token included in the request is invalid.") } },
    { S3_InvalidToken,
      { 403, STR_INIT("InvalidClientTokenId"),
        STR_INIT("The security token included in the request is invalid.") } },
    { S3_ExpiredToken,
      { 403, STR_INIT("ExpiredToken"),
        STR_INIT("The security token included in the request is expired") } },
    { S3_SignatureDoesNotMatch,
      { 403, STR_INIT("SignatureDoesNotMatch"),
        STR_INIT(
            "The request signature we calculated does not match the signature you provided. Check "
            "your AWS Secret Access Key and signing method. Consult the service documentation for "
            "details.") } },
    { S3_RequestTimeTooSkewed,
      { 403, STR_INIT("SignatureDoesNotMatch"),
        STR_INIT(
            "Signature expired: the difference between the request time and the current time is too "
            "large.") } },
    { S3_AccessDenied, { 403, STR_INIT("AccessDenied"), STR_INIT("Access denied") } },
    { S3_SlowDown, { 503, STR_INIT("ServiceUnavailable"), STR_INIT("Service is unavailable.") } },
};

int sts_refuse_unverified(struct sts_call *call, const struct s3_refusal *refusal)
{
    struct sts_error error = { 400, STR("IncompleteSignature"), refusal->message };

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (words[i].error != refusal->error)
            continue;
        error = words[i].said;
        if (str_present(refusal->message))
            error.message = refusal->message;
    }

    return sts_fail(call, error);
}

/* Query and body as one list of parameters. Both are form data, where '+' is a blank. */
static bool read_parameters(const struct http_request *request, struct str body,
                            struct arena *arena, struct http_request *ret_parameters)
{
    struct str query = str_present(request->raw_query) ? request->raw_query : STR("");
    CLEANUP(buf_free) struct buf target = BUF_WITH_MAX(STS_BODY_BYTES_MAX + HTTP_TARGET_BYTES_MAX);
    struct str kept;

    buf_lit(&target, "/?");
    buf_str(&target, query);
    if (query.len > 0 && body.len > 0)
        buf_char(&target, '&');
    for (size_t i = 0; i < body.len; i++)
        buf_str(&target, body.p[i] == '+' ? STR("%20") : str_slice(body, i, 1));
    if (target.failed)
        return false;

    kept = arena_dup(arena, buf_view(&target));
    return str_present(kept) && http_target_parse(kept, arena, ret_parameters, NULL);
}

int sts_run(struct sts_call *call, const struct http_request *request, struct str body,
            struct arena *arena)
{
    struct http_request parameters = { 0 };
    struct str action;
    struct str version;

    call->parameters = &parameters;
    if (!read_parameters(request, body, arena, &parameters))
        return sts_fail(call,
                        (struct sts_error){ 400, STR("MalformedQueryString"),
                                            STR("The query string contains a syntax error") });

    action = sts_parameter(call, STR("Action"));
    version = sts_parameter(call, STR("Version"));
    if (action.len == 0)
        return sts_fail(call, (struct sts_error){ 400, STR("MissingAction"),
                                                  STR("The request is missing an action or a "
                                                      "required parameter.") });
    for (size_t i = 0; i < COUNT_OF(actions) && str_eq(version, STR(STS_VERSION)); i++) {
        if (!str_eq(action, str_from_cstr(actions[i].name)))
            continue;
        call->action = str_from_cstr(actions[i].name);
        return actions[i].run(call);
    }

    return sts_fail(call,
                    (struct sts_error){
                        400, STR("InvalidAction"),
                        arena_printf(arena, "Could not find operation %.*s for version %.*s",
                                     STR_ARG(action),
                                     STR_ARG(version.len > 0 ? version
                                                             : STR("NO_VERSION_SPECIFIED"))) });
}
