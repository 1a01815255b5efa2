/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making presigned V4 URLs, with the verifier's own canonical form.
 */
#include "server/auth/call.h"

#include "base/secret.h"

#define PRESIGN_ARENA_BYTES (256 * 1024)

/* "http://host:9000/" in parts. host without a port that is the scheme's own: clients drop it. */
static bool split_endpoint(struct str endpoint, struct str *ret_base, struct str *ret_host)
{
    bool tls = str_starts(endpoint, STR("https://"));
    size_t skip = tls ? STR("https://").len : STR("http://").len;
    struct str port = tls ? STR(":443") : STR(":80");
    struct str host;

    if (!tls && !str_starts(endpoint, STR("http://")))
        return false;

    while (str_ends(endpoint, STR("/")))
        endpoint.len--;
    if (endpoint.len <= skip)
        return false;

    host = str_skip(endpoint, skip);
    if (str_ends(host, port))
        host.len -= port.len;

    *ret_base = endpoint;
    *ret_host = host;
    return host.len > 0 && str_find_char(host, '/') == SIZE_MAX;
}

static void add(struct http_request *request, struct str name, struct str value)
{
    request->params[request->param_count++] =
        (struct http_param){ .name = name, .value = value, .has_equals = true };
}

/* "versionId=x&response-content-type=text%2Fplain" */
static bool add_extra(struct http_request *request, struct str extra, struct arena *arena)
{
    struct str field;

    while (str_next(&extra, '&', &field)) {
        struct str raw_name;
        struct str raw_value;
        struct str name;
        struct str value = STR("");

        if (request->param_count + 8 > CANONICAL_PARAMS_MAX)
            return false;
        (void)str_cut(field, '=', &raw_name, &raw_value);
        if (raw_name.len == 0 || !uri_decode(arena, raw_name, &name))
            return false;
        if (str_present(raw_value) && !uri_decode(arena, raw_value, &value))
            return false;
        add(request, name, value);
    }

    return true;
}

bool auth_presign(struct buf *out, const struct user *user, struct str method, struct str endpoint,
                  struct str region, struct str bucket, struct str key, struct str query_extra,
                  uint64_t expires_s, int64_t now_us)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(8192, PRESIGN_ARENA_BYTES);
    CLEANUP(buf_free) struct buf path = BUF_WITH_MAX(HTTP_TARGET_BYTES_MAX);
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(AUTH_TEXT_BYTES_MAX);
    CLEANUP(buf_free) struct buf scratch = BUF_WITH_MAX(AUTH_TEXT_BYTES_MAX);
    struct http_param params[CANONICAL_PARAMS_MAX];
    struct http_request request = { .method = method, .params = params };
    struct str service = STR("s3");
    struct str base;
    struct str scope;
    char date[CLOCK_AMZ_LEN + 1];
    char signature[2 * SHA256_BYTES];
    CLEANUP(secret_key_wipe) struct secret_key signing_key;

    if (arena == NULL || expires_s == 0 || expires_s > AUTH_EXPIRES_MAX_S || region.len == 0 ||
        region.len > AUTH_REGION_BYTES_MAX || !split_endpoint(endpoint, &base, &request.host))
        return false;

    clock_format_amz(now_us, date);
    scope = arena_printf(arena, "%.8s/%.*s/s3/aws4_request", date, STR_ARG(region));
    add(&request, STR("X-Amz-Algorithm"), STR("AWS4-HMAC-SHA256"));
    add(&request, STR("X-Amz-Credential"),
        arena_printf(arena, "%.*s/%.*s", STR_ARG(user->access_key), STR_ARG(scope)));
    add(&request, STR("X-Amz-Date"), str_make(date, CLOCK_AMZ_LEN));
    add(&request, STR("X-Amz-Expires"), arena_printf(arena, "%llu", (unsigned long long)expires_s));
    add(&request, STR("X-Amz-SignedHeaders"), STR("host"));
    if (str_present(user->session_token))
        add(&request, STR("X-Amz-Security-Token"), user->session_token);
    if (!add_extra(&request, query_extra, arena))
        return false;

    buf_char(&path, '/');
    uri_encode(&path, bucket, URI_KEEP_NONE);
    if (str_present(key)) {
        buf_char(&path, '/');
        uri_encode(&path, key, URI_KEEP_SLASH);
    }

    request.raw_path = buf_view(&path);
    canonical_request(&text, &scratch, &request, STR("host"), STR("UNSIGNED-PAYLOAD"));
    if (path.failed || text.failed)
        return false;
    auth_signing_key(user->secret_key, str_make(date, 8), region, service, signing_key.bytes);
    v4_sign(signing_key.bytes, str_make(date, CLOCK_AMZ_LEN), scope, buf_view(&text), signature);

    buf_str(out, base);
    buf_str(out, buf_view(&path));
    buf_char(out, '?');
    buf_clear(&scratch);
    canonical_query(out, &scratch, request.params, request.param_count);
    buf_lit(out, "&X-Amz-Signature=");
    buf_append(out, signature, sizeof(signature));
    return !out->failed;
}
