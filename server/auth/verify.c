/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auth_verify: which form of authentication a request uses, and what the mode makes of the result.
 *
 *   Authorization: AWS4-...   V4 header      X-Amz-Algorithm|Credential|Signature   V4 query
 *   Authorization: AWS ...    V2 header      AWSAccessKeyId|Signature               V2 query
 *
 * (1) Exactly one form; any mark of a second one is a refusal, so that a credential of one form is
 *     never taken with the signature of another (CVE-2026-41145).
 * (2) An Authorization of whatever scheme counts, as on S3: what an HTTP client sends on after a
 *     redirect to a presigned URL makes two.
 */
#include "base/log.h"
#include "server/auth/call.h"
#include "server/auth/mask.h"

static bool has_param(const struct http_request *request, struct str name)
{
    return http_param(request, name) != NULL;
}

static bool has_scheme(struct str authorization, struct str scheme)
{
    return str_starts(authorization, scheme) &&
           (authorization.len == scheme.len || authorization.p[scheme.len] == ' ' ||
            authorization.p[scheme.len] == '\t');
}

static bool has_v4_query(const struct http_request *request)
{
    return has_param(request, STR("X-Amz-Signature")) ||
           has_param(request, STR("X-Amz-Credential")) ||
           has_param(request, STR("X-Amz-Algorithm"));
}

static bool has_v2_query(const struct http_request *request)
{
    return has_param(request, STR("Signature")) || has_param(request, STR("AWSAccessKeyId"));
}

/* An empty Authorization names no mechanism; alone it is refused all the same. */
static bool has_authorization(const struct http_request *request)
{
    return http_header(request, STR("Authorization")).len > 0;
}

bool auth_has_credential(const struct http_request *request)
{
    return has_authorization(request) || has_v4_query(request) || has_v2_query(request);
}

enum s3_error auth_refuse_two(struct auth_call *call)
{
    return auth_refuse_argument(
        call,
        STR("Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature "
            "query string parameter or the Authorization header should be specified"),
        STR("Authorization"), http_header(call->request, STR("Authorization")));
}

static enum s3_error verify_header(struct auth_call *call, struct str authorization)
{
    enum s3_error err;

    if (has_scheme(authorization, STR("AWS4-HMAC-SHA256")))
        return v4_verify_header(call, authorization);
    if (has_scheme(authorization, STR("AWS")))
        return v2_verify_header(call, authorization);
    if (has_scheme(authorization, STR("AWS4-ECDSA-P256-SHA256"))) {
        err = auth_refuse(call, S3_NotImplemented, STR_NONE);
        call->refusal->values[FACT_UNIMPLEMENTED_HEADER] = STR("Authorization");
        return err;
    }
    if (authorization.len == 0)
        return auth_refuse(call, S3_AccessDenied, STR_NONE);

    return auth_refuse_argument(call, STR("Unsupported Authorization Type"), STR("Authorization"),
                                authorization);
}

static enum s3_error verify(struct auth_call *call)
{
    const struct http_request *request = call->request;
    struct str authorization = http_header(request, STR("Authorization"));
    bool v4_query = has_v4_query(request);
    bool v2_query = has_v2_query(request);

    if (http_header_count(request, STR("Authorization")) > 1 ||
        has_authorization(request) + v4_query + v2_query > 1)
        return auth_refuse_two(call);

    if (v4_query)
        return v4_verify_query(call);
    if (v2_query)
        return v2_verify_query(call);
    if (str_present(authorization))
        return verify_header(call, authorization);

    return S3_OK;
}

/* Signed chunks continue a V4 signature; without one there is nothing to continue. */
static enum s3_error check_chunks(struct auth_call *call)
{
    const struct auth *auth = call->auth;

    if ((auth->payload & (PAYLOAD_SIGNED_CHUNKS | PAYLOAD_SIGNED_TRAILER)) == 0 ||
        auth->scheme == AUTH_V4_HEADER || auth->scheme == AUTH_V4_QUERY)
        return S3_OK;

    return auth_refuse_argument(call, STR("Signed chunks need a Signature Version 4 request."),
                                STR("x-amz-content-sha256"), call->payload);
}

static void log_audited(const struct auth_call *call, enum s3_error error)
{
    CLEANUP(buf_free) struct buf line = BUF_WITH_MAX(2048);
    CLEANUP(buf_free) struct buf path = BUF_WITH_MAX(2 * HTTP_TARGET_BYTES_MAX);

    buf_lit(&line, "access_key=");
    log_value(&line, str_slice(call->access_key, 0, AUTH_ACCESS_KEY_BYTES_MAX));
    buf_lit(&line, " method=");
    log_value(&line, str_slice(call->request->method, 0, 32));
    buf_lit(&line, " path=");
    mask_line(&path, call->request->raw_path);
    log_value(&line, str_slice(buf_view(&path), 0, 256));
    log_warn("auth audited error=%d %.*s", (int)error, STR_ARG(buf_view(&line)));
}

/* Who says so is the user, whoever else it is root. */
static enum s3_error become_claimed(struct auth_call *call)
{
    CLEANUP(credential_wipe) struct credential credential;
    enum credentials_answer answer = credentials_find(auth_credentials(call->cache),
                                                      CREDENTIALS_BY_ACCESS_KEY, call->access_key,
                                                      call->arena, &credential);

    call->auth->user = NULL;
    if (answer == CREDENTIALS_UNKNOWN)
        answer = credentials_find(auth_credentials(call->cache), CREDENTIALS_ROOT, STR_NONE,
                                  call->arena, &credential);
    if (answer == CREDENTIALS_UNKNOWN)
        return S3_OK;
    return answer == CREDENTIALS_FOUND ? auth_become(call, &credential)
                                       : auth_refuse(call, S3_SlowDown, STR_NONE);
}

enum s3_error auth_settle(struct auth_call *call, enum s3_error error)
{
    enum auth_mode mode = call->config->mode;
    bool anonymous = call->auth->scheme == AUTH_ANONYMOUS && !str_present(call->access_key);
    enum s3_error err;

    /* What we lack or cannot do is refused in every mode. */
    if (mode == AUTH_STRICT || error == S3_NotImplemented || error == S3_SlowDown)
        return error;
    if (error == S3_OK && (mode == AUTH_AUDIT || !anonymous))
        return S3_OK;

    if (mode == AUTH_AUDIT)
        log_audited(call, error);
    err = become_claimed(call);
    if (err != S3_OK)
        return err;
    call->auth->audited = true;
    *call->refusal = (struct s3_refusal){ .error = S3_OK };
    return S3_OK;
}

enum s3_error auth_verify(const struct auth_config *config, struct auth_cache *cache,
                          const struct http_request *request, struct str virtual_bucket,
                          struct arena *arena, struct auth *ret_auth, struct s3_refusal *refusal)
{
    struct auth auth = { .scheme = AUTH_ANONYMOUS };
    struct auth_call call = {
        .config = config,
        .cache = cache,
        .request = request,
        .virtual_bucket = virtual_bucket,
        .arena = arena,
        .now_us = clock_now_us(config->clock),
        .auth = &auth,
        .refusal = refusal,
    };
    enum s3_error err;

    /* How the body is framed is not a matter of trust: it is an error in every mode. */
    err = payload_read(&call);
    if (err != S3_OK)
        return err;

    err = verify(&call);
    if (err == S3_OK)
        err = check_chunks(&call);
    err = auth_settle(&call, err);
    auth_cache_trim(cache);
    if (err != S3_OK)
        return err;

    *ret_auth = auth;
    return S3_OK;
}

enum s3_error auth_verify_service(const struct auth_config *config, struct auth_cache *cache,
                                  const struct http_request *request, struct str service,
                                  struct str body, struct arena *arena, struct auth *ret_auth,
                                  struct s3_refusal *refusal)
{
    struct auth auth = { .scheme = AUTH_ANONYMOUS, .payload = PAYLOAD_HEX };
    struct str declared = http_header(request, STR("x-amz-content-sha256"));
    uint8_t sha256[SHA256_BYTES];
    char hex[2 * SHA256_BYTES];
    struct auth_call call = {
        .config = config,
        .cache = cache,
        .request = request,
        .service = service,
        .arena = arena,
        .now_us = clock_now_us(config->clock),
        .payload = str_make(hex, sizeof(hex)),
        .auth = &auth,
        .refusal = refusal,
    };
    enum s3_error err;

    digest_once(DIGEST_SHA256, str_present(body) ? body : STR(""), sha256);
    hex_encode(sha256, sizeof(sha256), hex);
    if (str_present(declared) && !str_eq_nocase(declared, call.payload)) {
        err = auth_refuse(&call, S3_SignatureDoesNotMatch, STR_NONE);
    } else {
        /* In either case of letters: what is signed is the text as it stands. */
        call.payload = str_present(declared) ? declared : call.payload;
        err = verify(&call);
    }
    err = auth_settle(&call, err);
    auth_cache_trim(cache);
    if (err != S3_OK)
        return err;

    *ret_auth = auth;
    return S3_OK;
}
