/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature Version 4 in the query: presigned URLs.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
#include "server/auth/call.h"

static const struct str names[] = {
    { "X-Amz-Algorithm", 15 }, { "X-Amz-Credential", 16 },    { "X-Amz-Date", 10 },
    { "X-Amz-Expires", 13 },   { "X-Amz-SignedHeaders", 19 }, { "X-Amz-Signature", 15 },
};

enum { ALGORITHM, CREDENTIAL, DATE, EXPIRES, SIGNED_HEADERS, SIGNATURE, REQUIRED };

static enum s3_error refuse(struct auth_call *call, struct str message)
{
    return auth_refuse(call, S3_AuthorizationQueryParametersError, message);
}

/* Every required parameter, once. */
static bool collect(const struct http_request *request, struct str values[REQUIRED])
{
    for (size_t i = 0; i < REQUIRED; i++)
        values[i] = STR_NONE;

    for (size_t p = 0; p < request->param_count; p++) {
        for (size_t i = 0; i < REQUIRED; i++) {
            if (!str_eq(request->params[p].name, names[i]))
                continue;
            if (str_present(values[i]))
                return false;
            values[i] = request->params[p].value.p != NULL ? request->params[p].value : STR("");
        }
    }

    for (size_t i = 0; i < REQUIRED; i++) {
        if (!str_present(values[i]))
            return false;
    }

    return true;
}

static enum s3_error read_expires(struct auth_call *call, struct str text, uint64_t *ret_expires_s)
{
    if (text.len > 1 && text.p[0] == '-')
        return refuse(call, STR("X-Amz-Expires must be non-negative"));
    if (!str_to_u64(text, ret_expires_s) && text.len < 20)
        return refuse(call, STR("X-Amz-Expires should be a number"));
    if (text.len >= 20 || *ret_expires_s > AUTH_EXPIRES_MAX_S)
        return refuse(call, STR("X-Amz-Expires must be less than a week (in seconds); that is, the "
                                "given X-Amz-Expires must be less than 604800 seconds"));
    if (*ret_expires_s == 0)
        return refuse(call, STR("X-Amz-Expires must be at least 1 second"));

    return S3_OK;
}

/* Query parameter, or a header (which is signed, as all of x-amz-*); not both with two values. */
static bool read_token(struct auth_call *call)
{
    struct str header = http_header(call->request, STR("x-amz-security-token"));
    struct str token = STR_NONE;

    for (size_t i = 0; i < call->request->param_count; i++) {
        const struct http_param *param = &call->request->params[i];

        if (!str_eq_nocase(param->name, STR("X-Amz-Security-Token")))
            continue;
        if (str_present(token))
            return false;
        token = param->value.p != NULL ? param->value : STR("");
    }
    if (http_header_count(call->request, STR("x-amz-security-token")) > 1 ||
        (str_present(header) && str_present(token) && !str_eq_secret(header, token)))
        return false;

    call->token = str_present(token) ? token : header;
    return true;
}

static enum s3_error check_window(struct auth_call *call, struct str expires, int64_t date_us,
                                  uint64_t expires_s)
{
    int64_t expired_us = date_us + (int64_t)expires_s * US_PER_S;

    if (date_us > call->now_us + auth_skew_us(call->config))
        return auth_refuse(call, S3_AccessDenied, STR("Request is not yet valid"));
    if (call->now_us > expired_us)
        return auth_refuse_expired(call, expires, expired_us);

    return S3_OK;
}

enum s3_error v4_verify_query(struct auth_call *call)
{
    struct v4_claim claim = { .form = SCOPE_QUERY };
    struct str values[REQUIRED];
    uint64_t expires_s = 0;
    int64_t date_us;
    enum s3_error err;

    call->auth->scheme = AUTH_V4_QUERY;
    if (call->auth->payload == PAYLOAD_ABSENT)
        call->auth->payload = PAYLOAD_UNSIGNED;

    if (!collect(call->request, values))
        return refuse(call, STR("Query-string authentication version 4 requires the "
                                "X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, "
                                "X-Amz-SignedHeaders, and X-Amz-Expires parameters."));
    if (str_eq(values[ALGORITHM], STR("AWS4-ECDSA-P256-SHA256")))
        return auth_refuse(call, S3_NotImplemented, STR_NONE);
    if (!str_eq(values[ALGORITHM], STR("AWS4-HMAC-SHA256")))
        return refuse(call, STR("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and "
                                "AWS4-ECDSA-P256-SHA256\""));
    if (!clock_parse_amz(values[DATE], &date_us))
        return refuse(call, STR("X-Amz-Date must be in the ISO8601 Long Format "
                                "\"yyyyMMdd'T'HHmmss'Z'\""));
    err = read_expires(call, values[EXPIRES], &expires_s);
    if (err != S3_OK)
        return err;
    err = scope_read(call, SCOPE_QUERY, values[CREDENTIAL], values[DATE], &claim.scope);
    if (err != S3_OK)
        return err;
    if (!read_token(call))
        return auth_refuse(call, S3_InvalidToken, STR_NONE);

    claim.amz_date = values[DATE];
    claim.signed_headers = values[SIGNED_HEADERS];
    claim.signature = values[SIGNATURE];
    claim.payload = str_present(call->payload) ? call->payload : STR("UNSIGNED-PAYLOAD");

    err = check_window(call, values[EXPIRES], date_us, expires_s);
    if (err != S3_OK)
        return err;

    err = session_read_query(call);
    return err == S3_OK ? v4_verify(call, &claim) : err;
}
