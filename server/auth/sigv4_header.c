/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature Version 4 in the Authorization header.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
 *
 * "AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=...", in any order; blanks around
 * the commas are optional (minio-go and pgBackRest leave one out).
 */
#include "server/auth/call.h"

struct parts {
    struct str credential, signed_headers, signature;
};

static bool parse(struct str authorization, struct parts *ret_parts)
{
    struct str rest = str_skip(authorization, STR("AWS4-HMAC-SHA256").len);
    struct parts parts = { 0 };
    struct str field;

    while (str_next(&rest, ',', &field)) {
        struct str name;
        struct str value;
        struct str *to;

        field = str_trim(field);
        if (!str_cut(field, '=', &name, &value))
            return false;

        if (str_eq(name, STR("Credential")))
            to = &parts.credential;
        else if (str_eq(name, STR("SignedHeaders")))
            to = &parts.signed_headers;
        else if (str_eq(name, STR("Signature")))
            to = &parts.signature;
        else
            return false;
        if (str_present(*to) || value.len == 0)
            return false;
        *to = value;
    }

    *ret_parts = parts;
    return str_present(parts.credential) && str_present(parts.signed_headers) &&
           str_present(parts.signature);
}

/* x-amz-date, else Date in either of its spellings; *ret_amz is its basic form. */
static bool read_date(struct auth_call *call, struct str *ret_amz, int64_t *ret_us)
{
    struct str date = http_header(call->request, STR("x-amz-date"));
    char text[CLOCK_AMZ_LEN + 1];

    if (http_header_count(call->request, STR("x-amz-date")) > 1)
        return false;
    if (!str_present(date))
        date = http_header(call->request, STR("Date"));
    if (clock_parse_amz(date, ret_us)) {
        *ret_amz = date;
        return true;
    }
    if (!clock_parse_http(date, ret_us) || *ret_us < 0)
        return false;

    clock_format_amz(*ret_us, text);
    *ret_amz = arena_dup(call->arena, str_make(text, CLOCK_AMZ_LEN));
    return str_present(*ret_amz);
}

enum s3_error v4_verify_header(struct auth_call *call, struct str authorization)
{
    struct v4_claim claim = { .form = SCOPE_HEADER };
    struct parts parts;
    int64_t date_us;
    enum s3_error err;

    call->auth->scheme = AUTH_V4_HEADER;
    if (!parse(authorization, &parts))
        return scope_malformed(call, SCOPE_HEADER,
                               "the authorization header requires three "
                               "components: Credential, SignedHeaders, and "
                               "Signature.");
    claim.signed_headers = parts.signed_headers;
    claim.signature = parts.signature;

    if (!read_date(call, &claim.amz_date, &date_us))
        return auth_refuse(call, S3_AccessDenied,
                           STR("AWS authentication requires a valid Date or x-amz-date header"));
    err = scope_read(call, SCOPE_HEADER, parts.credential, claim.amz_date, &claim.scope);
    if (err != S3_OK)
        return err;
    err = auth_check_skew(call, date_us, claim.amz_date);
    if (err != S3_OK)
        return err;

    if (!str_present(call->payload))
        return auth_refuse(call, S3_InvalidRequest,
                           STR("Missing required header for this request: x-amz-content-sha256"));
    claim.payload = call->payload;

    if (http_header_count(call->request, STR("x-amz-security-token")) > 1)
        return auth_refuse(call, S3_InvalidToken, STR_NONE);
    call->token = http_header(call->request, STR("x-amz-security-token"));
    err = session_read_header(call);
    return err == S3_OK ? v4_verify(call, &claim) : err;
}
