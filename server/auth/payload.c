/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x-amz-content-sha256: what the request says about its body.
 *
 * Read for every request, signed or not: the framing of the body depends on it, and a hash that an
 * anonymous client names is held to as well.
 */
#include "server/auth/call.h"

static const struct {
    struct str value;
    enum payload_mode mode;
} forms[] = {
    { { "UNSIGNED-PAYLOAD", 16 }, PAYLOAD_UNSIGNED },
    { { "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", 34 }, PAYLOAD_SIGNED_CHUNKS },
    { { "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", 42 }, PAYLOAD_SIGNED_TRAILER },
    { { "STREAMING-UNSIGNED-PAYLOAD-TRAILER", 34 }, PAYLOAD_UNSIGNED_TRAILER },
};

/* Either case: what is signed is the text as it stands. */
static bool is_sha256(struct str value)
{
    uint8_t bytes[SHA256_BYTES];

    return hex_decode(value, bytes, sizeof(bytes));
}

/* Signature Version 4 makes the value part of what is signed, and only it says what it may be. */
static bool is_v4(const struct http_request *request)
{
    return str_starts(http_header(request, STR("Authorization")), STR("AWS4-")) ||
           http_param(request, STR("X-Amz-Algorithm")) != NULL ||
           http_param(request, STR("X-Amz-Signature")) != NULL;
}

/* The header, or the parameter a presigned URL may carry instead. */
static enum s3_error find(struct auth_call *call, struct str *ret_value)
{
    struct str name = STR("x-amz-content-sha256");
    struct str value = http_header(call->request, name);
    bool presigned = http_param(call->request, STR("X-Amz-Signature")) != NULL;

    if (http_header_count(call->request, name) > 1)
        return auth_refuse_argument(call, STR("x-amz-content-sha256 must be given once."), name,
                                    STR_NONE);

    for (size_t i = 0; i < call->request->param_count && presigned; i++) {
        const struct http_param *param = &call->request->params[i];

        if (!str_eq_nocase(param->name, name))
            continue;
        if (str_present(value) && !str_eq(value, param->value))
            return auth_refuse_argument(call, STR("x-amz-content-sha256 must be given once."), name,
                                        param->value);
        value = param->value;
    }

    *ret_value = value;
    return S3_OK;
}

enum s3_error payload_read(struct auth_call *call)
{
    struct auth *auth = call->auth;
    struct str value = STR_NONE;
    enum s3_error err = find(call, &value);

    if (err != S3_OK)
        return err;

    call->payload = value;
    auth->payload = PAYLOAD_ABSENT;
    if (!str_present(value))
        return S3_OK;

    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        if (str_eq(value, forms[i].value)) {
            auth->payload = forms[i].mode;
            return S3_OK;
        }
    }
    if (str_starts(value, STR("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"))) {
        err = auth_refuse(call, S3_NotImplemented, STR_NONE);
        call->refusal->values[FACT_UNIMPLEMENTED_HEADER] = STR("x-amz-content-sha256");
        return err;
    }
    if (is_sha256(value) || !is_v4(call->request)) {
        auth->payload = PAYLOAD_HEX;
        auth->payload_claim = value;
        return S3_OK;
    }

    return auth_refuse_argument(
        call,
        STR("x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, "
            "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, "
            "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value."),
        STR("x-amz-content-sha256"), value);
}
