/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The credential of a V4 signature: AK/20261121/us-east-1/s3/aws4_request.
 *
 * It is split from the right: an access key may hold '/'. The texts of refusals are S3's; only
 * their beginning depends on where the credential stood.
 */
#include <stdarg.h>
#include <stdio.h>

#include "server/auth/call.h"

#define MESSAGE_BYTES_MAX 512

static const struct {
    enum s3_error error;
    const char *beginning;
} forms[] = {
    [SCOPE_HEADER] = { S3_AuthorizationHeaderMalformed, "The authorization header is malformed; " },
    [SCOPE_QUERY] = { S3_AuthorizationQueryParametersError,
                      "Error parsing the X-Amz-Credential parameter; " },
    [SCOPE_POST] = { S3_InvalidArgument, "Error parsing the x-amz-credential field; " },
};

enum s3_error scope_malformed(struct auth_call *call, enum scope_form form, const char *format, ...)
{
    char text[MESSAGE_BYTES_MAX];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);

    return auth_refuse(call, forms[form].error,
                       arena_printf(call->arena, "%s%s", forms[form].beginning, text));
}

/* Cut the last "/field" off rest. */
static struct str take_last(struct str *rest)
{
    size_t at = str_rfind_char(*rest, '/');
    struct str field;

    if (at == SIZE_MAX)
        return STR_NONE;

    field = str_skip(*rest, at + 1);
    *rest = str_slice(*rest, 0, at);
    return field;
}

static enum s3_error check_service(struct auth_call *call, enum scope_form form, struct str service)
{
    struct str ours = str_present(call->service) ? call->service : STR("s3");

    if (str_eq(service, ours))
        return S3_OK;

    if (!str_present(call->service) && str_eq(service, STR("s3express"))) {
        call->auth->express = true;
        return S3_OK;
    }

    return scope_malformed(call, form,
                           "incorrect service \"%.*s\". This endpoint belongs to \"s3\".",
                           STR_ARG(str_slice(service, 0, 64)));
}

static enum s3_error check_region(struct auth_call *call, enum scope_form form, struct str region)
{
    enum s3_error err;

    if (region.len == 0 || region.len > AUTH_REGION_BYTES_MAX)
        return scope_malformed(call, form,
                               "a region of 1 to %d bytes must be provided in the "
                               "credential.",
                               AUTH_REGION_BYTES_MAX);
    if (!call->config->strict_region || str_eq(region, call->config->region))
        return S3_OK;

    err = scope_malformed(call, form, "the region '%.*s' is wrong; expecting '%.*s'",
                          STR_ARG(region), STR_ARG(call->config->region));
    if (err == S3_AuthorizationHeaderMalformed)
        call->refusal->values[FACT_MALFORMED_REGION] = call->config->region;
    return err;
}

enum s3_error scope_read(struct auth_call *call, enum scope_form form, struct str credential,
                         struct str amz_date, struct scope *ret_scope)
{
    struct scope scope;
    struct str terminator;
    enum s3_error err;

    scope.access_key = credential;
    terminator = take_last(&scope.access_key);
    scope.service = take_last(&scope.access_key);
    scope.region = take_last(&scope.access_key);
    scope.date = take_last(&scope.access_key);
    if (!str_present(scope.date))
        return scope_malformed(call, form,
                               "the Credential is mal-formed; expecting "
                               "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
    scope.text = str_skip(credential, scope.access_key.len + 1);
    call->access_key = scope.access_key;

    if (scope.access_key.len == 0)
        return scope_malformed(call, form,
                               "a non-empty Access Key (AKID) must be provided in the "
                               "credential.");
    if (!str_eq(terminator, STR("aws4_request")))
        return scope_malformed(call, form,
                               "incorrect terminal \"%.*s\". This endpoint uses \"aws4_request\".",
                               STR_ARG(str_slice(terminator, 0, 64)));
    err = check_service(call, form, scope.service);
    if (err != S3_OK)
        return err;
    err = check_region(call, form, scope.region);
    if (err != S3_OK)
        return err;
    if (!str_eq(scope.date, str_slice(amz_date, 0, 8)))
        return scope_malformed(call, form,
                               "Invalid credential date \"%.*s\". This date is not the same as "
                               "X-Amz-Date: \"%.*s\".",
                               STR_ARG(str_slice(scope.date, 0, 64)),
                               STR_ARG(str_slice(amz_date, 0, 8)));

    *ret_scope = scope;
    return S3_OK;
}
